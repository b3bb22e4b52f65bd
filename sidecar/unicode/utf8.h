// UTF-8: reading, writing, checking, and the repair of broken bytes.
//
// Everything above this folder works on std::string_view that holds valid UTF-8; the server checks
// it once, at the door. Only decoding meets broken bytes: a token may hold half a character.
#ifndef SIDECAR_UNICODE_UTF8_H_
#define SIDECAR_UNICODE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triptych::unicode {

// U+FFFD, which stands for what is no UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A code point and the number of bytes it takes.
struct DecodedCodePoint {
  char32_t value;
  size_t size;
};

// Reads the code point at `position`. REQUIRES: `text` is valid UTF-8 and `position` is the first
// byte of a character of it.
[[nodiscard]] DecodedCodePoint DecodeAt(std::string_view text, size_t position);

// The same for the character that begins at `first`. Inline, for the loops that see every
// character.
[[nodiscard]] inline DecodedCodePoint DecodeCharacter(const char* first) {
  const auto byte = [first](size_t i) -> char32_t { return static_cast<uint8_t>(first[i]); };
  const auto tail = [&byte](size_t i) -> char32_t { return byte(i) & 0x3F; };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | tail(1), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3};
  return {(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
}

// The number of bytes of a character, as its first byte says it.
[[nodiscard]] inline size_t SizeOfCharacter(char first) {
  const auto byte = static_cast<uint8_t>(first);
  return 1 + (byte >= 0x80) + (byte >= 0xE0) + (byte >= 0xF0);
}

// The first byte of the character that ends just before `position`.
// REQUIRES: `text` is valid UTF-8, `position` is a character boundary other than 0.
[[nodiscard]] size_t PreviousBoundary(std::string_view text, size_t position);

// Whether a character begins or the text ends at `position`. REQUIRES: position <= text.size().
[[nodiscard]] bool IsBoundary(std::string_view text, size_t position);

// Appends `code_point` to `out`. REQUIRES: a Unicode scalar value.
void AppendUtf8(char32_t code_point, std::string& out);

// Whether all of `bytes` is valid; see FindInvalidUtf8. About ten times as fast where AVX2 is
// there.
[[nodiscard]] bool IsValidUtf8(std::string_view bytes);

// A way to find that out, for tests: "avx512", "avx2" or "scalar".
struct Utf8Check {
  std::string_view name;
  bool (*is_valid)(std::string_view bytes);
};

// All that this processor can run, the best first.
[[nodiscard]] const std::vector<Utf8Check>& Utf8Checks();

// The offset of the first byte that is not part of valid UTF-8, or nothing where all of it is
// valid. Surrogates, overlong forms and values above U+10FFFF are invalid.
[[nodiscard]] std::optional<size_t> FindInvalidUtf8(std::string_view bytes);

// Makes text of bytes that arrive in pieces, never giving out half a character.
//
// Each maximal broken piece becomes one U+FFFD, as WHATWG, Python's "replace" and Rust's
// `from_utf8_lossy` (which Hugging Face uses) have it. However the bytes are cut into pieces, the
// outputs joined are the same: an unfinished character is held back (at most 3 bytes) until it is
// finished, broken or flushed.
//
// Not thread-safe.
class Utf8Repairer {
 public:
  // Appends to `out` all text that is certain after `bytes`.
  void Append(std::string_view bytes, std::string& out);

  // Whether nothing is held back.
  [[nodiscard]] bool is_empty() const { return held_.empty(); }

  // Appends to `out` what is held back: one U+FFFD, or nothing. Afterwards the repairer is as new.
  void Flush(std::string& out);

 private:
  std::string held_;  // the beginning of a character: valid so far, unfinished
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_UTF8_H_
