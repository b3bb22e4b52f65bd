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
    ASSIGN_OR_RETURN(const std::string_view both, node.StringView());
    const size_t space = both.find(' ');
    if (space == std::string_view::npos || both.find(' ', space + 1) != std::string_view::npos) {
      return node.Error(base::StrCat("\"", both, "\" is not two tokens with a space between"));
    }
    return std::pair(std::string(both.substr(0, space)), std::string(both.substr(space + 1)));
  }
  std::pair<std::string, std::string> parts;
  size_t size = 0;
  RETURN_IF_ERROR(node.ForEachElement([&](const JsonNode& part) {
    const absl::StatusOr<std::string_view> token = part.StringView();
    if (token.ok()) (size++ == 0 ? parts.first : parts.second) = *token;
    return token.status();
  }));
  if (size != 2) return node.Error(base::StrCat("has ", size, " tokens instead of 2"));
  return parts;
}

absl::StatusOr<models::Vocabulary> ParseVocabulary(const JsonNode& node) {
  models::VocabularyBuilder builder;
  RETURN_IF_ERROR(node.ForEachMember([&](std::string_view token, const JsonNode& id) {
    const absl::StatusOr<uint32_t> number = id.Id();
    if (!number.ok()) return number.status();
    const absl::Status added = builder.Add(token, *number);
    return added.ok() ? added : node.Error(base::MessageOf(added));
  }));
  auto vocabulary = builder.Build();
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
  RETURN_IF_ERROR(node["merges"].ForEachElement([&](const JsonNode& merge) {
    auto pair = ParseMerge(merge);
    if (pair.ok()) options.merges.push_back(*std::move(pair));
    return pair.status();
  }));
  auto bpe = models::Bpe::Create(std::move(vocabulary), std::move(options));
  if (!bpe.ok()) return Below(node, bpe.status());
  return std::unique_ptr<models::Model>(*std::move(bpe));
}

}  // namespace triptych::loader
