#include <string>
#include <utility>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "post_processors/sequence.h"
#include "post_processors/template_processing.h"

namespace triptych::loader {
namespace {

absl::StatusOr<uint32_t> ParseOnlyId(const JsonNode& special_tokens, const JsonNode& reference,
                                     std::vector<uint32_t>& ids) {
  ASSIGN_OR_RETURN(const std::string name, reference["id"].String());
  const JsonNode token = special_tokens[name];
  RETURN_IF_ERROR(token.ExpectOnly({"id", "ids", "tokens"}));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, token["ids"].Array());
  for (const JsonNode& item : items) {
    ASSIGN_OR_RETURN(const uint32_t id, item.Id());
    ids.push_back(id);
  }
  return static_cast<uint32_t>(items.size());
}

absl::StatusOr<std::unique_ptr<post_processors::PostProcessor>> ParseTemplate(
    const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "single", "pair", "special_tokens"}));
  std::vector<uint32_t> before, after;
  bool seen_text = false;
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, node["single"].Array());
  for (const JsonNode& item : items) {
    RETURN_IF_ERROR(item.ExpectOnly({"Sequence", "SpecialToken"}));
    if (!item["SpecialToken"].is_null()) {
      const auto added =
          ParseOnlyId(node["special_tokens"], item["SpecialToken"], seen_text ? after : before);
      if (!added.ok()) return added.status();
      continue;
    }
    ASSIGN_OR_RETURN(const std::string sequence, item["Sequence"]["id"].String());
    if (sequence != "A" || seen_text)
      return item.Error("a template must have the sequence A once, and no other");
    seen_text = true;
  }
  if (!seen_text) return node["single"].Error("the template lacks the sequence A");
  return std::unique_ptr<post_processors::PostProcessor>(
      std::make_unique<post_processors::TemplateProcessing>(std::move(before), std::move(after)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<post_processors::PostProcessor>> ParsePostProcessor(
    const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "processors"));
  std::vector<std::unique_ptr<post_processors::PostProcessor>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type == "TemplateProcessing") {
      ASSIGN_OR_RETURN(auto one, ParseTemplate(step));
      parsed.push_back(std::move(one));
    } else if (type == "ByteLevel") {
      RETURN_IF_ERROR(step.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    } else {
      return step["type"].Unsupported("ByteLevel, Sequence, TemplateProcessing");
    }
  }
  std::unique_ptr<post_processors::PostProcessor> result;
  if (!parsed.empty()) result = std::make_unique<post_processors::Sequence>(std::move(parsed));
  return result;
}

}  // namespace triptych::loader
