// Unigram: `"type": "Unigram"`, the model of SentencePiece that knows how likely each token is.
#ifndef SIDECAR_MODELS_UNIGRAM_H_
#define SIDECAR_MODELS_UNIGRAM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model.h"
#include "models/token_trie.h"
#include "models/vocabulary.h"

namespace triptych::models {

struct UnigramOptions {
  // The logarithm of how likely each token is, by id. REQUIRES: one for each token, finite.
  std::vector<double> scores = {};
  // The token for what the vocabulary lacks. Without it such a text is an error.
  std::optional<uint32_t> unk_id = {};
  // Unknown text becomes one token for each of its UTF-8 bytes ("<0xE2>"), where the vocabulary has
  // all of them.
  bool byte_fallback = false;
};

// Of all the ways to cut a piece into tokens, takes the one whose scores have the highest sum.
//
// A character that no token covers alone may be unknown, at 10 less than the lowest score of the
// vocabulary. Unknown neighbours are one unknown token; should their text be a token after all, it
// is that token. Of equals, the way wins whose last token begins first; sums are made from the left
// in 64 bits. All that is as `tokenizers` does it.
//
// Thread-safe.
class Unigram final : public Model {
 public:
  // INVALID_ARGUMENT where unk_id is not the id of a token. REQUIRES: the vocabulary has no gaps.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Unigram>> Create(Vocabulary vocabulary,
                                                                       UnigramOptions options);

  // REQUIRES: valid UTF-8. Time linear in the piece, times the longest token. The tokens of
  // byte_fallback all have the range of the unknown text. INVALID_ARGUMENT where unk_id is needed
  // and there is none.
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::string_view type() const override { return "Unigram"; }

 private:
  // The best way to cut what is in front of some byte, by its last token.
  struct Path {
    static constexpr uint32_t kNone = UINT32_MAX;

    double score = 0;
    uint32_t begin = kNone;  // of the last token; kNone: no way leads here
    uint32_t id = 0;
  };

  Unigram(Vocabulary vocabulary, UnigramOptions options);

  absl::Status FindPaths(std::string_view piece, std::vector<Path>& paths) const;
  // Appends the tokens of one token of the best path, or of a run of unknown ones.
  void Append(std::string_view piece, Token token, std::vector<Token>& out) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;  // by id
  TokenTrie trie_;
  std::optional<uint32_t> unk_id_;
  double unk_score_;
  // The ids of "<0x00>" to "<0xFF>"; all nothing without byte_fallback.
  std::array<std::optional<uint32_t>, 256> byte_ids_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_UNIGRAM_H_
