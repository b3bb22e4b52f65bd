#include "normalizers/replace.h"

#include "base/text_limit.h"
#include "base/text_rewriter.h"

namespace triptych::normalizers {

using base::ByteRange;

absl::StatusOr<Replace> Replace::Pattern(std::string_view pattern, std::string content) {
  absl::StatusOr<unicode::Regex> regex = unicode::Regex::Create(pattern);
  if (!regex.ok()) return regex.status();
  return Replace("", *std::move(regex), std::move(content));
}

absl::Status Replace::FindMatches(std::string_view text, std::vector<ByteRange>& matches) const {
  if (regex_.has_value()) return regex_->FindAll(text, matches);
  for (size_t at = text.find(text_); at != std::string_view::npos;
       at = text.find(text_, at + text_.size())) {
    const auto begin = static_cast<uint32_t>(at);
    matches.push_back({begin, begin + static_cast<uint32_t>(text_.size())});
  }
  return absl::OkStatus();
}

absl::Status Replace::Normalize(base::AlignedText& text) const {
  if (text.text().empty()) return absl::OkStatus();  // also for a pattern that matches it
  std::vector<ByteRange> matches;
  if (absl::Status found = FindMatches(text.text(), matches); !found.ok()) return found;
  const size_t size = text.text().size();
  if (absl::Status checked = base::CheckGrowth(size, matches.size() * content_.size());
      !checked.ok()) {
    return checked;
  }
  base::TextRewriter rewriter(text);
  for (const ByteRange& match : matches) {
    rewriter.KeepUntil(match.begin);
    rewriter.Remove(match.size());
    if (!content_.empty()) rewriter.Put(content_, 1, match);
  }
  rewriter.KeepUntil(text.text().size());
  rewriter.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
