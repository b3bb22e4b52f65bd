#include "tokenizer/stop_finder.h"

#include <algorithm>
#include <cstddef>

namespace triptych::tokenizer {

StopFinder::StopFinder(const std::vector<std::string>& stop_strings, bool include_stop_string)
    : nodes_(1), include_stop_string_(include_stop_string) {
  for (const std::string& stop_string : stop_strings) {
    Add(stop_string, static_cast<uint32_t>(sizes_.size()));
    sizes_.push_back(static_cast<uint32_t>(stop_string.size()));
  }
  LinkFallbacks();
}

void StopFinder::Add(std::string_view stop_string, uint32_t index) {
  uint32_t at = 0;
  for (const char c : stop_string) {
    const auto byte = static_cast<uint8_t>(c);
    uint32_t child = ChildOf(at, byte);
    if (child == 0) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back(
          {.next_sibling = nodes_[at].first_child, .depth = nodes_[at].depth + 1, .byte = byte});
      nodes_[at].first_child = child;
      if (at == 0) from_root_[byte] = child;
    }
    at = child;
  }
  if (at != 0) nodes_[at].stop = std::min(nodes_[at].stop, index);
}

void StopFinder::LinkFallbacks() {
  std::vector<uint32_t> order = {
      0};  // breadth first: a fallback is shorter, so it is linked before
  for (size_t i = 0; i < order.size(); ++i) {
    const uint32_t parent = order[i];
    for (uint32_t n = nodes_[parent].first_child; n != 0; n = nodes_[n].next_sibling) {
      Node& node = nodes_[n];
      if (parent != 0) node.fallback = Next(nodes_[parent].fallback, node.byte);
      node.stop = std::min(node.stop, nodes_[node.fallback].stop);
      order.push_back(n);
    }
  }
}

uint32_t StopFinder::ChildOf(uint32_t node, uint8_t byte) const {
  if (node == 0) return from_root_[byte];
  uint32_t child = nodes_[node].first_child;
  while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].next_sibling;
  return child;
}

uint32_t StopFinder::Next(uint32_t node, uint8_t byte) const {
  for (;;) {
    const uint32_t child = ChildOf(node, byte);
    if (child != 0 || node == 0) return child;
    node = nodes_[node].fallback;
  }
}

std::optional<uint32_t> StopFinder::Append(std::string_view piece, bool may_stop,
                                           std::string& out) {
  const size_t held_before = held_.size();
  held_ += piece;
  for (size_t i = 0; i < piece.size(); ++i) {
    at_ = Next(at_, static_cast<uint8_t>(piece[i]));
    const uint32_t stop = nodes_[at_].stop;
    if (stop == kNoStop || !may_stop) continue;
    const size_t end = held_before + i + 1;
    out.append(held_, 0, include_stop_string_ ? end : end - sizes_[stop]);
    held_.clear();
    at_ = 0;
    return stop;
  }
  // A whole stop string that did not count begins nothing, unless another is longer.
  while (at_ != 0 && nodes_[at_].first_child == 0) at_ = nodes_[at_].fallback;
  const size_t certain = held_.size() - (include_stop_string_ ? 0 : nodes_[at_].depth);
  out.append(held_, 0, certain);
  held_.erase(0, certain);
  return std::nullopt;
}

void StopFinder::Flush(std::string& out) {
  out += held_;
  held_.clear();
  at_ = 0;
}

}  // namespace triptych::tokenizer
