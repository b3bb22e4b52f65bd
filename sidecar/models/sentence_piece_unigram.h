// SentencePieceUnigram: the Unigram model as SentencePiece does it.
//
// Of all ways to cut a text into pieces, the one with the highest sum of scores. Sums are floats,
// and are set back to zero where they become large, at the same places as in SentencePiece 0.2.3:
// rounding decides between ways whose sums would be equal ("aaa" as "a" "aa" or "aa" "a"), which is
// also why tokenizer.json's Unigram, with 64 bits, does not always give the same ids.
#ifndef SIDECAR_MODELS_SENTENCE_PIECE_UNIGRAM_H_
#define SIDECAR_MODELS_SENTENCE_PIECE_UNIGRAM_H_

#include <string_view>
#include <vector>

#include "models/model.h"
#include "models/sentence_pieces.h"

namespace triptych::models {

// Thread-safe.
class SentencePieceUnigram final : public Model {
 public:
  explicit SentencePieceUnigram(SentencePieces pieces);

  // `piece` is a whole text, normalized. REQUIRES: valid UTF-8. Time O(n) times the size of the
  // longest piece.
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return pieces_.vocabulary(); }
  [[nodiscard]] std::string_view type() const override { return "Unigram"; }

 private:
  SentencePieces pieces_;
  float unknown_score_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SENTENCE_PIECE_UNIGRAM_H_
