// Bpe: `"type": "BPE"`, byte pair encoding, in its byte-level form.
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
  // The pairs that merge, best first, as tokenizer.json writes them (in the byte-level alphabet).
  std::vector<std::pair<std::string, std::string>> merges = {};
  // A piece that is a token as a whole is that token, whatever the merges say.
  bool ignore_merges = false;
  // The token for a byte that the vocabulary lacks. Without it such a byte is dropped.
  std::optional<std::string> unk_token = {};
  // Neighbouring unknown bytes share one unknown token.
  bool fuse_unk = false;
};

// A piece begins as one symbol a byte. The pair of neighbours with the lowest rank, the leftmost of
// equals, merges into one symbol, again and again until no pair is in the merges.
//
// Thread-safe.
class Bpe final : public Model {
 public:
  // INVALID_ARGUMENT, with the place ("merges[17]: ..."), where a merge's parts or result are not
  // in the vocabulary, or unk_token is not.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Bpe>> Create(Vocabulary vocabulary,
                                                                   BpeOptions options);

  // `piece` is plain bytes: " the", not "Ġthe".
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
    base::ByteRange range;
    int32_t previous;  // -1: none
    int32_t next;      // -1: none
    bool is_alive = true;
  };

  explicit Bpe(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

  absl::Status AddMerges(const std::vector<std::pair<std::string, std::string>>& merges);
  [[nodiscard]] const Merge* FindMerge(uint32_t left, uint32_t right) const;
  [[nodiscard]] std::vector<Symbol> ToSymbols(std::string_view piece) const;
  void MergeFew(std::vector<Symbol>& symbols) const;
  void MergeMany(std::vector<Symbol>& symbols) const;

  Vocabulary vocabulary_;
  std::array<std::optional<uint32_t>, 256> byte_ids_;
  absl::flat_hash_map<uint64_t, Merge> merges_;  // by left id << 32 | right id
  base::StringMap<uint32_t> whole_piece_ids_;    // by bytes; only with ignore_merges
  std::optional<uint32_t> unk_id_;
  bool fuse_unk_ = false;
  mutable PieceCache cache_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BPE_H_
