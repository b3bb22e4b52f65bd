#include "loader/tokenizer_loader.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "loader/json_node.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"

namespace triptych::loader {
namespace {

constexpr uintmax_t kMaxFileBytes = uintmax_t{512} << 20;

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(base::StrCat(path.string(), ": there is no such file"));
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        base::StrCat(path.string(), ": larger than ", kMaxFileBytes, " bytes"));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  if (!file) return absl::NotFoundError(base::StrCat(path.string(), ": cannot be read"));
  return std::move(contents).str();
}

}  // namespace

absl::StatusOr<tokenizer::Tokenizer> ParseTokenizer(std::string_view json) {
  const nlohmann::json document =
      nlohmann::json::parse(json, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return absl::InvalidArgumentError("the document is not valid JSON");
  const JsonNode root(&document, "");
  RETURN_IF_ERROR(root.ExpectOnly({"version", "truncation", "padding", "added_tokens", "normalizer",
                                   "pre_tokenizer", "model", "post_processor", "decoder"}));
  tokenizer::TokenizerParts parts;
  ASSIGN_OR_RETURN(parts.added_tokens, ParseAddedTokens(root["added_tokens"]));
  ASSIGN_OR_RETURN(parts.normalizer, ParseNormalizer(root["normalizer"]));
  ASSIGN_OR_RETURN(parts.pre_tokenizer, ParsePreTokenizer(root["pre_tokenizer"]));
  ASSIGN_OR_RETURN(parts.post_processor, ParsePostProcessor(root["post_processor"]));
  ASSIGN_OR_RETURN(parts.decoder, ParseDecoder(root["decoder"]));
  ASSIGN_OR_RETURN(parts.model, ParseModel(root["model"]));
  return tokenizer::Tokenizer::Create(std::move(parts));
}

absl::StatusOr<tokenizer::Tokenizer> LoadTokenizer(const std::string& path) {
  std::filesystem::path file(path);
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) file /= "tokenizer.json";
  ASSIGN_OR_RETURN(const std::string contents, ReadFile(file));
  absl::StatusOr<tokenizer::Tokenizer> tokenizer = ParseTokenizer(contents);
  if (tokenizer.ok()) return tokenizer;
  return absl::Status(tokenizer.status().code(),
                      base::StrCat(file.string(), ": ", base::MessageOf(tokenizer.status())));
}

}  // namespace triptych::loader
