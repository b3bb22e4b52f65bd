// The regular expressions of tokenizer.json: any pattern, compiled and matched against any text.
//
// Input: the pattern up to the first newline, then the text; both are repaired where they are not
// UTF-8, which Regex requires.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_range.h"
#include "fuzz/require.h"
#include "unicode/regex.h"
#include "unicode/utf8.h"

namespace triptych::fuzz {
namespace {

std::string Repaired(std::string_view bytes) {
  unicode::Utf8Repairer repairer;
  std::string text;
  repairer.Append(bytes, text);
  repairer.Flush(text);
  return text;
}

void RequireSoundMatches(std::string_view text, const std::vector<base::ByteRange>& matches) {
  uint32_t end = 0;
  for (const base::ByteRange match : matches) {
    Require(match.begin >= end && match.begin <= match.end && match.end <= text.size(),
            "matches are in order and in the text");
    Require(unicode::IsBoundary(text, match.begin) && unicode::IsBoundary(text, match.end),
            "a match is whole characters");
    end = match.end;
  }
}

void Run(std::string_view input) {
  const size_t newline = std::min(input.find('\n'), input.size());
  const std::string pattern = Repaired(input.substr(0, newline));
  const std::string text = Repaired(input.substr(std::min(newline + 1, input.size())));
  const absl::StatusOr<unicode::Regex> regex = unicode::Regex::Create(pattern);
  if (!regex.ok()) {
    Require(regex.status().code() == absl::StatusCode::kInvalidArgument,
            "a bad pattern is refused");
    return;
  }
  std::vector<base::ByteRange> matches;
  const absl::Status found = regex->FindAll(text, matches);
  if (found.ok()) return RequireSoundMatches(text, matches);
  Require(found.code() == absl::StatusCode::kResourceExhausted, "a match can only take too long");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
