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
// Known: literals; . [...] [^...] with ranges and escapes; \s \S \d \D \w \W \p{..} \P{..} \p{^..}
// \n \r \t \f \v \xHH \x{H..} \uHHHH; (?:..) (..) as grouping only; (?i:..) around ASCII; | ;
// lookahead (?=..) (?!..); atomic (?>..); \A \z ^ $ (of lines, as in Ruby); * + ? {n} {n,} {,m}
// {n,m}, lazy with ? and possessive with + (but not after braces, where Oniguruma reads + as
// another repeat). Not known: lookbehind, back-references, \b, named groups, set operations (&&),
// POSIX brackets.
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
  // offset. REQUIRES: `pattern` is valid UTF-8.
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
