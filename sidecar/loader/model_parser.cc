#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "loader/serde_float.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "models/bpe.h"
#include "models/unigram.h"
#include "models/vocabulary.h"
#include "models/word_level.h"
#include "models/word_piece.h"

namespace triptych::loader {
namespace {

// Whether the object has the member, if only as null.
bool IsThere(const JsonNode& node, std::string_view key) {
  bool is_there = false;
  const absl::Status ignored = node.ForEachMember([&](std::string_view name, const JsonNode&) {
    is_there = is_there || name == key;
    return absl::OkStatus();
  });
  return is_there && ignored.ok();
}

// The first line of a merges.txt, which old files carry along. `tokenizers` skips it anywhere.
bool IsVersionLine(const JsonNode& node) {
  const auto line = node.StringView();
  return line.ok() && line->starts_with("#version");
}

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
  builder.Reserve(node.size());
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

// The string, or "" where it is absent or null.
absl::StatusOr<std::string> StringOrNone(const JsonNode& node) {
  return node.is_null() ? absl::StatusOr<std::string>("") : node.String();
}

// Dropout makes an encoding a matter of chance. `tokenizers` reads 0 as none,
// and reads in 32 bits.
absl::Status ExpectNoDropout(const JsonNode& node) {
  if (node.is_null()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const double dropout, node.Number());
  return static_cast<float>(dropout) == 0 ? absl::OkStatus() : node.Unsupported("null, 0");
}

// All merges are strings, or all are pairs.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseMerges(const JsonNode& node) {
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(node.size());
  std::optional<bool> are_strings;
  RETURN_IF_ERROR(node.ForEachElement([&](const JsonNode& item) -> absl::Status {
    if (are_strings.value_or(item.is_string()) != item.is_string()) {
      return item.Error("strings and pairs are mixed; write all merges in the same way");
    }
    are_strings = item.is_string();
    if (IsVersionLine(item)) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto merge, ParseMerge(item));
    merges.push_back(std::move(merge));
    return absl::OkStatus();
  }));
  return merges;
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseBpe(const JsonNode& node,
                                                        const ModelContext& context) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "dropout", "unk_token", "continuing_subword_prefix",
                                   "end_of_word_suffix", "fuse_unk", "byte_fallback",
                                   "ignore_merges", "vocab", "merges"}));
  RETURN_IF_ERROR(ExpectNoDropout(node["dropout"]));
  models::BpeOptions options;
  options.is_byte_level = context.is_byte_level;
  ASSIGN_OR_RETURN(options.fuse_unk, node["fuse_unk"].BoolOr(false));
  ASSIGN_OR_RETURN(options.ignore_merges, node["ignore_merges"].BoolOr(false));
  ASSIGN_OR_RETURN(options.byte_fallback, node["byte_fallback"].BoolOr(false));
  ASSIGN_OR_RETURN(options.continuing_subword_prefix,
                   StringOrNone(node["continuing_subword_prefix"]));
  ASSIGN_OR_RETURN(options.end_of_word_suffix, StringOrNone(node["end_of_word_suffix"]));
  if (!node["unk_token"].is_null()) {
    ASSIGN_OR_RETURN(options.unk_token, node["unk_token"].String());
  }
  ASSIGN_OR_RETURN(models::Vocabulary vocabulary, ParseVocabulary(node["vocab"]));
  ASSIGN_OR_RETURN(options.merges, ParseMerges(node["merges"]));
  auto bpe = models::Bpe::Create(std::move(vocabulary), std::move(options));
  if (!bpe.ok()) return Below(node, bpe.status());
  return std::unique_ptr<models::Model>(*std::move(bpe));
}

absl::Status ParseUnigramToken(const JsonNode& node, uint32_t id,
                               models::VocabularyBuilder& builder, std::vector<double>& scores) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> parts, node.Array());
  if (parts.size() != 2) {
    return node.Error(
        base::StrCat("has ", parts.size(), " members instead of a token and a score"));
  }
  ASSIGN_OR_RETURN(const std::string_view token, parts[0].StringView());
  ASSIGN_OR_RETURN(const double score, parts[1].Number());
  scores.push_back(SerdeFloat(score));
  const absl::Status added = builder.Add(token, id);
  return added.ok() ? added : node.Error(base::MessageOf(added));
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseUnigram(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "unk_id", "vocab", "byte_fallback"}));
  models::UnigramOptions options;
  models::VocabularyBuilder builder;
  uint32_t count = 0;
  RETURN_IF_ERROR(node["vocab"].ForEachElement([&](const JsonNode& item) {
    return ParseUnigramToken(item, count++, builder, options.scores);
  }));
  auto vocabulary = builder.Build();
  if (!vocabulary.ok()) return node["vocab"].Error(base::MessageOf(vocabulary.status()));
  if (vocabulary->size() != count) {
    return node["vocab"].Error("has a token twice; remove one of the two");
  }
  if (!node["unk_id"].is_null()) {
    ASSIGN_OR_RETURN(options.unk_id, node["unk_id"].Id());
  }
  if (IsThere(node, "byte_fallback")) {
    ASSIGN_OR_RETURN(options.byte_fallback, node["byte_fallback"].Bool());
  }
  auto unigram = models::Unigram::Create(*std::move(vocabulary), std::move(options));
  if (!unigram.ok()) return Below(node, unigram.status());
  return std::unique_ptr<models::Model>(*std::move(unigram));
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseWordPiece(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  models::WordPieceOptions options;
  ASSIGN_OR_RETURN(options.unk_token, node["unk_token"].String());
  ASSIGN_OR_RETURN(options.continuing_subword_prefix, node["continuing_subword_prefix"].String());
  ASSIGN_OR_RETURN(options.max_input_chars_per_word, node["max_input_chars_per_word"].Size());
  ASSIGN_OR_RETURN(models::Vocabulary vocabulary, ParseVocabulary(node["vocab"]));
  return std::make_unique<models::WordPiece>(std::move(vocabulary), std::move(options));
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseWordLevel(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "unk_token", "vocab"}));
  ASSIGN_OR_RETURN(std::string unk_token, node["unk_token"].String());
  ASSIGN_OR_RETURN(models::Vocabulary vocabulary, ParseVocabulary(node["vocab"]));
  return std::make_unique<models::WordLevel>(std::move(vocabulary), std::move(unk_token));
}

// Files from before `type` existed are what their members make them, in the order in which
// `tokenizers` tries the models.
absl::StatusOr<std::string> TypeOf(const JsonNode& node) {
  if (IsThere(node, "type")) return node["type"].String();
  if (node["vocab"].is_array()) return "Unigram";
  if (IsThere(node, "merges")) return "BPE";
  if (!IsThere(node, "unk_token")) return node["type"].String();  // fails
  const bool is_word_piece =
      IsThere(node, "continuing_subword_prefix") && IsThere(node, "max_input_chars_per_word");
  return is_word_piece ? "WordPiece" : "WordLevel";
}

}  // namespace

bool ModelKnowsBytes(const JsonNode& node) {
  const absl::StatusOr<std::string> type = TypeOf(node);
  return type.ok() && *type == "BPE";
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseModel(const JsonNode& node,
                                                          const ModelContext& context) {
  ASSIGN_OR_RETURN(const std::string type, TypeOf(node));
  if (type == "BPE") return ParseBpe(node, context);
  if (type == "Unigram") return ParseUnigram(node);
  if (type == "WordLevel") return ParseWordLevel(node);
  if (type == "WordPiece") return ParseWordPiece(node);
  return node["type"].Unsupported("BPE, Unigram, WordLevel, WordPiece");
}

}  // namespace triptych::loader
