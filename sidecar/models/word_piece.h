// WordPiece: `"type": "WordPiece"`, the model of BERT.
#ifndef SIDECAR_MODELS_WORD_PIECE_H_
#define SIDECAR_MODELS_WORD_PIECE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/model.h"
#include "models/token_trie.h"
#include "models/vocabulary.h"

namespace triptych::models {

struct WordPieceOptions {
  std::string unk_token;
  // Tokens that do not begin a word are written with it ("##ing").
  std::string continuing_subword_prefix;
  // A word of more characters is unknown.
  uint64_t max_input_chars_per_word;
};

// From left to right, takes the longest token that the rest of the word begins with. Where there is
// none the whole word is the unknown token.
//
// Thread-safe.
class WordPiece final : public Model {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options);

  // REQUIRES: valid UTF-8. Time linear in the piece, times the longest token. INVALID_ARGUMENT
  // where unk_token is needed and the vocabulary lacks it.
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::string_view type() const override { return "WordPiece"; }

 private:
  Vocabulary vocabulary_;
  WordPieceOptions options_;
  TokenTrie beginnings_;
  TokenTrie continuations_;  // without the prefix
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_WORD_PIECE_H_
