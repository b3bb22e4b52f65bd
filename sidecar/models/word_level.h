// WordLevel: `"type": "WordLevel"`, one token a piece.
#ifndef SIDECAR_MODELS_WORD_LEVEL_H_
#define SIDECAR_MODELS_WORD_LEVEL_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/model.h"
#include "models/vocabulary.h"

namespace triptych::models {

// A piece is the token that is written so, or else the unknown token.
//
// Thread-safe.
class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string unk_token)
      : vocabulary_(std::move(vocabulary)), unk_token_(std::move(unk_token)) {}

  // INVALID_ARGUMENT where unk_token is needed and the vocabulary lacks it.
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::string_view type() const override { return "WordLevel"; }

 private:
  Vocabulary vocabulary_;
  std::string unk_token_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_WORD_LEVEL_H_
