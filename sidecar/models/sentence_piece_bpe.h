// SentencePieceBpe: byte pair encoding as SentencePiece does it.
//
// Two neighbours merge where they are a piece together, the one with the highest score first, the
// leftmost of equals. tokenizer.json's BPE ranks pairs instead, each with a rank of its own, so it
// cannot say that two pieces have the same score, and real models have such (the runs of spaces in
// Llama's and Mistral's). Nor does it know user-defined pieces, which never merge, or unused ones.
#ifndef SIDECAR_MODELS_SENTENCE_PIECE_BPE_H_
#define SIDECAR_MODELS_SENTENCE_PIECE_BPE_H_

#include <string_view>
#include <utility>
#include <vector>

#include "models/model.h"
#include "models/sentence_pieces.h"

namespace triptych::models {

// Thread-safe.
class SentencePieceBpe final : public Model {
 public:
  explicit SentencePieceBpe(SentencePieces pieces) : pieces_(std::move(pieces)) {}

  // `piece` is a whole text, normalized. REQUIRES: valid UTF-8. Time O(n log n).
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return pieces_.vocabulary(); }
  [[nodiscard]] std::string_view type() const override { return "BPE"; }

 private:
  SentencePieces pieces_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SENTENCE_PIECE_BPE_H_
