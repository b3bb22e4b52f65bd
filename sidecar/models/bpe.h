// Bpe: `"type": "BPE"`, byte pair encoding.
#ifndef SIDECAR_MODELS_BPE_H_
#define SIDECAR_MODELS_BPE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "models/batch_merger.h"
#include "models/blank_splitter.h"
#include "models/character_ids.h"
#include "models/character_symbols.h"
#include "models/merge_table.h"
#include "models/model.h"
#include "models/symbol_merger.h"
#include "models/vocabulary.h"
#include "models/word_filter.h"
#include "models/word_table.h"

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
  // in the vocabulary, or there are more than MergeTable::MaxSize.
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

  // REQUIRES: `text` is valid UTF-8, though words may be cut in the middle of characters.
  [[nodiscard]] absl::Status AppendIds(std::string_view text, size_t begin,
                                       std::span<const uint32_t> ends,
                                       std::vector<uint32_t>& ids) const override;

  [[nodiscard]] const BlankSplitter* splitter() const override {
    return splitter_.has_value() ? &*splitter_ : nullptr;
  }

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::string_view type() const override { return "BPE"; }

 private:
  // `merges` are the options' by their ids.
  Bpe(Vocabulary vocabulary, BpeOptions options, std::span<const Merge> merges);

  void FillCharacterIds();
  void FindCharacterSymbols(std::span<const Merge> merges);
  void FindCuts();
  void Seed();
  // A token as AppendIds is given it, where it can be.
  [[nodiscard]] std::optional<std::string> WordOf(std::string_view token) const;

  // The tokens of a piece, merged. `is_no_token` says that it is known to be none as a whole.
  absl::StatusOr<Symbols> SymbolsOf(std::string_view piece, bool is_no_token = false) const;
  // What is to merge: one symbol for each character, or one for a piece that is a token anyway.
  absl::Status AppendUnmerged(std::string_view piece, bool is_no_token, Symbols& symbols) const;
  absl::Status AppendCharacters(std::string_view piece, Symbols& symbols) const;
  // The piece as a whole, where ignore_merges says so and it is a token.
  [[nodiscard]] std::optional<Symbol> WholeToken(std::string_view piece) const;
  // The symbols that a word of AppendIds may begin as; false where there are too many, or a
  // character is unknown. (Some tokens of the byte form are no part of any text; of these the ids
  // are wrong, and never asked for.)
  bool FindSymbols(std::string_view word, ShortWord& out) const;
  bool FindCharacters(std::string_view word, ShortWord& out) const;  // in the character form
  bool FindBytes(std::string_view word, ShortWord& out) const;       // in the byte form
  [[nodiscard]] bool has_affixes() const {
    return !options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty();
  }
  // Puts the characters up to the first that the vocabulary lacks into `symbols`, which is empty;
  // returns its place. `blank` is the id of a " ".
  size_t AppendKnown(std::string_view piece, uint32_t blank, Symbols& symbols) const;
  struct Character {
    uint32_t id;  // or CharacterIds::kNone
    size_t size;
  };
  [[nodiscard]] Character CharacterAt(std::string_view piece, size_t at) const;
  // Of the character with this first byte, which has `size` bytes, as tokens are written.
  [[nodiscard]] uint32_t WrittenSize(char first, size_t size) const;
  // A character as tokens are written; `buffer` holds it where it differs.
  std::string_view Written(std::string_view character, std::string& buffer) const;
  [[nodiscard]] std::string Spelled(std::string_view character, bool is_first, bool is_last) const;
  // Appends the tokens of the bytes of `spelled`; false where the vocabulary lacks one of them.
  bool AppendBytes(std::string_view spelled, Symbols& symbols) const;
  absl::Status AddUnknown(uint32_t written_size, std::optional<Symbol>& pending,
                          Symbols& symbols) const;
  void AppendTokens(std::string_view piece, uint32_t offset, const Symbols& symbols,
                    std::vector<Token>& out) const;

  // AppendUnmerged for a word of AppendIds, whose blanks are " " where there is a splitter.
  absl::Status AppendWord(std::string_view word, bool is_no_token, Symbols& symbols) const;
  // One call of AppendIds (bpe_words.cc).
  class Words;
  [[nodiscard]] std::shared_ptr<WordTable> words() const;

  Vocabulary vocabulary_;
  BpeOptions options_;  // without merges
  MergeTable merges_;
  mutable MergeMemory memory_;
  std::array<uint32_t, 256> byte_ids_;  // of each byte, or ASCII character; else kNone
  CharacterIds characters_;             // in the character form
  CharacterSymbols character_symbols_;  // in the byte form
  uint32_t blank_id_ = 0;               // of "▁", where there is a splitter
  std::array<std::optional<uint32_t>, 256> fallback_ids_;  // of "<0x00>" to "<0xFF>"
  std::optional<uint32_t> unk_id_;
  std::optional<BlankSplitter> splitter_;
  WordFilter long_tokens_;  // where ignore_merges: those that are words too long to be seeded
  // Taken by every call. Not absl's, which Debian builds with a search for deadlocks: 40 ns.
  mutable std::mutex words_mutex_;
  mutable std::shared_ptr<WordTable> words_;  // guarded by words_mutex_
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BPE_H_
