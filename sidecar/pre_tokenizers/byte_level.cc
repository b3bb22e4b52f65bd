#include "pre_tokenizers/byte_level.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace triptych::pre_tokenizers {
namespace {

using base::ByteRange;

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Rewrites the text as its pieces, each with a space in front where it has none.
void AddPrefixSpaces(PreTokenizedText& text) {
  const std::string_view old = text.text.text();
  const auto needs_space = [&](ByteRange piece) { return old[piece.begin] != ' '; };
  if (std::none_of(text.pieces.begin(), text.pieces.end(), needs_space)) return;

  std::string joined;
  std::vector<ByteRange> origins, pieces;
  for (const ByteRange& piece : text.pieces) {
    const auto begin = static_cast<uint32_t>(joined.size());
    if (needs_space(piece)) {
      const uint32_t at = text.text.OriginOf({piece.begin, piece.begin + 1}).begin;
      joined.push_back(' ');
      origins.push_back({at, at});
    }
    joined.append(old.substr(piece.begin, piece.size()));
    for (uint32_t i = piece.begin; i < piece.end; ++i) {
      origins.push_back(text.text.OriginOf({i, i + 1}));
    }
    pieces.push_back({begin, static_cast<uint32_t>(joined.size())});
  }
  text.text.Replace(std::move(joined), std::move(origins));
  text.pieces = std::move(pieces);
}

}  // namespace

absl::StatusOr<ByteLevel> ByteLevel::Create(bool add_prefix_space, bool use_regex) {
  if (!use_regex) return ByteLevel(add_prefix_space, std::nullopt);
  absl::StatusOr<Split> split =
      Split::CreateFromRegex(kGpt2Pattern, SplitBehavior::kIsolated, /*invert=*/false);
  if (!split.ok()) return split.status();
  return ByteLevel(add_prefix_space, *std::move(split));
}

absl::Status ByteLevel::PreTokenize(PreTokenizedText& text) const {
  if (add_prefix_space_) AddPrefixSpaces(text);
  return split_.has_value() ? split_->PreTokenize(text) : absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
