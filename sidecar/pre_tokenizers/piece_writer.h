// PieceWriter: writes the pieces of a text anew, for the pre-tokenizers that change text
// (Metaspace, ByteLevel) and do not only cut it.
#ifndef SIDECAR_PRE_TOKENIZERS_PIECE_WRITER_H_
#define SIDECAR_PRE_TOKENIZERS_PIECE_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pre_tokenizers/pre_tokenizer.h"

namespace triptych::pre_tokenizers {

// Call BeginPiece, then Write or Copy for what the piece holds, and so on; at last Finish.
//
// The text that is read must outlive the writer and must not change until Finish. Not thread-safe.
class PieceWriter {
 public:
  explicit PieceWriter(PreTokenizedText& text) : text_(text) {
    written_.reserve(text.text.text().size());
    origins_.reserve(text.text.text().size());
  }

  // Begins a piece. A piece that stays empty is none.
  void BeginPiece() {
    const auto at = static_cast<uint32_t>(written_.size());
    if (!pieces_.empty() && pieces_.back().begin == at) return;
    pieces_.push_back({at, at});
  }

  // Writes `bytes` in place of the bytes `old` of the text. REQUIRES: `old` is not empty.
  void Write(std::string_view bytes, base::ByteRange old) {
    written_.append(bytes);
    origins_.insert(origins_.end(), bytes.size(), text_.text.OriginOf(old));
    pieces_.back().end = static_cast<uint32_t>(written_.size());
  }

  // Writes the bytes `old` of the text as they are.
  void Copy(base::ByteRange old) {
    written_.append(text_.text.text(), old.begin, old.size());
    for (uint32_t i = old.begin; i < old.end; ++i) {
      origins_.push_back(text_.text.OriginOf({i, i + 1}));
    }
    pieces_.back().end = static_cast<uint32_t>(written_.size());
  }

  // Replaces the text and its pieces by what was written.
  void Finish() {
    if (!pieces_.empty() && pieces_.back().empty()) pieces_.pop_back();
    text_.text.Replace(std::move(written_), std::move(origins_));
    text_.pieces = std::move(pieces_);
  }

 private:
  PreTokenizedText& text_;
  std::string written_;
  std::vector<base::ByteRange> origins_;
  std::vector<base::ByteRange> pieces_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_PIECE_WRITER_H_
