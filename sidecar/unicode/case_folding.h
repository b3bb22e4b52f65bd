// Which characters regular expressions take for the same where case is ignored, as Oniguruma does:
// k, K and the Kelvin sign; ß and ẞ, and ss as well.
#ifndef SIDECAR_UNICODE_CASE_FOLDING_H_
#define SIDECAR_UNICODE_CASE_FOLDING_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicode/char_set.h"

namespace triptych::unicode {

// `code_point` and the characters that match it.
[[nodiscard]] CharSet IgnoreCase(char32_t code_point);

// `set` and the characters that match a member of it.
[[nodiscard]] CharSet IgnoreCase(const CharSet& set);

// The characters that `code_point` also matches: "ss" for ß; nothing for most.
[[nodiscard]] std::optional<std::u32string> MultipleFoldOf(char32_t code_point);

// For the members of `set`, without repetition, the shortest first.
[[nodiscard]] std::vector<std::u32string> MultipleFoldsOf(const CharSet& set);

// The reverse: the single characters that match the beginning of `text`, and how many characters of
// it they match (3 if possible, or 2). A size of 0 where there are none.
struct SingleCharacters {
  CharSet set;
  size_t size = 0;
};
[[nodiscard]] SingleCharacters SingleCharactersFor(std::u32string_view text);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_CASE_FOLDING_H_
