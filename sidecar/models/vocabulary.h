// Vocabulary: the tokens of a model and their ids, as tokenizer.json writes them.
//
// A vocabulary has up to a million tokens of a few bytes each, so they do not each have a string of
// their own: all lie in one arena, one after the other, and the hash table holds ids only. That is
// some 16 bytes a token beside its own.
#ifndef SIDECAR_MODELS_VOCABULARY_H_
#define SIDECAR_MODELS_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace triptych::models {

class VocabularyBuilder;

// Immutable after Create, so safe to share between threads.
class Vocabulary {
 public:
  // Ids above this are refused: tables of all ids are kept, and a hostile file could ask for 4
  // billion. The largest in use have about a million.
  static constexpr uint32_t kMaxId = (1u << 22) - 2;

  // See VocabularyBuilder, which has the same failures.
  [[nodiscard]] static absl::StatusOr<Vocabulary> Create(
      const std::vector<std::pair<std::string, uint32_t>>& entries);

  [[nodiscard]] std::optional<uint32_t> IdOf(std::string_view token) const;

  // The token with the id, or nothing. The view lives as long as this vocabulary, moved or not.
  [[nodiscard]] std::optional<std::string_view> TokenOf(uint32_t id) const;

  // The number of tokens. Ids need not be below it: there may be gaps.
  [[nodiscard]] size_t size() const { return size_; }

  // The bytes of the longest token.
  [[nodiscard]] size_t longest() const { return longest_; }

  // One more than the highest id; 0 where there is no token.
  [[nodiscard]] size_t id_limit() const { return spans_.size(); }

 private:
  friend class VocabularyBuilder;

  // Where a token lies in arena_.
  struct Span {
    static constexpr uint32_t kMissing = UINT32_MAX;

    uint32_t begin = 0;
    uint32_t size = kMissing;
  };

  Vocabulary() = default;

  // The place of `token` in slots_, or the empty one where it would be.
  [[nodiscard]] size_t SlotOf(std::string_view token, uint64_t hash) const;

  std::vector<char> arena_;
  std::vector<Span> spans_;  // by id
  // Open addressing, at most half full: an id, and beside it eight bits of its token's hash, which
  // spare most looks at the arena.
  std::vector<uint32_t> slots_;
  size_t size_ = 0;
  size_t longest_ = 0;
};

// Takes the tokens one by one, without a string for each.
class VocabularyBuilder {
 public:
  void Reserve(size_t tokens) { entries_.reserve(tokens); }

  // A token that was added before gets the new id. INVALID_ARGUMENT where the id is above kMaxId,
  // or all tokens together have 4 GiB.
  [[nodiscard]] absl::Status Add(std::string_view token, uint32_t id);

  // INVALID_ARGUMENT where two tokens have the same id: in `tokenizers` it is then chance which of
  // them the id decodes to. Ids may have gaps. The builder is empty after it.
  [[nodiscard]] absl::StatusOr<Vocabulary> Build();

 private:
  struct Entry {
    uint32_t begin;
    uint32_t size;
    uint32_t id;
  };

  std::vector<char> arena_;
  std::vector<Entry> entries_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_VOCABULARY_H_
