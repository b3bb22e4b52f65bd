#include "models/vocabulary.h"

#include "absl/status/status.h"
#include "base/str_cat.h"

namespace triptych::models {

absl::StatusOr<Vocabulary> Vocabulary::Create(
    std::vector<std::pair<std::string, uint32_t>> entries) {
  Vocabulary vocabulary;
  vocabulary.ids_.reserve(entries.size());
  for (auto& [token, id] : entries) {
    if (id > kMaxId) {
      return absl::InvalidArgumentError(base::StrCat("the id of \"", token, "\" is ", id,
                                                     ", above the highest allowed, ", kMaxId));
    }
    if (id >= vocabulary.tokens_.size()) vocabulary.tokens_.resize(id + 1);
    if (vocabulary.tokens_[id].has_value()) {
      return absl::InvalidArgumentError(base::StrCat("\"", *vocabulary.tokens_[id], "\" and \"",
                                                     token, "\" have the same id, ", id));
    }
    vocabulary.ids_[token] = id;
    vocabulary.tokens_[id] = std::move(token);
  }
  return vocabulary;
}

std::optional<uint32_t> Vocabulary::IdOf(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Vocabulary::TokenOf(uint32_t id) const {
  if (id >= tokens_.size() || !tokens_[id].has_value()) return std::nullopt;
  return *tokens_[id];
}

}  // namespace triptych::models
