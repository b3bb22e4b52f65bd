// Tested by tokenizer_loader_test.cc and tests/unit/tokenizer/test_refused_files.py.
#include "loader/settings_parser.h"

#include <memory>
#include <string_view>
#include <utility>

#include "loader/status_macros.h"

namespace triptych::loader {
namespace {

using tokenizer::Padding;
using tokenizer::Side;
using tokenizer::Truncation;

absl::StatusOr<Side> ParseSide(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string_view side, node.StringView());
  if (side == "Left") return Side::kLeft;
  if (side == "Right") return Side::kRight;
  return node.Unsupported("Left, Right");
}

absl::StatusOr<Truncation::Strategy> ParseStrategy(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string_view strategy, node.StringView());
  if (strategy == "LongestFirst") return Truncation::Strategy::kLongestFirst;
  if (strategy == "OnlyFirst") return Truncation::Strategy::kOnlyFirst;
  if (strategy == "OnlySecond") return Truncation::Strategy::kOnlySecond;
  return node.Unsupported("LongestFirst, OnlyFirst, OnlySecond");
}

absl::StatusOr<Truncation> ParseTruncation(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"direction", "max_length", "strategy", "stride"}));
  Truncation truncation;
  if (!node["direction"].is_absent()) {
    ASSIGN_OR_RETURN(truncation.direction, ParseSide(node["direction"]));
  }
  ASSIGN_OR_RETURN(truncation.max_length, node["max_length"].Size());
  ASSIGN_OR_RETURN(truncation.strategy, ParseStrategy(node["strategy"]));
  ASSIGN_OR_RETURN(truncation.stride, node["stride"].Size());
  return truncation;
}

// "BatchLongest" or {"Fixed": 8}.
absl::StatusOr<std::optional<uint64_t>> ParseFixedLength(const JsonNode& node) {
  if (node.is_string()) {
    ASSIGN_OR_RETURN(const std::string_view strategy, node.StringView());
    if (strategy != "BatchLongest") return node.Unsupported("BatchLongest, Fixed");
    return std::optional<uint64_t>();
  }
  RETURN_IF_ERROR(node.ExpectOnly({"Fixed"}));
  ASSIGN_OR_RETURN(const uint64_t length, node["Fixed"].Size());
  return std::optional<uint64_t>(length);
}

absl::StatusOr<Padding> ParsePadding(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly(
      {"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"}));
  Padding padding;
  ASSIGN_OR_RETURN(padding.fixed_length, ParseFixedLength(node["strategy"]));
  ASSIGN_OR_RETURN(padding.direction, ParseSide(node["direction"]));
  if (!node["pad_to_multiple_of"].is_null()) {
    ASSIGN_OR_RETURN(padding.pad_to_multiple_of, node["pad_to_multiple_of"].Size());
  }
  ASSIGN_OR_RETURN(padding.pad_id, node["pad_id"].Id());
  ASSIGN_OR_RETURN(padding.pad_type_id, node["pad_type_id"].Id());
  ASSIGN_OR_RETURN(padding.pad_token, node["pad_token"].String());
  return padding;
}

}  // namespace

absl::StatusOr<tokenizer::Settings> ParseSettings(const JsonNode& root) {
  tokenizer::Settings settings;
  if (!root["truncation"].is_null()) {
    ASSIGN_OR_RETURN(settings.truncation, ParseTruncation(root["truncation"]));
  }
  if (!root["padding"].is_null()) {
    ASSIGN_OR_RETURN(settings.padding, ParsePadding(root["padding"]));
  }
  return settings;
}

absl::StatusOr<TokenizerConfig> ParseTokenizerConfig(std::string text) {
  ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocument> document,
                   JsonDocument::Parse(std::move(text)));
  const JsonNode root = document->root();
  TokenizerConfig config;
  if (const JsonNode clean_up = root["clean_up_tokenization_spaces"]; !clean_up.is_null()) {
    ASSIGN_OR_RETURN(config.clean_up_tokenization_spaces, clean_up.Bool());
  }
  ASSIGN_OR_RETURN(config.add_bos_token, root["add_bos_token"].BoolOr(false));
  ASSIGN_OR_RETURN(config.add_eos_token, root["add_eos_token"].BoolOr(false));
  return config;
}

}  // namespace triptych::loader
