#include <string>
#include <utility>

#include "decoders/bpe_decoder.h"
#include "decoders/byte_fallback.h"
#include "decoders/byte_level.h"
#include "decoders/ctc.h"
#include "decoders/fuse.h"
#include "decoders/metaspace.h"
#include "decoders/replace.h"
#include "decoders/space_joiner.h"
#include "decoders/strip.h"
#include "decoders/word_piece.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "unicode/utf8.h"

namespace triptych::loader {
namespace {

using ParsedDecoder = absl::StatusOr<std::unique_ptr<const decoders::Decoder>>;

template <typename T, typename... Arguments>
ParsedDecoder Make(Arguments&&... arguments) {
  return std::make_unique<const T>(std::forward<Arguments>(arguments)...);
}

// Rust's `char`.
absl::StatusOr<std::string> ParseCharacter(const JsonNode& node) {
  ASSIGN_OR_RETURN(std::string text, node.String());
  if (text.empty() || unicode::DecodeAt(text, 0).size != text.size()) {
    return node.Error(base::StrCat("expected one character, found \"", text, "\""));
  }
  return text;
}

ParsedDecoder ParseByteLevel(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  // They change nothing here, but `tokenizers` would refuse a file in which they are not booleans.
  for (const std::string_view key : {"add_prefix_space", "trim_offsets", "use_regex"}) {
    if (!node[key].is_absent()) RETURN_IF_ERROR(node[key].Bool().status());
  }
  return Make<decoders::ByteLevel>();
}

ParsedDecoder ParseMetaspace(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly(
      {"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"}));
  ASSIGN_OR_RETURN(std::string replacement, ParseCharacter(node["replacement"]));
  std::string scheme = "always";
  if (!node["prepend_scheme"].is_null()) {
    ASSIGN_OR_RETURN(scheme, node["prepend_scheme"].String());
  }
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    return node["prepend_scheme"].Unsupported("always, first, never");
  }
  ASSIGN_OR_RETURN(const bool add_prefix_space, node["add_prefix_space"].BoolOr(true));
  if (!add_prefix_space && scheme != "never") {
    return node["add_prefix_space"].Error(
        base::StrCat("false contradicts the prepend_scheme \"", scheme, "\"; expected \"never\""));
  }
  return Make<decoders::Metaspace>(std::move(replacement), scheme != "never");
}

ParsedDecoder ParseWordPiece(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "prefix", "cleanup"}));
  ASSIGN_OR_RETURN(std::string prefix, node["prefix"].String());
  ASSIGN_OR_RETURN(const bool cleanup, node["cleanup"].Bool());
  return Make<decoders::WordPiece>(std::move(prefix), cleanup);
}

ParsedDecoder ParseBpeDecoder(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "suffix"}));
  ASSIGN_OR_RETURN(std::string suffix, node["suffix"].String());
  return Make<decoders::BpeDecoder>(std::move(suffix));
}

ParsedDecoder ParseCtc(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "pad_token", "word_delimiter_token", "cleanup"}));
  ASSIGN_OR_RETURN(std::string pad, node["pad_token"].String());
  ASSIGN_OR_RETURN(std::string delimiter, node["word_delimiter_token"].String());
  ASSIGN_OR_RETURN(const bool cleanup, node["cleanup"].Bool());
  return Make<decoders::Ctc>(std::move(pad), std::move(delimiter), cleanup);
}

ParsedDecoder ParseReplace(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "pattern", "content"}));
  ASSIGN_OR_RETURN(std::string content, node["content"].String());
  const JsonNode pattern = node["pattern"];
  RETURN_IF_ERROR(pattern.ExpectOnly({"String", "Regex"}));
  const bool is_regex = pattern["String"].is_null();
  const JsonNode wanted = pattern[is_regex ? "Regex" : "String"];
  if (!is_regex && !pattern["Regex"].is_null()) {
    return pattern.Error("expected a String or a Regex, not both");
  }
  ASSIGN_OR_RETURN(std::string text, wanted.String());
  absl::StatusOr<decoders::Replace> replace =
      is_regex ? decoders::Replace::CreateFromRegex(text, std::move(content))
               : decoders::Replace::CreateFromString(std::move(text), std::move(content));
  if (!replace.ok()) return wanted.Error(base::MessageOf(replace.status()));
  return Make<decoders::Replace>(*std::move(replace));
}

ParsedDecoder ParseStrip(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "content", "start", "stop"}));
  ASSIGN_OR_RETURN(std::string content, ParseCharacter(node["content"]));
  ASSIGN_OR_RETURN(const uint32_t start, node["start"].Id());
  ASSIGN_OR_RETURN(const uint32_t stop, node["stop"].Id());
  return Make<decoders::Strip>(std::move(content), start, stop);
}

template <typename T>
ParsedDecoder ParseWithoutOptions(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type"}));
  return Make<T>();
}

ParsedDecoder ParseOne(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string type, node["type"].String());
  if (type == "BPEDecoder") return ParseBpeDecoder(node);
  if (type == "ByteFallback") return ParseWithoutOptions<decoders::ByteFallback>(node);
  if (type == "ByteLevel") return ParseByteLevel(node);
  if (type == "CTC") return ParseCtc(node);
  if (type == "Fuse") return ParseWithoutOptions<decoders::Fuse>(node);
  if (type == "Metaspace") return ParseMetaspace(node);
  if (type == "Replace") return ParseReplace(node);
  if (type == "Strip") return ParseStrip(node);
  if (type == "WordPiece") return ParseWordPiece(node);
  return node["type"].Unsupported(
      "BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip, "
      "WordPiece");
}

}  // namespace

absl::StatusOr<decoders::Sequence> ParseDecoder(const JsonNode& node) {
  std::vector<std::unique_ptr<const decoders::Decoder>> steps;
  if (node.is_null()) {
    steps.push_back(std::make_unique<const decoders::SpaceJoiner>());
    return decoders::Sequence(std::move(steps));
  }
  ASSIGN_OR_RETURN(const std::vector<JsonNode> nodes, StepsOf(node, "decoders"));
  for (const JsonNode& step : nodes) {
    ASSIGN_OR_RETURN(auto decoder, ParseOne(step));
    steps.push_back(std::move(decoder));
  }
  return decoders::Sequence(std::move(steps));
}

}  // namespace triptych::loader
