#include <string>
#include <utility>

#include "base/str_cat.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "models/bpe.h"
#include "models/vocabulary.h"

namespace triptych::loader {
namespace {

// "a b" or ["a", "b"].
absl::StatusOr<std::pair<std::string, std::string>> ParseMerge(const JsonNode& node) {
  if (node.is_string()) {
    ASSIGN_OR_RETURN(const std::string both, node.String());
    const size_t space = both.find(' ');
    if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos) {
      return node.Error(base::StrCat("\"", both, "\" is not two tokens with a space between"));
    }
    return std::pair(both.substr(0, space), both.substr(space + 1));
  }
  ASSIGN_OR_RETURN(const std::vector<JsonNode> parts, node.Array());
  if (parts.size() != 2)
    return node.Error(base::StrCat("has ", parts.size(), " tokens instead of 2"));
  ASSIGN_OR_RETURN(std::string left, parts[0].String());
  ASSIGN_OR_RETURN(std::string right, parts[1].String());
  return std::pair(std::move(left), std::move(right));
}

absl::StatusOr<models::Vocabulary> ParseVocabulary(const JsonNode& node) {
  ASSIGN_OR_RETURN(const auto* object, node.Object());
  std::vector<std::pair<std::string, uint32_t>> entries;
  entries.reserve(object->size());
  for (const auto& [token, id] : *object) {
    ASSIGN_OR_RETURN(const uint32_t number,
                     JsonNode(&id, base::StrCat(node.path(), ".", token)).Id());
    entries.emplace_back(token, number);
  }
  auto vocabulary = models::Vocabulary::Create(std::move(entries));
  if (!vocabulary.ok()) return node.Error(base::MessageOf(vocabulary.status()));
  return vocabulary;
}

// Options of BPE that would change ids and that we do not have.
absl::Status RefuseOtherBpeForms(const JsonNode& node) {
  if (!node["dropout"].is_null()) return node["dropout"].Unsupported("null");
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (node[key].is_null()) continue;
    ASSIGN_OR_RETURN(const std::string affix, node[key].String());
    if (!affix.empty()) return node[key].Unsupported("null, \"\"");
  }
  ASSIGN_OR_RETURN(const bool byte_fallback, node["byte_fallback"].BoolOr(false));
  return byte_fallback ? node["byte_fallback"].Unsupported("false") : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<models::Model>> ParseModel(const JsonNode& node) {
  // Files from before `type` existed have BPE's members without it; `tokenizers` reads them as BPE.
  if (!node["type"].is_null() || node["merges"].is_null()) {
    ASSIGN_OR_RETURN(const std::string type, node["type"].String());
    if (type != "BPE") return node["type"].Unsupported("BPE");
  }
  RETURN_IF_ERROR(node.ExpectOnly({"type", "dropout", "unk_token", "continuing_subword_prefix",
                                   "end_of_word_suffix", "fuse_unk", "byte_fallback",
                                   "ignore_merges", "vocab", "merges"}));
  RETURN_IF_ERROR(RefuseOtherBpeForms(node));
  models::BpeOptions options;
  ASSIGN_OR_RETURN(options.fuse_unk, node["fuse_unk"].BoolOr(false));
  ASSIGN_OR_RETURN(options.ignore_merges, node["ignore_merges"].BoolOr(false));
  if (!node["unk_token"].is_null()) {
    ASSIGN_OR_RETURN(options.unk_token, node["unk_token"].String());
  }
  ASSIGN_OR_RETURN(models::Vocabulary vocabulary, ParseVocabulary(node["vocab"]));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> merges, node["merges"].Array());
  options.merges.reserve(merges.size());
  for (const JsonNode& merge : merges) {
    ASSIGN_OR_RETURN(auto pair, ParseMerge(merge));
    options.merges.push_back(std::move(pair));
  }
  auto bpe = models::Bpe::Create(std::move(vocabulary), std::move(options));
  if (!bpe.ok()) return Below(node, bpe.status());
  return std::unique_ptr<models::Model>(*std::move(bpe));
}

}  // namespace triptych::loader
