// StopFinder: finds the first of some strings in a growing text, and never lets out what may be the
// beginning of one.
#ifndef SIDECAR_TOKENIZER_STOP_FINDER_H_
#define SIDECAR_TOKENIZER_STOP_FINDER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triptych::tokenizer {

// The stop string that ends first wins; of those that end together, the first in the list, whether
// or not another begins earlier. That is what vLLM's check_stop_strings gives for a text that grows
// by the byte, so the answer does not depend on how the text is cut. An empty stop string is never
// found.
//
// Held back is the longest end of the text that begins a stop string. An automaton of Aho and
// Corasick finds it: the time is linear in the text, whatever the strings. Not thread-safe.
class StopFinder {
 public:
  // With `include_stop_string` the text ends behind the stop string and not before it; then nothing
  // need be held back.
  StopFinder(const std::vector<std::string>& stop_strings, bool include_stop_string);

  // Appends to `out` all that is certain after `piece`. Where a stop string ends in `piece`, and
  // one that ends there counts (`may_stop`): its index in the list; `out` then gets the rest of the
  // text, and what follows in `piece` is dropped. REQUIRES: nothing was found before.
  [[nodiscard]] std::optional<uint32_t> Append(std::string_view piece, bool may_stop,
                                               std::string& out);

  // Appends to `out` what is held back. Afterwards the finder is as new.
  void Flush(std::string& out);

 private:
  static constexpr uint32_t kNoStop = UINT32_MAX;

  // A beginning of stop strings. Children are a list: few have more than one.
  struct Node {
    uint32_t first_child = 0;  // 0: none, as the root is nobody's child
    uint32_t next_sibling = 0;
    uint32_t fallback = 0;  // the longest other beginning that this one ends with
    uint32_t depth = 0;
    uint32_t stop = kNoStop;  // the first in the list that ends here
    uint8_t byte = 0;
  };

  void Add(std::string_view stop_string, uint32_t index);
  void LinkFallbacks();
  [[nodiscard]] uint32_t ChildOf(uint32_t node, uint8_t byte) const;
  [[nodiscard]] uint32_t Next(uint32_t node, uint8_t byte) const;

  std::vector<Node> nodes_;                // the root first
  std::array<uint32_t, 256> from_root_{};  // the root's children by byte
  std::vector<uint32_t> sizes_;            // of the stop strings
  bool include_stop_string_;
  uint32_t at_ = 0;   // the longest beginning that the text ends with
  std::string held_;  // that beginning, where it is held back
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_STOP_FINDER_H_
