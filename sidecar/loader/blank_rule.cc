#include "loader/blank_rule.h"

#include <string>
#include <string_view>
#include <vector>

#include "loader/steps.h"

namespace triptych::loader {
namespace {

using Prefix = tokenizer::BlankRule::Prefix;

bool Is(const JsonNode& node, std::string_view text) {
  const auto string = node.String();
  return string.ok() && *string == text;
}

bool MarksBlanks(const JsonNode& step) {
  return Is(step["type"], "Replace") && Is(step["pattern"]["String"], " ") &&
         Is(step["content"], models::kBlankMark);
}

bool PrependsMark(const JsonNode& step) {
  return Is(step["type"], "Prepend") && Is(step["prepend"], models::kBlankMark);
}

bool SplitsAtBlanks(const JsonNode& step) {
  const auto inverts = step["invert"].BoolOr(false);
  return Is(step["type"], "Split") && Is(step["pattern"]["String"], " ") && inverts.ok() &&
         !*inverts;
}

std::optional<tokenizer::BlankRule> RuleOfMetaspace(const JsonNode& step) {
  const auto splits = step["split"].BoolOr(true);
  if (!Is(step["type"], "Metaspace") || !Is(step["replacement"], models::kBlankMark) ||
      !splits.ok() || *splits) {
    return std::nullopt;
  }
  if (Is(step["prepend_scheme"], "always")) return tokenizer::BlankRule{Prefix::kUnlessBlank};
  if (Is(step["prepend_scheme"], "never")) return tokenizer::BlankRule{Prefix::kNever};
  if (Is(step["prepend_scheme"], "first")) {
    return tokenizer::BlankRule{Prefix::kAtStartUnlessBlank};
  }
  return std::nullopt;  // a legacy form
}

}  // namespace

std::optional<tokenizer::BlankRule> FindBlankRule(const JsonNode& normalizer,
                                                  const JsonNode& pre_tokenizer) {
  const auto before = StepsOf(normalizer, "normalizers");
  const auto behind = StepsOf(pre_tokenizer, "pretokenizers");
  if (!before.ok() || !behind.ok()) return std::nullopt;
  if (before->empty() && behind->size() == 1) return RuleOfMetaspace(behind->front());
  for (const JsonNode& step : *behind) {
    if (!SplitsAtBlanks(step)) return std::nullopt;
  }
  if (before->size() == 1 && MarksBlanks((*before)[0])) {
    return tokenizer::BlankRule{Prefix::kNever};
  }
  if (before->size() == 2 && PrependsMark((*before)[0]) && MarksBlanks((*before)[1])) {
    return tokenizer::BlankRule{Prefix::kAlways};
  }
  return std::nullopt;
}

}  // namespace triptych::loader
