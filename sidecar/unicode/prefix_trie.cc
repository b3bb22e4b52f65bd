// Tested by prefix_trie_test.cc.
#include "unicode/prefix_trie.h"

#include <algorithm>

namespace triptych::unicode {

PrefixTrie::PrefixTrie(std::vector<std::pair<std::string_view, uint32_t>> keys) {
  if (keys.empty()) return;
  std::sort(keys.begin(), keys.end());
  // The keys below a node, which are side by side, and how many of their bytes lead to it.
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> ranges = {{0, keys.size(), 0}};
  nodes_.emplace_back();
  for (size_t node = 0; node < nodes_.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    // A key that ends here comes first.
    for (; begin < end && keys[begin].first.size() == depth; ++begin) {
      nodes_[node].value = keys[begin].second;
    }
    nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
    while (begin < end) {
      const char byte = keys[begin].first[depth];
      size_t next = begin;
      while (next < end && keys[next].first[depth] == byte) ++next;
      nodes_.push_back({0, 0, static_cast<uint8_t>(byte), kNoValue});
      ranges.push_back({begin, next, depth + 1});
      ++nodes_[node].child_count;
      begin = next;
    }
  }
}

uint32_t PrefixTrie::ChildOf(uint32_t node, uint8_t byte) const {
  const auto begin = nodes_.begin() + nodes_[node].first_child;
  const auto end = begin + nodes_[node].child_count;
  const auto child = std::lower_bound(
      begin, end, byte, [](const Node& candidate, uint8_t b) { return candidate.byte < b; });
  if (child == end || child->byte != byte) return 0;
  return static_cast<uint32_t>(child - nodes_.begin());
}

}  // namespace triptych::unicode
