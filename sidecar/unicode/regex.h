// Regex: the regular expressions of tokenizer.json, matched exactly as Hugging Face `tokenizers`
// does.
//
// `tokenizers` runs Oniguruma. Its dialect, its idea of `\s` and its Unicode version differ from
// those of every engine that a C++ program would link (PCRE2 counts U+180E as a space and knows the
// letters of whatever Unicode its distributor chose), and a single difference changes ids. The
// patterns themselves are simple. So this is a small engine of our own over measured tables: a
// backtracking matcher, without recursion, whose work is bounded. What it does not know is a load
// error, never another meaning.
//
// Known is what patterns of tokenizers use of Oniguruma's own syntax:
//   characters  literals, escapes (\n \t \xHH \x{H..} \uHHHH \0..), .
//   classes     \s \d \w \h and their opposites, \p{..} \P{..} \p{^..} with general categories,
//               scripts and the usual properties, \N \O \R; [...] [^...] with ranges, classes in
//               classes, [:alpha:], and &&
//   groups      (?:..) (..) (?<name>..) as grouping only, atomic (?>..), comments (?#..)
//   options     (?i) (?m) (?x), for a group or the rest of one; (?i) with all of Unicode's folding
//   repeats     * + ? {n} {n,} {,m} {n,m}, lazy with ?, possessive with + (but not after braces,
//               where Oniguruma reads + as another repeat)
//   assertions  ^ $ (of lines) \A \z \Z \G \b \B, (?=..) (?!..) (?<=..) (?<!..) of any length
// Not known: back-references, calls, \K \X \y, absent groups, conditions, control characters, (?W)
// and its kin.
#ifndef SIDECAR_UNICODE_REGEX_H_
#define SIDECAR_UNICODE_REGEX_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/byte_range.h"

namespace triptych::unicode {

struct RegexProgram;  // regex_program.h

// Immutable after Create, so safe to share between threads.
class Regex {
 public:
  // INVALID_ARGUMENT where `pattern` is malformed or uses what is not known; the message tells the
  // offset. Also where it would take too much memory: work and memory are bounded whatever the
  // pattern. REQUIRES: `pattern` is valid UTF-8.
  [[nodiscard]] static absl::StatusOr<Regex> Create(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Appends to `matches` all matches in `text`, leftmost first, not overlapping; alternatives are
  // tried in order, as in Perl. An empty match moves the search on by one character; right behind
  // another match it does not count.
  //
  // RESOURCE_EXHAUSTED where the pattern needs far more steps for this text than a tokenizer's
  // pattern may (over 1,000 a byte): then `matches` is unspecified. REQUIRES: `text` is valid
  // UTF-8.
  [[nodiscard]] absl::Status FindAll(std::string_view text,
                                     std::vector<base::ByteRange>& matches) const;

 private:
  explicit Regex(std::unique_ptr<const RegexProgram> program);

  std::unique_ptr<const RegexProgram> program_;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_H_
