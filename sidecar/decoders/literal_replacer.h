// LiteralReplacer: replaces a string in a text that arrives in pieces.
#ifndef SIDECAR_DECODERS_LITERAL_REPLACER_H_
#define SIDECAR_DECODERS_LITERAL_REPLACER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace triptych::decoders {

// `text` with every `from` replaced by `to`, leftmost first, not overlapping. An empty `from`
// stands before every character and at the end, as in Rust. REQUIRES: valid UTF-8.
[[nodiscard]] std::string ReplaceAll(std::string_view text, std::string_view from,
                                     std::string_view to);

// However the text is cut into pieces, the outputs joined are ReplaceAll of it. Held back is the
// longest end of the text that may become an occurrence; it is found by the automaton of Knuth,
// Morris and Pratt, so that the time is linear in the text whatever the string. Pieces and outputs
// of valid UTF-8 are cut between characters.
//
// Not thread-safe.
class LiteralReplacer {
 public:
  // REQUIRES: `from` is not empty.
  LiteralReplacer(std::string from, std::string to);

  // Appends to `out` all that is certain after `piece`.
  void Append(std::string_view piece, std::string& out);

  // Appends to `out` what is held back. Afterwards the replacer is as new.
  void Flush(std::string& out);

 private:
  std::string from_;
  std::string to_;
  std::vector<size_t> borders_;  // by n: the longest proper end of from_[0, n) that also begins it
  size_t matched_ = 0;           // held back: from_[0, matched_)
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_LITERAL_REPLACER_H_
