// Vocabulary: the tokens of a model and their ids, as tokenizer.json writes them.
#ifndef SIDECAR_MODELS_VOCABULARY_H_
#define SIDECAR_MODELS_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/string_map.h"

namespace triptych::models {

// Immutable after Create, so safe to share between threads.
class Vocabulary {
 public:
  // Ids above this are refused: a table of all ids is kept, and a hostile file could ask for 4
  // billion.
  static constexpr uint32_t kMaxId = (1u << 24) - 1;

  // INVALID_ARGUMENT where an id is above kMaxId or two tokens have the same id. Ids may have gaps.
  [[nodiscard]] static absl::StatusOr<Vocabulary> Create(
      std::vector<std::pair<std::string, uint32_t>> entries);

  [[nodiscard]] std::optional<uint32_t> IdOf(std::string_view token) const;

  // The token with the id, or nothing. The view lives as long as this vocabulary.
  [[nodiscard]] std::optional<std::string_view> TokenOf(uint32_t id) const;

  // The number of tokens. Ids need not be below it: there may be gaps.
  [[nodiscard]] size_t size() const { return ids_.size(); }

  // One more than the highest id; 0 where there is no token.
  [[nodiscard]] size_t id_limit() const { return tokens_.size(); }

 private:
  Vocabulary() = default;

  std::vector<std::optional<std::string>> tokens_;  // by id
  base::StringMap<uint32_t> ids_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_VOCABULARY_H_
