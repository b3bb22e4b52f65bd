#include "normalizers/strip.h"

#include <algorithm>
#include <string_view>

#include "base/text_rewriter.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {
namespace {

// The white space of Rust's char::is_whitespace is that of its regex crate.
bool IsSpace(char32_t c) {
  using unicode::kAddedTokenSpace, unicode::kAddedTokenSpaceSize;
  return std::any_of(kAddedTokenSpace, kAddedTokenSpace + kAddedTokenSpaceSize,
                     [c](const auto& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

absl::Status Strip::Normalize(base::AlignedText& text) const {
  const std::string_view old = text.text();
  size_t begin = 0, end = old.size();
  while (left_ && begin < end) {
    const auto [code_point, size] = unicode::DecodeAt(old, begin);
    if (!IsSpace(code_point)) break;
    begin += size;
  }
  while (right_ && end > begin) {
    const size_t last = unicode::PreviousBoundary(old, end);
    if (!IsSpace(unicode::DecodeAt(old, last).value)) break;
    end = last;
  }
  base::TextRewriter rewriter(text);
  rewriter.Remove(begin);
  rewriter.KeepUntil(end);
  rewriter.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
