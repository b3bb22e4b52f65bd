// RegexNode: the syntax tree of a pattern. Private to the regex engine; use regex.h.
//
// Example: `(?:ab|c+)(?!d)` is
//
//     kSequence
//       kAlternation
//         kLiteral "ab"
//         kRepeat 1 to kUnbounded, greedy
//           kLiteral "c"
//       kLookahead, negated
//         kLiteral "d"
#ifndef SIDECAR_UNICODE_REGEX_NODE_H_
#define SIDECAR_UNICODE_REGEX_NODE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "unicode/char_set.h"
#include "unicode/regex_program.h"

namespace triptych::unicode {

struct RegexNode {
  enum class Kind : uint8_t {
    kSequence,     // children, one after the other; none: matches the empty text
    kAlternation,  // one of the children, the first that leads to a match
    kGroup,        // the child, kept apart from its neighbours
    kLiteral,      // text
    kSet,          // one character of set
    kRepeat,       // the child, min to max times, as often as possible or, if lazy, as seldom
    kAtomic,       // the child, never tried another way
    kLookahead,    // the child matches, or if negated does not, behind this place
    kLookbehind,   // the same in front of this place
    kAssertion,    // assertion
  };

  Kind kind = Kind::kSequence;
  std::vector<RegexNode> children = {};
  std::u32string text = {};
  CharSet set = {};
  RegexOp assertion = RegexOp::kMatch;
  uint32_t min = 0;
  uint32_t max = 0;
  bool lazy = false;
  bool negated = false;
  bool ignore_case = false;  // of a literal
};

// Parses a pattern. The tree is at most a few hundred levels deep, so recursion over it is safe.
// INVALID_ARGUMENT as described in regex.h. REQUIRES: `pattern` is valid UTF-8.
[[nodiscard]] absl::StatusOr<RegexNode> ParseRegex(std::string_view pattern);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_NODE_H_
