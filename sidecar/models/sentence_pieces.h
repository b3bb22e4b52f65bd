// SentencePieces: the pieces of a SentencePiece model, which its two algorithms share.
#ifndef SIDECAR_MODELS_SENTENCE_PIECES_H_
#define SIDECAR_MODELS_SENTENCE_PIECES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model.h"
#include "models/vocabulary.h"
#include "unicode/prefix_trie.h"

namespace triptych::models {

struct SentencePiece {
  // The numbers are those of the file.
  enum class Type : uint8_t {
    kNormal = 1,
    kUnknown = 2,      // what is no other piece; exactly one
    kControl = 3,      // never made of text
    kUserDefined = 4,  // always a piece of its own
    kUnused = 5,       // made of text, but then taken apart again
    kByte = 6,         // "<0x0A>": a byte of a character that is no piece
  };

  std::string text;
  float score = 0;
  Type type = Type::kNormal;
};

// Immutable after Create, so safe to share between threads.
class SentencePieces {
 public:
  // Longer pieces are refused: the work at each place of a text grows with the longest.
  static constexpr size_t kMaxPieceBytes = 1024;

  // The id of a piece is its place. INVALID_ARGUMENT ("pieces[3]: ...") where a piece is empty, not
  // UTF-8, too long or listed twice, there is not exactly one unknown piece, or byte pieces are
  // there without `byte_fallback` or not all there with it.
  [[nodiscard]] static absl::StatusOr<SentencePieces> Create(
      const std::vector<SentencePiece>& pieces, bool byte_fallback);

  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }
  [[nodiscard]] SentencePiece::Type type(uint32_t id) const { return types_[id]; }
  [[nodiscard]] float score(uint32_t id) const { return scores_[id]; }
  [[nodiscard]] uint32_t unknown_id() const { return unknown_id_; }
  // Those that are made of text: normal, user-defined and unused.
  [[nodiscard]] const unicode::PrefixTrie& text_pieces() const { return text_pieces_; }
  [[nodiscard]] const unicode::PrefixTrie& user_defined() const { return user_defined_; }

  // Appends the token for a part of a piece. What is unknown becomes a token for each of its bytes
  // with byte fallback, and joins the unknown token in front of it otherwise.
  // `text` is what `token` stands for. `first` is the size of `out` when its text began.
  void Append(const Token& token, std::string_view text, size_t first,
              std::vector<Token>& out) const;

 private:
  SentencePieces() = default;

  absl::Status Add(const SentencePiece& piece, bool byte_fallback, VocabularyBuilder& builder);
  absl::Status Check(bool byte_fallback) const;

  static constexpr uint32_t kNone = UINT32_MAX;

  std::vector<SentencePiece::Type> types_;  // by id
  std::vector<float> scores_;               // by id
  std::array<uint32_t, 256> byte_ids_;
  uint32_t unknown_id_ = kNone;
  bool byte_fallback_ = false;
  Vocabulary vocabulary_ = *VocabularyBuilder().Build();
  unicode::PrefixTrie text_pieces_;
  unicode::PrefixTrie user_defined_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SENTENCE_PIECES_H_
