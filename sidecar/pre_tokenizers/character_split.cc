#include "pre_tokenizers/character_split.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {

using base::ByteRange;

absl::Status CharacterSplit::PreTokenize(PreTokenizedText& text) const {
  std::vector<ByteRange> cut, matches;
  const std::string_view whole = text.text.text();
  for (const ByteRange& piece : text.pieces) {
    matches.clear();
    for (uint32_t at = piece.begin; at < piece.end;) {
      const auto [code_point, size] = unicode::DecodeAt(whole, at);
      const auto end = static_cast<uint32_t>(at + size);
      if (classifier_.MaskOf(code_point) != 0) {
        matches.push_back({at - piece.begin, end - piece.begin});
      }
      at = end;
    }
    AppendCut(piece, matches, behavior_, /*invert=*/false, cut);
  }
  text.pieces = std::move(cut);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
