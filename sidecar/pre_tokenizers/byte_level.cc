#include "pre_tokenizers/byte_level.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pre_tokenizers/piece_writer.h"
#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {
namespace {

using base::ByteRange;

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Gives each piece that has none a space in front. `tokenizers` counts it to the first character.
void AddPrefixSpaces(PreTokenizedText& text) {
  const std::string_view whole = text.text.text();
  const auto needs_space = [&](ByteRange piece) { return whole[piece.begin] != ' '; };
  if (std::none_of(text.pieces.begin(), text.pieces.end(), needs_space)) return;
  PieceWriter writer(text);
  for (const ByteRange& piece : text.pieces) {
    writer.BeginPiece();
    if (needs_space(piece)) {
      const auto size = static_cast<uint32_t>(unicode::DecodeAt(whole, piece.begin).size);
      writer.Write(" ", {piece.begin, piece.begin + size});
    }
    writer.Copy(piece);
  }
  writer.Finish();
}

void WriteInAlphabet(PreTokenizedText& text) {
  PieceWriter writer(text);
  for (const ByteRange& piece : text.pieces) {
    writer.BeginPiece();
    for (uint32_t at = piece.begin; at < piece.end; ++at) {
      const auto byte = static_cast<uint8_t>(text.text.text()[at]);
      writer.Write(unicode::ByteLevelCharacter(byte), {at, at + 1});
    }
  }
  writer.Finish();
}

}  // namespace

absl::StatusOr<ByteLevel> ByteLevel::Create(bool add_prefix_space, bool use_regex, Output output) {
  if (!use_regex) return ByteLevel(add_prefix_space, std::nullopt, output);
  absl::StatusOr<Split> split =
      Split::CreateFromRegex(kGpt2Pattern, SplitBehavior::kIsolated, /*invert=*/false);
  if (!split.ok()) return split.status();
  return ByteLevel(add_prefix_space, *std::move(split), output);
}

absl::Status ByteLevel::PreTokenize(PreTokenizedText& text) const {
  if (add_prefix_space_) AddPrefixSpaces(text);
  if (split_.has_value()) {
    if (absl::Status done = split_->PreTokenize(text); !done.ok()) return done;
  }
  if (output_ == Output::kAlphabet) WriteInAlphabet(text);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
