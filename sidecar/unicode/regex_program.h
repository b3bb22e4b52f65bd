// The program that a pattern is compiled to: private between regex_compiler.cc, which writes it,
// and regex.cc, which runs it. Everybody else uses regex.h.
//
// Example: `a+|b` becomes
//
//     0  kSplit      other 3       try 1 first, then 3
//     1  kRepeatSet  {a}, 1 or more
//     2  kJump       other 4
//     3  kCharacter  b
//     4  kMatch
#ifndef SIDECAR_UNICODE_REGEX_PROGRAM_H_
#define SIDECAR_UNICODE_REGEX_PROGRAM_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "unicode/char_set.h"

namespace triptych::unicode {

enum class RegexOp : uint8_t {
  kCharacter,  // the code point `other`
  kSet,        // one character of `set`
  kRepeatSet,  // `min` to `max` characters of `set`, as many as possible, giving back one at a time
  kPossessSet,     // the same, giving nothing back
  kSplit,          // go on at pc + 1; if that fails, at `other`
  kSplitLazy,      // go on at `other`; if that fails, at pc + 1
  kJump,           // go on at `other`
  kLookahead,      // the program at pc + 1, up to its kMatch, must match here; go on at `other`
  kNotLookahead,   // must not match here
  kLookbehind,     // must match from `min` to `max` characters before up to here
  kNotLookbehind,  // must not
  kAtomic,         // must match here, and is never tried another way; go on behind it, at `other`
  kTextStart,      // \A
  kTextEnd,        // \z
  kTextEndOrNewline,  // \Z, also in front of a newline that ends the text
  kSearchStart,       // \G, where the previous match ended
  kLineStart,         // ^
  kLineEnd,           // $
  kWordBoundary,      // \b, between a character of `set` and one that is not
  kNotWordBoundary,   // \B
  kProgress,  // fails where nothing was read since the mark `set`: stops (a*)* from turning for
              // ever
  kMark,      // remembers the place as the mark `set`
  kReached,   // must be at the place of the lookbehind around this
  kMatch,     // the program, or the part after a lookahead, has matched
};

inline constexpr uint32_t kUnbounded = UINT32_MAX;

struct RegexInstruction {
  RegexOp op;
  uint16_t set = 0;  // the number of a set, or of a mark
  uint32_t other = 0;
  uint32_t min = 0;
  uint32_t max = 0;
};

struct RegexProgram {
  std::vector<RegexInstruction> instructions;
  std::vector<CharClassifier> classifiers;  // set i is bit i % 64 of classifier i / 64
  uint32_t marks = 0;
};

// INVALID_ARGUMENT as described in regex.h. REQUIRES: `pattern` is valid UTF-8.
[[nodiscard]] absl::StatusOr<RegexProgram> CompileRegex(std::string_view pattern);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_PROGRAM_H_
