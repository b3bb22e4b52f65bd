// PatternReader: reads the pattern of a regular expression from left to right. Private to the regex
// engine; use regex.h.
#ifndef SIDECAR_UNICODE_PATTERN_READER_H_
#define SIDECAR_UNICODE_PATTERN_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::unicode {

// The pattern must outlive the reader and be valid UTF-8. Not thread-safe.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  [[nodiscard]] bool at_end() const { return at_ == pattern_.size(); }

  // What was not read yet.
  [[nodiscard]] std::string_view rest() const { return pattern_.substr(at_); }

  [[nodiscard]] bool Has(std::string_view next) const { return rest().starts_with(next); }

  // Reads `next` if it stands here.
  bool Take(std::string_view next) {
    if (!Has(next)) return false;
    at_ += next.size();
    return true;
  }

  // Reads one character. REQUIRES: !at_end().
  char32_t TakeCodePoint() {
    const auto [code_point, size] = DecodeAt(pattern_, at_);
    at_ += size;
    return code_point;
  }

  // Reads digits of `base` (8, 10 or 16), at most `max_digits`; returns how many. A value above
  // 2^32 - 1 stays there.
  size_t TakeNumber(uint32_t base, size_t max_digits, uint32_t& value) {
    uint64_t number = 0;
    size_t count = 0;
    for (; count < max_digits && !at_end(); ++count, ++at_) {
      const char c = pattern_[at_];
      const uint32_t digit = c >= '0' && c <= '9'                     ? c - '0'
                             : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                      : UINT32_MAX;
      if (digit >= base) break;
      number = number * base + digit;
      if (number > UINT32_MAX) number = UINT32_MAX;
    }
    value = static_cast<uint32_t>(number);
    return count;
  }

  // Skips `size` bytes. REQUIRES: so many are left, and a character begins behind them.
  void Skip(size_t size) { at_ += size; }

  // INVALID_ARGUMENT about the place that was reached; it shows the beginning of the pattern.
  [[nodiscard]] absl::Status Error(std::string_view what) const {
    constexpr size_t kMaxShownBytes = 200;
    size_t end = std::min(pattern_.size(), kMaxShownBytes);
    while (!IsBoundary(pattern_, end)) --end;
    return absl::InvalidArgumentError(base::StrCat("regular expression, offset ", at_, ": ", what,
                                                   ", in: ", pattern_.substr(0, end),
                                                   end < pattern_.size() ? "..." : ""));
  }

 private:
  std::string_view pattern_;
  size_t at_ = 0;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_PATTERN_READER_H_
