#include "loader/tokenizer_loader.h"

#include <malloc.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "loader/file_contents.h"
#include "loader/json_node.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"

namespace triptych::loader {
namespace {

absl::StatusOr<tokenizer::Tokenizer> ParseTokenizerJson(std::string json) {
  ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocument> document,
                   JsonDocument::Parse(std::move(json)));
  const JsonNode root = document->root();
  RETURN_IF_ERROR(root.ExpectOnly({"version", "truncation", "padding", "added_tokens", "normalizer",
                                   "pre_tokenizer", "model", "post_processor", "decoder"}));
  tokenizer::TokenizerParts parts;
  ASSIGN_OR_RETURN(parts.added_tokens, ParseAddedTokens(root["added_tokens"]));
  ASSIGN_OR_RETURN(parts.normalizer, ParseNormalizer(root["normalizer"]));
  ASSIGN_OR_RETURN(parts.pre_tokenizer,
                   ParsePreTokenizer(root["pre_tokenizer"], /*model_knows_bytes=*/true));
  if (!parts.pre_tokenizer->yields_bytes()) {
    return root["pre_tokenizer"].Error(
        "a pre-tokenizer without ByteLevel as its last step is not supported yet");
  }
  ASSIGN_OR_RETURN(parts.post_processor, ParsePostProcessor(root["post_processor"]));
  ASSIGN_OR_RETURN(parts.decoder, ParseDecoder(root["decoder"]));
  // ParsePreTokenizer accepts nothing whose last step is not ByteLevel.
  ASSIGN_OR_RETURN(parts.model, ParseModel(root["model"], {.is_byte_level = true}));
  return tokenizer::Tokenizer::Create(std::move(parts));
}

}  // namespace

absl::StatusOr<tokenizer::Tokenizer> ParseTokenizer(std::string_view json) {
  return ParseTokenizerJson(std::string(json));
}

absl::StatusOr<tokenizer::Tokenizer> LoadTokenizer(const std::string& path) {
  std::filesystem::path file(path);
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) file /= "tokenizer.json";
  ASSIGN_OR_RETURN(std::string contents, ReadFile(file));
  absl::StatusOr<tokenizer::Tokenizer> tokenizer = ParseTokenizerJson(std::move(contents));
#ifdef __GLIBC__
  malloc_trim(0);  // else the document's memory stays ours, several times the tokenizer's
#endif
  if (tokenizer.ok()) return tokenizer;
  return absl::Status(tokenizer.status().code(),
                      base::StrCat(file.string(), ": ", base::MessageOf(tokenizer.status())));
}

}  // namespace triptych::loader
