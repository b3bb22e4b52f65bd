// Bpe: `"type": "BPE"`, byte pair encoding.
#ifndef SIDECAR_MODELS_BPE_H_
#define SIDECAR_MODELS_BPE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/string_map.h"
#include "models/model.h"
#include "models/piece_cache.h"
#include "models/vocabulary.h"

namespace triptych::models {

struct BpeOptions {
  // The pairs that merge, best first, as tokenizer.json writes them.
  std::vector<std::pair<std::string, std::string>> merges = {};
  // Which of the two forms: see Bpe.
  bool is_byte_level = true;
  // A piece that is a token as a whole is that token, whatever the merges say.
  bool ignore_merges = false;
  // The token for a character that the vocabulary lacks. Without it such a character is dropped.
  std::optional<std::string> unk_token = {};
  // Neighbouring unknown characters share one unknown token.
  bool fuse_unk = false;
  // A character that the vocabulary lacks becomes one token for each of its UTF-8 bytes ("<0xE2>"),
  // where the vocabulary has all of them; only otherwise is it unknown.
  bool byte_fallback = false;
  // Written in front of each character of a piece but the first ("##"), and behind the last
  // ("</w>"), before it is looked up. Empty: none.
  std::string continuing_subword_prefix = {};
  std::string end_of_word_suffix = {};
};

// A piece begins as one symbol a character. The pair of neighbours with the lowest rank, the
// leftmost of equals, merges into one symbol, again and again until no pair is in the merges.
//
// There are two forms. In the byte form a pre-tokenizer left bytes: pieces are plain bytes (" the",
// not "Ġthe"), a character is a byte, and vocabulary and merges, which are in the byte-level
// alphabet, are translated. In the character form, a piece is text as tokens are written and a
// character is a code point. All that the options speak of is as tokenizer.json writes it: with
// byte_fallback, a space that a byte-level vocabulary lacks is the two bytes of "Ġ".
//
// Thread-safe.
class Bpe final : public Model {
 public:
  // INVALID_ARGUMENT, with the place ("merges[17]: ..."), where a merge's parts or result are not
  // in the vocabulary.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Bpe>> Create(Vocabulary vocabulary,
                                                                   BpeOptions options);

  // REQUIRES: in the character form, valid UTF-8.
  //
  // Ranges are those of `tokenizers`, which adds up the sizes of a piece's tokens: where characters
  // were dropped, tokens behind them lie too far in front; an unknown token whose byte_fallback
  // neighbour overtook it changes places with it. INVALID_ARGUMENT where unk_token is needed and
  // the vocabulary lacks it.
  [[nodiscard]] absl::Status Tokenize(std::string_view piece,
                                      std::vector<Token>& out) const override;

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::string_view type() const override { return "BPE"; }

 private:
  struct Merge {
    uint32_t rank;
    uint32_t id;  // of the token that the pair becomes
  };

  // A part of a piece that is one token so far. Symbols form a linked list inside a vector.
  struct Symbol {
    uint32_t id;
    uint32_t written_size;  // of the text it stands for, as tokens are written
    int32_t previous = -1;  // -1: none
    int32_t next = -1;      // -1: none
    bool is_alive = true;
  };

  Bpe(Vocabulary vocabulary, BpeOptions options)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {}

  absl::Status AddMerges();
  void FillByteIds();
  void FillWholePieces();
  [[nodiscard]] const Merge* FindMerge(uint32_t left, uint32_t right) const;
  [[nodiscard]] std::optional<uint32_t> WholePiece(std::string_view piece) const;

  // The symbols before any merge.
  absl::StatusOr<std::vector<Symbol>> ToSymbols(std::string_view piece) const;
  [[nodiscard]] std::string Spelled(std::string_view character, bool is_first, bool is_last) const;
  // Appends the tokens of the bytes of `spelled`; false where the vocabulary lacks one of them.
  bool AppendBytes(std::string_view spelled, std::vector<Symbol>& symbols) const;
  absl::Status AddUnknown(uint32_t written_size, std::optional<Symbol>& pending,
                          std::vector<Symbol>& symbols) const;

  void MergeFew(std::vector<Symbol>& symbols) const;
  void MergeMany(std::vector<Symbol>& symbols) const;
  [[nodiscard]] std::vector<Token> ToTokens(std::string_view piece,
                                            const std::vector<Symbol>& symbols) const;

  Vocabulary vocabulary_;
  BpeOptions options_;                                     // without merges
  absl::flat_hash_map<uint64_t, Merge> merges_;            // by left id << 32 | right id
  bool merges_grow_ = true;                                // see MergeFew
  std::array<std::optional<uint32_t>, 256> byte_ids_;      // byte form: of each byte's character
  std::array<uint8_t, 256> written_sizes_ = {};            // byte form: of each byte's character
  std::array<std::optional<uint32_t>, 256> fallback_ids_;  // of "<0x00>" to "<0xFF>"
  base::StringMap<uint32_t> whole_piece_ids_;              // byte form with ignore_merges: by bytes
  std::optional<uint32_t> unk_id_;
  mutable PieceCache cache_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BPE_H_
