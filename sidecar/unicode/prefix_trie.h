// PrefixTrie: which of many keys a text begins with.
#ifndef SIDECAR_UNICODE_PREFIX_TRIE_H_
#define SIDECAR_UNICODE_PREFIX_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace triptych::unicode {

// Nodes lie in one array, level by level, the children of a node side by side and ordered by their
// byte: 12 bytes a node. Immutable, so safe to share between threads.
class PrefixTrie {
 public:
  struct Match {
    size_t size;     // bytes
    uint32_t value;  // of the key
  };

  // Finds nothing.
  PrefixTrie() = default;

  // The views need not outlive the call; of equal keys one is kept. REQUIRES: no key is empty,
  // values are below 2^32 - 1.
  explicit PrefixTrie(std::vector<std::pair<std::string_view, uint32_t>> keys);

  // Calls visit(match) for each key that `text` begins with, the shortest first. Time is that of a
  // walk along the longest.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, const Visit& visit) const {
    uint32_t node = 0;
    for (size_t at = 0; at < text.size() && !nodes_.empty(); ++at) {
      node = ChildOf(node, static_cast<uint8_t>(text[at]));
      if (node == 0) return;
      if (nodes_[node].value != kNoValue) visit(Match{at + 1, nodes_[node].value});
    }
  }

  [[nodiscard]] std::optional<Match> Longest(std::string_view text) const {
    std::optional<Match> longest;
    ForEachPrefix(text, [&](const Match& match) { longest = match; });
    return longest;
  }

 private:
  static constexpr uint32_t kNoValue = UINT32_MAX;

  struct Node {
    uint32_t first_child = 0;
    uint16_t child_count = 0;
    uint8_t byte = 0;  // that leads here
    uint32_t value = kNoValue;
  };

  // 0, which is nobody's child, where there is none.
  [[nodiscard]] uint32_t ChildOf(uint32_t node, uint8_t byte) const;

  std::vector<Node> nodes_;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_PREFIX_TRIE_H_
