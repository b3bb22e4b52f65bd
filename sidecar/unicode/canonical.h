// Canonical composition (NFC) by the tables of unicode_tables.h.
//
// It is not the NFC of the newest Unicode: it is the one that Hugging Face `tokenizers` computes.
#ifndef SIDECAR_UNICODE_CANONICAL_H_
#define SIDECAR_UNICODE_CANONICAL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_range.h"

namespace triptych::unicode {

// Whether `text` is certainly in NFC already: every character of it neither decomposes nor combines
// nor is the second of a pair that composes. "No" means "perhaps not". Reads ASCII eight bytes at a
// time. REQUIRES: valid UTF-8.
[[nodiscard]] bool IsSurelyNfc(std::string_view text);

// A text in NFC. Byte i of `text` came from the bytes origins[i] of the input: for a composed
// character all bytes of the characters that it was made of.
struct Composed {
  std::string text;
  std::vector<base::ByteRange> origins;
};

// Composes `text`. REQUIRES: valid UTF-8. Time is linear but for runs of combining marks, which are
// sorted (n log n).
[[nodiscard]] Composed ToNfc(std::string_view text);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_CANONICAL_H_
