// Tested by tests/unit/tokenizer/test_rank_files.py.
#include "loader/tekken_parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "loader/base64.h"
#include "loader/rank_vocabulary.h"
#include "loader/status_macros.h"
#include "models/vocabulary.h"

namespace triptych::loader {
namespace {

// Those of a file that lists none, which only the first versions may.
constexpr std::array<std::string_view, 20> kFirstSpecialTokens = {"<unk>",
                                                                  "<s>",
                                                                  "</s>",
                                                                  "[INST]",
                                                                  "[/INST]",
                                                                  "[AVAILABLE_TOOLS]",
                                                                  "[/AVAILABLE_TOOLS]",
                                                                  "[TOOL_RESULTS]",
                                                                  "[/TOOL_RESULTS]",
                                                                  "[TOOL_CALLS]",
                                                                  "[IMG]",
                                                                  "<pad>",
                                                                  "[IMG_BREAK]",
                                                                  "[IMG_END]",
                                                                  "[PREFIX]",
                                                                  "[MIDDLE]",
                                                                  "[SUFFIX]",
                                                                  "[SYSTEM_PROMPT]",
                                                                  "[/SYSTEM_PROMPT]",
                                                                  "[TOOL_CONTENT]"};
constexpr std::array<std::string_view, 4> kFirstVersions = {"v1", "v2", "v3", "v7"};

bool IsFirstVersion(const JsonNode& version) {
  const auto name = version.StringView();
  return name.ok() &&
         std::find(kFirstVersions.begin(), kFirstVersions.end(), *name) != kFirstVersions.end();
}

absl::StatusOr<std::vector<std::string>> ParseListedTokens(const JsonNode& root) {
  std::vector<std::string> contents;
  const JsonNode list = root["special_tokens"];
  if (list.is_null()) {
    if (!IsFirstVersion(root["config"]["version"])) {
      return list.Error("must be there in a file whose config.version is above v7");
    }
    contents.assign(kFirstSpecialTokens.begin(), kFirstSpecialTokens.end());
    return contents;
  }
  RETURN_IF_ERROR(list.ForEachElement([&](const JsonNode& item) -> absl::Status {
    RETURN_IF_ERROR(item.ExpectOnly({"rank", "token_str", "is_control"}));
    ASSIGN_OR_RETURN(const uint32_t rank, item["rank"].Id());
    if (rank != contents.size()) {
      return item["rank"].Error(base::StrCat("is ", rank, " instead of ", contents.size()));
    }
    ASSIGN_OR_RETURN(std::string content, item["token_str"].String());
    contents.push_back(std::move(content));
    return absl::OkStatus();
  }));
  return contents;
}

// The listed ones, and fillers up to `count`.
absl::StatusOr<std::vector<SpecialToken>> ParseSpecialTokens(const JsonNode& root, uint32_t count) {
  ASSIGN_OR_RETURN(std::vector<std::string> contents, ParseListedTokens(root));
  if (contents.size() > count) {
    return root["special_tokens"].Error(base::StrCat(
        "has ", contents.size(), " tokens, more than config.default_num_special_tokens, ", count));
  }
  std::vector<SpecialToken> tokens;
  std::set<std::string_view> seen;
  while (contents.size() < count) {
    contents.push_back(base::StrCat("<SPECIAL_", contents.size(), ">"));
  }
  for (const std::string& content : contents) {
    if (!seen.insert(content).second) {
      return root["special_tokens"].Error(base::StrCat("\"", content, "\" is listed twice"));
    }
    tokens.push_back({static_cast<uint32_t>(tokens.size()), content});
  }
  return tokens;
}

absl::Status AddToken(const JsonNode& item, uint32_t rank, models::VocabularyBuilder& builder) {
  RETURN_IF_ERROR(item.ExpectOnly({"rank", "token_bytes", "token_str"}));
  ASSIGN_OR_RETURN(const uint32_t listed, item["rank"].Id());
  if (listed != rank) {
    return item["rank"].Error(base::StrCat("is ", listed, " instead of ", rank));
  }
  ASSIGN_OR_RETURN(const std::string_view text, item["token_bytes"].StringView());
  const std::optional<std::string> bytes = DecodeBase64(text);
  if (!bytes.has_value() || bytes->empty()) return item["token_bytes"].Error("is not base64");
  const absl::Status added = builder.Add(*bytes, rank);
  return added.ok() ? added : item.Error(base::MessageOf(added));
}

absl::StatusOr<models::Vocabulary> ParseRanks(const JsonNode& vocab, uint32_t count) {
  models::VocabularyBuilder builder;
  uint32_t rank = 0;
  RETURN_IF_ERROR(vocab.ForEachElement([&](const JsonNode& item) {
    // Files list more tokens than the model has.
    return rank == count ? absl::OkStatus() : AddToken(item, rank++, builder);
  }));
  if (rank != count) {
    return vocab.Error(base::StrCat("has ", rank, " tokens, but the config asks for ", count));
  }
  auto ranks = builder.Build();
  if (!ranks.ok()) return vocab.Error(base::MessageOf(ranks.status()));
  if (ranks->size() != count) return vocab.Error("a token is listed twice");
  return ranks;
}

}  // namespace

bool IsTekken(const JsonNode& root) {
  return !root["config"].is_null() && !root["vocab"].is_null() && root["model"].is_null();
}

absl::StatusOr<std::string> TekkenToJson(const JsonNode& root) {
  const JsonNode config = root["config"];
  RankFormat format;
  ASSIGN_OR_RETURN(format.pattern, config["pattern"].String());
  ASSIGN_OR_RETURN(const uint32_t size, config["default_vocab_size"].Id());
  ASSIGN_OR_RETURN(format.id_offset, config["default_num_special_tokens"].Id());
  if (size > models::Vocabulary::kMaxId) {
    return config["default_vocab_size"].Error(base::StrCat(size, " is too high"));
  }
  if (format.id_offset > size) {
    return config["default_num_special_tokens"].Error("is above default_vocab_size");
  }
  ASSIGN_OR_RETURN(format.special_tokens, ParseSpecialTokens(root, format.id_offset));
  ASSIGN_OR_RETURN(const models::Vocabulary ranks,
                   ParseRanks(root["vocab"], size - format.id_offset));
  format.bos = "<s>";
  const absl::StatusOr<std::string> json = ToTokenizerJson(ranks, format);
  return json.ok() ? json : root["vocab"].Error(base::MessageOf(json.status()));
}

}  // namespace triptych::loader
