// Classes of characters as patterns write them: escapes such as `\s` or `\p{L}`, and brackets such
// as
// `[^\s[:alpha:]&&[^a-c]]`. Private to the regex engine; use regex.h.
#ifndef SIDECAR_UNICODE_REGEX_CLASS_H_
#define SIDECAR_UNICODE_REGEX_CLASS_H_

#include "absl/status/statusor.h"
#include "unicode/char_set.h"
#include "unicode/pattern_reader.h"

namespace triptych::unicode {

// Brackets may be nested so deeply.
inline constexpr int kMaxClassNesting = 50;

// What an escape stands for: a character, or a class of them such as `\s`.
struct RegexEscape {
  CharSet set;
  bool is_character;
};

// Reads an escape, behind its backslash. In brackets `\b` is the character U+0008.
// INVALID_ARGUMENT where it is malformed or means something other than characters.
[[nodiscard]] absl::StatusOr<RegexEscape> TakeRegexEscape(PatternReader& reader, bool in_brackets);

// A class, and whether the pattern means everything that is not in it.
struct RegexBrackets {
  CharSet set;
  bool negated;
};

// Reads a class, behind its opening bracket, to its closing one. INVALID_ARGUMENT where it is
// malformed.
[[nodiscard]] absl::StatusOr<RegexBrackets> TakeRegexBrackets(PatternReader& reader);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_CLASS_H_
