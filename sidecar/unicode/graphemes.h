// Graphemes: what a reader takes for one character, by the rules of UAX #29 (extended clusters).
#ifndef SIDECAR_UNICODE_GRAPHEMES_H_
#define SIDECAR_UNICODE_GRAPHEMES_H_

#include <cstddef>
#include <string_view>

#include "unicode/code_point_map.h"

namespace triptych::unicode {

// The rules are those of Hugging Face `tokenizers`, but for flags: here each regional indicator is
// a grapheme of its own. For the Precompiled normalizer, which treats the characters of long
// graphemes one by one, that makes no difference.
//
// Immutable, so safe to share between threads.
class Graphemes {
 public:
  Graphemes();

  // The end of the grapheme that begins at `begin`. Takes time in proportion to its length.
  // REQUIRES: `text` is valid UTF-8; a grapheme of it begins at `begin`.
  [[nodiscard]] size_t EndOf(std::string_view text, size_t begin) const;

 private:
  CodePointMap classes_;  // the GraphemeClass, and 16 times the ConjunctClass
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_GRAPHEMES_H_
