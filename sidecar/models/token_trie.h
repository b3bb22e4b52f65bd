// TokenTrie: which tokens does a text begin with?
#ifndef SIDECAR_MODELS_TOKEN_TRIE_H_
#define SIDECAR_MODELS_TOKEN_TRIE_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace triptych::models {

// A radix tree: a chain of bytes that does not branch is one edge, so there are fewer than two
// nodes a token, whatever the tokens are. The nodes lie level by level, which puts the children of
// a node side by side, in the order of their first bytes, and makes a list of children needless.
//
// Immutable after construction, so safe to share between threads.
class TokenTrie {
 public:
  struct Entry {
    std::string_view token;
    uint32_t id;
  };

  // An empty token is left out: a text does not begin with it. Time linear in the bytes of all
  // tokens, and a sort. REQUIRES: no token is there twice; the bytes outlive the trie.
  explicit TokenTrie(std::vector<Entry> entries);

  // Calls visit(size, id) for each token that `text` begins with, the shortest first. Time linear
  // in the longest common beginning of `text` and a token.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit&& visit) const {
    size_t at = 0;
    for (uint32_t node = ChildOf(0, text, at); node != kNone; node = ChildOf(node, text, at)) {
      if (nodes_[node].id != kNone) visit(at, nodes_[node].id);
    }
  }

  [[nodiscard]] size_t node_count() const { return nodes_.size() - 1; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Node {
    static constexpr uint32_t kNear = sizeof(const char*);

    // The bytes of its edge, behind the first: here where they fit, which spares a look elsewhere.
    union {
      std::array<char, kNear> near = {};
      const char* far;
    };
    uint32_t edge_size = 0;
    uint32_t first_child = 0;  // up to the next node's first_child
    uint32_t id = kNone;       // of the token that ends here

    // REQUIRES: there are edge_size bytes at `text`.
    [[nodiscard]] bool HasEdge(const char* text) const {
      if (edge_size > kNear) return std::memcmp(text, far, edge_size) == 0;
      for (uint32_t i = 0; i < edge_size; ++i) {
        if (text[i] != near[i]) return false;
      }
      return true;
    }
  };

  struct Range;

  // Fills in nodes_[node] for the entries of `range`; appends its children to nodes_ and `ranges`.
  void Expand(uint32_t node, const std::vector<Entry>& entries, std::vector<Range>& ranges);

  // The child of `node` whose edge is at text[at], and `at` moved behind that edge; or kNone.
  uint32_t ChildOf(uint32_t node, std::string_view text, size_t& at) const {
    if (at == text.size()) return kNone;
    const uint32_t child = ChildByByte(node, text[at]);
    if (child == kNone) return kNone;
    const Node& found = nodes_[child];
    if (text.size() - at - 1 < found.edge_size || !found.HasEdge(text.data() + at + 1)) {
      return kNone;
    }
    at += 1 + found.edge_size;
    return child;
  }

  [[nodiscard]] uint32_t ChildByByte(uint32_t node, char byte) const {
    if (node == 0) return root_children_[static_cast<uint8_t>(byte)];
    const uint32_t begin = nodes_[node].first_child, end = nodes_[node + 1].first_child;
    if (begin == end) return kNone;
    const void* found = std::memchr(labels_.data() + begin, byte, end - begin);
    if (found == nullptr) return kNone;
    return static_cast<uint32_t>(static_cast<const char*>(found) - labels_.data());
  }

  std::vector<Node> nodes_;   // and one more, which ends the children of the last
  std::vector<char> labels_;  // of each node: the first byte of its edge
  std::array<uint32_t, 256> root_children_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_TOKEN_TRIE_H_
