#include <string>
#include <utility>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "models/vocabulary.h"

namespace triptych::loader {

absl::StatusOr<std::vector<tokenizer::AddedToken>> ParseAddedTokens(const JsonNode& node) {
  std::vector<tokenizer::AddedToken> tokens;
  if (node.is_absent()) return tokens;
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, node.Array());
  for (const JsonNode& item : items) {
    RETURN_IF_ERROR(item.ExpectOnly(
        {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
    tokenizer::AddedToken token;
    ASSIGN_OR_RETURN(token.id, item["id"].Id());
    if (token.id > models::Vocabulary::kMaxId) return item["id"].Error("the id is too high");
    ASSIGN_OR_RETURN(token.content, item["content"].String());
    ASSIGN_OR_RETURN(token.single_word, item["single_word"].Bool());
    ASSIGN_OR_RETURN(token.lstrip, item["lstrip"].Bool());
    ASSIGN_OR_RETURN(token.rstrip, item["rstrip"].Bool());
    ASSIGN_OR_RETURN(token.normalized, item["normalized"].Bool());
    ASSIGN_OR_RETURN(token.special, item["special"].Bool());
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace triptych::loader
