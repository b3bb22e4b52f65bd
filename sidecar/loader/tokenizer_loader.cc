#include "loader/tokenizer_loader.h"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "loader/blank_rule.h"
#include "loader/file_contents.h"
#include "loader/file_form.h"
#include "loader/json_node.h"
#include "loader/sentence_piece_parser.h"
#include "loader/settings_parser.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/tekken_parser.h"
#include "loader/tiktoken_parser.h"

namespace triptych::loader {
namespace {

namespace fs = std::filesystem;

// What the file itself does not tell.
struct Context {
  const LoadOptions& options;
  std::optional<bool> clean_up;
};

absl::Status CheckVersion(const JsonNode& version) {
  if (version.is_absent()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string_view number, version.StringView());
  return number == "1.0" ? absl::OkStatus() : version.Unsupported("1.0");
}

absl::StatusOr<tokenizer::Tokenizer> FromJson(const JsonNode& root, const Context& context) {
  RETURN_IF_ERROR(root.ExpectOnly({"version", "truncation", "padding", "added_tokens", "normalizer",
                                   "pre_tokenizer", "model", "post_processor", "decoder"}));
  RETURN_IF_ERROR(CheckVersion(root["version"]));
  tokenizer::TokenizerParts parts;
  ASSIGN_OR_RETURN(parts.settings, ParseSettings(root));
  parts.settings.clean_up_tokenization_spaces = context.clean_up;
  ASSIGN_OR_RETURN(parts.added_tokens, ParseAddedTokens(root["added_tokens"]));
  ASSIGN_OR_RETURN(parts.normalizer, ParseNormalizer(root["normalizer"], context.options));
  ASSIGN_OR_RETURN(parts.pre_tokenizer,
                   ParsePreTokenizer(root["pre_tokenizer"], ModelKnowsBytes(root["model"])));
  ASSIGN_OR_RETURN(parts.post_processor, ParsePostProcessor(root["post_processor"]));
  ASSIGN_OR_RETURN(parts.decoder, ParseDecoder(root["decoder"]));
  ASSIGN_OR_RETURN(parts.model, ParseModel(root["model"],
                                           {.is_byte_level = parts.pre_tokenizer->yields_bytes()}));
  parts.blank_rule = FindBlankRule(root["normalizer"], root["pre_tokenizer"]);
  return tokenizer::Tokenizer::Create(std::move(parts));
}

absl::StatusOr<tokenizer::Tokenizer> FromJsonText(std::string json, const Context& context) {
  ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocument> document,
                   JsonDocument::Parse(std::move(json)));
  return FromJson(document->root(), context);
}

// Special tokens that come before the ranks are entries of the model as well, which a piece of
// plain text must never be.
absl::Status CheckSpecialTokensAreNoText(const tokenizer::Tokenizer& tokenizer) {
  for (const tokenizer::AddedToken& token : tokenizer.added_tokens()) {
    const auto size = static_cast<uint32_t>(token.content.size());
    const auto encoding = tokenizer.Encode({.text = token.content, .literal_spans = {{0, size}}});
    if (!encoding.ok()) return encoding.status();
    if (std::find(encoding->ids.begin(), encoding->ids.end(), token.id) != encoding->ids.end()) {
      return absl::InvalidArgumentError(
          base::StrCat("the special token \"", token.content, "\" is also plain text"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<tokenizer::Tokenizer> FromTekken(std::unique_ptr<JsonDocument> document,
                                                const Context& context) {
  ASSIGN_OR_RETURN(std::string json, TekkenToJson(document->root()));
  document.reset();
  ASSIGN_OR_RETURN(tokenizer::Tokenizer tokenizer, FromJsonText(std::move(json), context));
  RETURN_IF_ERROR(CheckSpecialTokensAreNoText(tokenizer));
  return tokenizer;
}

absl::StatusOr<tokenizer::Tokenizer> FromTiktoken(std::string contents, const fs::path& directory,
                                                  const Context& context) {
  std::optional<std::string> config;
  if (Exists(directory / "tiktoken.json")) {
    ASSIGN_OR_RETURN(config, ReadFile(directory / "tiktoken.json"));
  }
  ASSIGN_OR_RETURN(std::string json, TiktokenToJson(contents, std::move(config)));
  contents = {};
  return FromJsonText(std::move(json), context);
}

absl::StatusOr<tokenizer::Tokenizer> FromSentencePiece(std::string_view contents,
                                                       const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(tokenizer::TokenizerParts parts, ParseSentencePiece(contents, config));
  return tokenizer::Tokenizer::Create(std::move(parts));
}

absl::StatusOr<tokenizer::Tokenizer> FromContents(std::string contents, const fs::path& file,
                                                  const TokenizerConfig& config,
                                                  const LoadOptions& options) {
  const Context context{options, config.clean_up_tokenization_spaces};
  std::optional<FileForm> form = FormOf(contents);
  if (file.extension() == ".json") form = FileForm::kJson;
  if (form == FileForm::kTiktoken) {
    return FromTiktoken(std::move(contents), file.parent_path(), context);
  }
  if (form == FileForm::kSentencePiece) return FromSentencePiece(contents, config);
  if (!form.has_value()) {
    return absl::InvalidArgumentError(
        "is neither JSON, nor lines of base64 and a rank, nor a SentencePiece model");
  }
  ASSIGN_OR_RETURN(std::unique_ptr<JsonDocument> document,
                   JsonDocument::Parse(std::move(contents)));
  if (IsTekken(document->root())) return FromTekken(std::move(document), context);
  return FromJson(document->root(), context);
}

absl::StatusOr<TokenizerConfig> ReadConfig(const fs::path& directory) {
  const fs::path file = directory / "tokenizer_config.json";
  if (!Exists(file)) return TokenizerConfig();
  ASSIGN_OR_RETURN(std::string text, ReadFile(file));
  absl::StatusOr<TokenizerConfig> config = ParseTokenizerConfig(std::move(text));
  if (config.ok()) return config;
  return absl::InvalidArgumentError(
      base::StrCat(file.string(), ": ", base::MessageOf(config.status())));
}

}  // namespace

absl::StatusOr<tokenizer::Tokenizer> ParseTokenizer(std::string_view json,
                                                    const LoadOptions& options) {
  return FromJsonText(std::string(json), {options, std::nullopt});
}

absl::StatusOr<tokenizer::Tokenizer> LoadTokenizer(const std::string& path,
                                                   const LoadOptions& options) {
  fs::path file(path);
  std::error_code error;
  if (fs::is_directory(file, error)) {
    ASSIGN_OR_RETURN(file, FindTokenizerIn(file));
  }
  ASSIGN_OR_RETURN(const TokenizerConfig config, ReadConfig(file.parent_path()));
  ASSIGN_OR_RETURN(std::string contents, ReadFile(file));
  absl::StatusOr<tokenizer::Tokenizer> tokenizer =
      FromContents(std::move(contents), file, config, options);
#ifdef __GLIBC__
  malloc_trim(0);  // else the document's memory stays ours, several times the tokenizer's
#endif
  if (tokenizer.ok()) return tokenizer;
  return absl::Status(tokenizer.status().code(),
                      base::StrCat(file.string(), ": ", base::MessageOf(tokenizer.status())));
}

}  // namespace triptych::loader
