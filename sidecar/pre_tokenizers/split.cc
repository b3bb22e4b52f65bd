#include "pre_tokenizers/split.h"

#include <cstdint>
#include <utility>

namespace triptych::pre_tokenizers {
using base::ByteRange;

Split::Split(std::unique_ptr<unicode::Regex> regex, std::string literal, SplitBehavior behavior,
             bool invert)
    : regex_(std::move(regex)),
      literal_(std::move(literal)),
      behavior_(behavior),
      invert_(invert) {}

absl::StatusOr<Split> Split::CreateFromRegex(std::string_view pattern, SplitBehavior behavior,
                                             bool invert) {
  absl::StatusOr<unicode::Regex> regex = unicode::Regex::Create(pattern);
  if (!regex.ok()) return regex.status();
  Split split(std::make_unique<unicode::Regex>(*std::move(regex)), "", behavior, invert);
  if (behavior == SplitBehavior::kIsolated && !invert) {
    if (auto splitter = WordSplitter::ForPattern(pattern)) {
      split.splitter_ = std::make_unique<const WordSplitter>(*std::move(splitter));
    }
  }
  return split;
}

absl::StatusOr<Split> Split::CreateFromString(std::string_view literal, SplitBehavior behavior,
                                              bool invert) {
  if (literal.empty()) return CreateFromRegex("", behavior, invert);
  return Split(nullptr, std::string(literal), behavior, invert);
}

absl::Status Split::FindMatches(std::string_view piece, std::vector<ByteRange>& matches) const {
  if (regex_ != nullptr) return regex_->FindAll(piece, matches);
  for (size_t at = piece.find(literal_); at != std::string_view::npos;
       at = piece.find(literal_, at + literal_.size())) {
    matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal_.size())});
  }
  return absl::OkStatus();
}

absl::Status Split::PreTokenize(PreTokenizedText& text) const {
  std::vector<ByteRange> cut, matches;
  const std::string_view whole = text.text.text();
  for (const ByteRange& piece : text.pieces) {
    matches.clear();
    absl::Status found = FindMatches(whole.substr(piece.begin, piece.size()), matches);
    if (!found.ok()) return found;
    AppendCut(piece, matches, behavior_, invert_, cut);
  }
  text.pieces = std::move(cut);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
