// A normalizer without `type`, which very old files have, is known by its members, as in
// `tokenizers`.
//
// Tested by normalizer_parser_test.cc, and against `tokenizers` by tests/unit/tokenizer.
#include <string>
#include <utility>

#include "loader/base64.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "normalizers/bert_normalizer.h"
#include "normalizers/byte_level.h"
#include "normalizers/lowercase.h"
#include "normalizers/nmt.h"
#include "normalizers/precompiled.h"
#include "normalizers/prepend.h"
#include "normalizers/replace.h"
#include "normalizers/sequence.h"
#include "normalizers/strip.h"
#include "normalizers/strip_accents.h"
#include "normalizers/unicode_form.h"

namespace triptych::loader {
namespace {

using normalizers::Normalizer;
using unicode::NormalFormKind;
using Parsed = absl::StatusOr<std::unique_ptr<Normalizer>>;

template <typename T, typename... Arguments>
Parsed Made(Arguments&&... arguments) {
  return std::unique_ptr<Normalizer>(std::make_unique<T>(std::forward<Arguments>(arguments)...));
}

Parsed ParseForm(const JsonNode& node, const LoadOptions& options, NormalFormKind kind) {
  RETURN_IF_ERROR(node.ExpectOnly({"type"}));
  return Made<normalizers::UnicodeForm>(kind, options.tables);
}

template <typename T>
Parsed ParseBare(const JsonNode& node, const LoadOptions&) {
  RETURN_IF_ERROR(node.ExpectOnly({"type"}));
  return Made<T>();
}

Parsed ParseStrip(const JsonNode& node, const LoadOptions&) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "strip_left", "strip_right"}));
  ASSIGN_OR_RETURN(const bool left, node["strip_left"].Bool());
  ASSIGN_OR_RETURN(const bool right, node["strip_right"].Bool());
  return Made<normalizers::Strip>(left, right);
}

Parsed ParsePrepend(const JsonNode& node, const LoadOptions&) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "prepend"}));
  ASSIGN_OR_RETURN(std::string text, node["prepend"].String());
  return Made<normalizers::Prepend>(std::move(text));
}

Parsed ParsePrecompiled(const JsonNode& node, const LoadOptions&) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "precompiled_charsmap"}));
  const JsonNode rules = node["precompiled_charsmap"];
  ASSIGN_OR_RETURN(const std::string_view base64, rules.StringView());
  const std::optional<std::string> bytes = DecodeBase64(base64);
  if (!bytes.has_value()) return rules.Error("not valid base64");
  absl::StatusOr<normalizers::CharsMap> map = normalizers::CharsMap::Create(*bytes);
  if (!map.ok()) return rules.Error(base::MessageOf(map.status()));
  return Made<normalizers::Precompiled>(*std::move(map));
}

Parsed ParseReplace(const JsonNode& node, const LoadOptions&) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "pattern", "content"}));
  ASSIGN_OR_RETURN(std::string content, node["content"].String());
  const JsonNode pattern = node["pattern"];
  RETURN_IF_ERROR(pattern.ExpectOnly({"String", "Regex"}));
  if (pattern["String"].is_null() == pattern["Regex"].is_null()) {
    return pattern.Error("expected either String or Regex");
  }
  const JsonNode value = pattern["String"].is_null() ? pattern["Regex"] : pattern["String"];
  ASSIGN_OR_RETURN(std::string text, value.String());
  // An empty text is found everywhere, as the regular expression that it is in `tokenizers`.
  if (pattern["Regex"].is_null() && !text.empty()) {
    return Made<normalizers::Replace>(
        normalizers::Replace::Text(std::move(text), std::move(content)));
  }
  return Owned<Normalizer>(normalizers::Replace::Pattern(text, std::move(content)), value);
}

Parsed ParseBertNormalizer(const JsonNode& node, const LoadOptions& load_options) {
  RETURN_IF_ERROR(node.ExpectOnly(
      {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}));
  normalizers::BertNormalizer::Options options;
  ASSIGN_OR_RETURN(options.clean_text, node["clean_text"].Bool());
  ASSIGN_OR_RETURN(options.handle_chinese_chars, node["handle_chinese_chars"].Bool());
  ASSIGN_OR_RETURN(options.lowercase, node["lowercase"].Bool());
  ASSIGN_OR_RETURN(options.strip_accents, node["strip_accents"].BoolOr(options.lowercase));
  return Made<normalizers::BertNormalizer>(options, load_options.tables);
}

template <NormalFormKind kKind>
Parsed ParseFormOf(const JsonNode& node, const LoadOptions& options) {
  return ParseForm(node, options, kKind);
}

struct Kind {
  std::string_view type;
  Parsed (*parse)(const JsonNode& node, const LoadOptions& options);
  std::string_view own_member;  // what it is known by where there is no type; empty: not at all
};

constexpr Kind kKinds[] = {
    {"BertNormalizer", ParseBertNormalizer, "clean_text"},
    {"Bert", ParseBertNormalizer, ""},
    {"Strip", ParseStrip, "strip_left"},
    {"StripAccents", ParseBare<normalizers::StripAccents>, ""},
    {"NFC", ParseFormOf<NormalFormKind::kNfc>, ""},
    {"NFD", ParseFormOf<NormalFormKind::kNfd>, ""},
    {"NFKC", ParseFormOf<NormalFormKind::kNfkc>, ""},
    {"NFKD", ParseFormOf<NormalFormKind::kNfkd>, ""},
    {"Lowercase", ParseBare<normalizers::Lowercase>, ""},
    {"Nmt", ParseBare<normalizers::Nmt>, ""},
    {"Precompiled", ParsePrecompiled, "precompiled_charsmap"},
    {"Replace", ParseReplace, "pattern"},
    {"Prepend", ParsePrepend, "prepend"},
    {"ByteLevel", ParseBare<normalizers::ByteLevel>, ""},
};
constexpr std::string_view kKnown =
    "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, "
    "Replace, "
    "Sequence, Strip, StripAccents";

Parsed ParseStep(const JsonNode& step, const LoadOptions& options) {
  if (step.is_object() && step["type"].is_null()) {
    for (const Kind& kind : kKinds) {
      if (kind.own_member.empty() || step[kind.own_member].is_null()) continue;
      return kind.parse(step, options);
    }
  }
  ASSIGN_OR_RETURN(const std::string type, step["type"].String());
  for (const Kind& kind : kKinds) {
    if (kind.type == type) return kind.parse(step, options);
  }
  return step["type"].Unsupported(kKnown);
}

}  // namespace

Parsed ParseNormalizer(const JsonNode& node, const LoadOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "normalizers"));
  std::vector<std::unique_ptr<Normalizer>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> normalizer, ParseStep(step, options));
    parsed.push_back(std::move(normalizer));
  }
  std::unique_ptr<Normalizer> result;
  if (parsed.size() == 1) {
    result = std::move(parsed[0]);
  } else if (!parsed.empty()) {
    result = std::make_unique<normalizers::Sequence>(std::move(parsed));
  }
  return result;
}

}  // namespace triptych::loader
