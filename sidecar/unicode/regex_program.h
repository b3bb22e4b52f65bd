// The program that a pattern is compiled to: private between regex_compiler.cc, which writes it,
// and regex.cc, which runs it. Everybody else uses regex.h.
//
// Example: `a+|b` becomes
//
//     0  kSplit      next 1, other 3      try 1 first, then 3
//     1  kRepeatSet  {a}, 1 or more
//     2  kMatch
//     3  kSet        {b}
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
  kSet,        // one character of `set`
  kRepeatSet,  // `min` to `max` characters of `set`, as many as possible, giving back one at a time
  kPossessSet,    // the same, giving nothing back
  kSplit,         // go on at pc + 1; if that fails, at `other`
  kSplitLazy,     // go on at `other`; if that fails, at pc + 1
  kJump,          // go on at `other`
  kLookahead,     // the program at pc + 1, up to its kMatch, must match here; then go on at `other`
  kNotLookahead,  // must not match here
  kAtomic,        // must match here, and is never tried another way; go on behind it, at `other`
  kTextStart,     // \A
  kTextEnd,       // \z
  kLineStart,     // ^
  kLineEnd,       // $
  kProgress,      // fails where nothing was read since the mark `set`: stops (a*)* from turning for
                  // ever
  kMark,          // remembers the place as the mark `set`
  kMatch,         // the program, or the part after a lookahead, has matched
};

inline constexpr uint32_t kUnbounded = UINT32_MAX;

struct RegexInstruction {
  RegexOp op;
  uint8_t set = 0;  // the number of a set of the classifier, or of a mark
  uint32_t other = 0;
  uint32_t min = 0;
  uint32_t max = 0;
};

struct RegexProgram {
  std::vector<RegexInstruction> instructions;
  CharClassifier classifier;
  uint32_t marks = 0;
};

// INVALID_ARGUMENT as described in regex.h. REQUIRES: `pattern` is valid UTF-8.
[[nodiscard]] absl::StatusOr<RegexProgram> CompileRegex(std::string_view pattern);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_PROGRAM_H_
