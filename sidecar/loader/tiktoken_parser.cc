#include "loader/tiktoken_parser.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/str_cat.h"
#include "loader/base64.h"
#include "loader/json_node.h"
#include "loader/status_macros.h"
#include "loader/tiktoken_families.h"

namespace triptych::loader {
namespace {

struct Line {
  std::string token;
  uint32_t rank = 0;
};

std::optional<Line> ParseLine(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<std::string> token = DecodeBase64(line.substr(0, space));
  if (!token.has_value() || token->empty()) return std::nullopt;
  uint32_t rank = 0;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, rank);
  if (error != std::errc() || stop != end) return std::nullopt;
  return Line{*std::move(token), rank};
}

// Takes the first line, without its end, off `contents`.
std::string_view TakeLine(std::string_view& contents) {
  const size_t end = std::min(contents.find('\n'), contents.size());
  std::string_view line = contents.substr(0, end);
  contents.remove_prefix(std::min(end + 1, contents.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

absl::StatusOr<RankFormat> ParseConfig(std::string text) {
  ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocument> document,
                   JsonDocument::Parse(std::move(text)));
  const JsonNode root = document->root();
  RETURN_IF_ERROR(root.ExpectOnly({"pat_str", "special_tokens"}));
  RankFormat format;
  ASSIGN_OR_RETURN(format.pattern, root["pat_str"].String());
  RETURN_IF_ERROR(
      root["special_tokens"].ForEachMember([&](std::string_view content, const JsonNode& id) {
        const absl::StatusOr<uint32_t> number = id.Id();
        if (number.ok()) format.special_tokens.push_back({*number, std::string(content)});
        return number.status();
      }));
  std::sort(format.special_tokens.begin(), format.special_tokens.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return format;
}

// Of two special tokens of which one begins with the other, tiktoken takes the one that chance puts
// first in its pattern.
absl::Status CheckSpecialTokens(const RankFormat& format, size_t first_id) {
  std::vector<std::string_view> contents;
  for (const SpecialToken& token : format.special_tokens) {
    if (token.id != first_id + contents.size()) {
      return absl::InvalidArgumentError(
          base::StrCat("special_tokens: \"", token.content, "\" has the id ", token.id,
                       "; the ids must follow the ranks without a gap, so that it is ",
                       first_id + contents.size()));
    }
    contents.push_back(token.content);
  }
  std::sort(contents.begin(), contents.end());
  for (size_t i = 1; i < contents.size(); ++i) {
    if (contents[i].starts_with(contents[i - 1])) {
      return absl::InvalidArgumentError(base::StrCat("special_tokens: \"", contents[i],
                                                     "\" begins with \"", contents[i - 1],
                                                     "\", so that tiktoken may find either"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsTiktoken(std::string_view contents) {
  // A line of a token is short; the first line of something else may be all of it.
  contents = contents.substr(0, 1024);
  return contents.find('\n') != std::string_view::npos && ParseLine(TakeLine(contents)).has_value();
}

absl::StatusOr<models::Vocabulary> ParseTiktokenRanks(std::string_view contents) {
  models::VocabularyBuilder builder;
  size_t number = 0;
  while (!contents.empty()) {
    const std::string_view text = TakeLine(contents);
    ++number;
    if (text.empty()) continue;
    const std::optional<Line> line = ParseLine(text);
    if (!line.has_value()) {
      return absl::InvalidArgumentError(
          base::StrCat("line ", number, ": is not base64, a space and a rank"));
    }
    if (const absl::Status added = builder.Add(line->token, line->rank); !added.ok()) {
      return absl::InvalidArgumentError(
          base::StrCat("line ", number, ": ", base::MessageOf(added)));
    }
  }
  return builder.Build();
}

absl::StatusOr<std::string> TiktokenToJson(std::string_view contents,
                                           std::optional<std::string> config) {
  RankFormat format;
  if (config.has_value()) {
    auto parsed = ParseConfig(*std::move(config));
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          base::StrCat("tiktoken.json: ", base::MessageOf(parsed.status())));
    }
    format = *std::move(parsed);
  } else if (std::optional<RankFormat> known = KnownTiktokenFormat(contents)) {
    format = *std::move(known);
  } else {
    return absl::InvalidArgumentError(
        "a tiktoken file does not say how it cuts a text nor what its special tokens are, and this "
        "is none of the known ones (Llama 3, Llama 4, Qwen); put a tiktoken.json beside it: "
        R"({"pat_str": "...", "special_tokens": {"...": 0}})");
  }
  ASSIGN_OR_RETURN(const models::Vocabulary ranks, ParseTiktokenRanks(contents));
  if (ranks.size() != ranks.id_limit()) {
    return absl::InvalidArgumentError("the ranks have gaps");
  }
  RETURN_IF_ERROR(CheckSpecialTokens(format, ranks.id_limit()));
  return ToTokenizerJson(ranks, format);
}

}  // namespace triptych::loader
