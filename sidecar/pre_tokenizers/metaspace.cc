#include "pre_tokenizers/metaspace.h"

#include <cstdint>
#include <string_view>

#include "pre_tokenizers/piece_writer.h"
#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {

using base::ByteRange;

Metaspace::Metaspace(char32_t replacement, PrependScheme prepend_scheme, bool split)
    : prepend_scheme_(prepend_scheme), split_(split) {
  unicode::AppendUtf8(replacement, replacement_);
}

bool Metaspace::Prepends(const PreTokenizedText& text, ByteRange piece) const {
  const std::string_view rest = std::string_view(text.text.text()).substr(piece.begin);
  if (rest.starts_with(' ') || rest.starts_with(replacement_)) return false;
  if (prepend_scheme_ == PrependScheme::kFirst) return text.text.OriginOf(piece).begin == 0;
  return prepend_scheme_ == PrependScheme::kAlways;
}

absl::Status Metaspace::PreTokenize(PreTokenizedText& text) const {
  const std::string_view whole = text.text.text();
  const auto size_at = [&](uint32_t at) {
    return static_cast<uint32_t>(unicode::DecodeAt(whole, at).size);
  };
  PieceWriter writer(text);
  for (const ByteRange& piece : text.pieces) {
    writer.BeginPiece();
    if (Prepends(text, piece)) {
      writer.Write(replacement_, {piece.begin, piece.begin + size_at(piece.begin)});
    }
    for (uint32_t at = piece.begin; at < piece.end;) {
      const ByteRange character{at, at + size_at(at)};
      const bool is_space = whole[at] == ' ';
      if (split_ && (is_space || whole.substr(at).starts_with(replacement_))) writer.BeginPiece();
      if (is_space) {
        writer.Write(replacement_, character);
      } else {
        writer.Copy(character);
      }
      at = character.end;
    }
  }
  writer.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
