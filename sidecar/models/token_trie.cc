// Tested by token_trie_test.cc.
#include "models/token_trie.h"

#include <algorithm>

namespace triptych::models {

// The entries below a node, and how many of their bytes lead to it.
struct TokenTrie::Range {
  uint32_t begin;
  uint32_t end;
  uint32_t depth;
};

TokenTrie::TokenTrie(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.token.empty(); });
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.token < b.token; });
  nodes_.emplace_back();
  labels_.push_back(0);
  std::vector<Range> ranges = {{0, static_cast<uint32_t>(entries.size()), 0}};
  for (uint32_t node = 0; node < nodes_.size(); ++node) Expand(node, entries, ranges);
  const auto past_the_last = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back().first_child = past_the_last;
  nodes_.shrink_to_fit();
  labels_.shrink_to_fit();

  root_children_.fill(kNone);
  for (uint32_t child = nodes_[0].first_child; child < nodes_[1].first_child; ++child) {
    root_children_[static_cast<uint8_t>(labels_[child])] = child;
  }
}

void TokenTrie::Expand(uint32_t node, const std::vector<Entry>& entries,
                       std::vector<Range>& ranges) {
  auto [begin, end, depth] = ranges[node];
  nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
  if (begin == end) return;
  uint32_t split = depth;  // where its entries part
  if (node != 0) {
    const std::string_view first = entries[begin].token, last = entries[end - 1].token;
    while (split < first.size() && first[split] == last[split]) ++split;
    Node& made = nodes_[node];
    made.edge_size = split - depth;
    if (made.edge_size > Node::kNear) {
      made.far = first.data() + depth;
    } else {
      std::copy_n(first.data() + depth, made.edge_size, made.near.begin());
    }
    if (first.size() == split) made.id = entries[begin++].id;
  }
  while (begin < end) {
    const char label = entries[begin].token[split];
    uint32_t next = begin + 1;
    while (next < end && entries[next].token[split] == label) ++next;
    nodes_.emplace_back();
    labels_.push_back(label);
    ranges.push_back({begin, next, split + 1});
    begin = next;
  }
}

}  // namespace triptych::models
