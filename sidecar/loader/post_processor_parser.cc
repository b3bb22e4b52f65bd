#include <string>
#include <utility>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "post_processors/bert_processing.h"
#include "post_processors/sequence.h"
#include "post_processors/template_processing.h"

namespace triptych::loader {
namespace {

using post_processors::Layout;
using post_processors::Piece;
using post_processors::PostProcessor;

// The ids of the special token that `name` names in a template.
absl::StatusOr<std::vector<uint32_t>> ParseSpecialToken(const JsonNode& special_tokens,
                                                        const JsonNode& name_node) {
  ASSIGN_OR_RETURN(const std::string name, name_node.String());
  const JsonNode token = special_tokens[name];
  if (token.is_null()) {
    return name_node.Error(base::StrCat("\"", name, "\" is not among ", special_tokens.path()));
  }
  RETURN_IF_ERROR(token.ExpectOnly({"id", "ids", "tokens"}));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, token["ids"].Array());
  std::vector<uint32_t> ids;
  for (const JsonNode& item : items) {
    ASSIGN_OR_RETURN(const uint32_t id, item.Id());
    ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<Piece::Kind> ParseText(const JsonNode& node) {
  const absl::StatusOr<std::string> name = node.String();
  if (name.ok() && *name == "A") return Piece::Kind::kFirstText;
  if (name.ok() && *name == "B") return Piece::Kind::kSecondText;
  return node.Error("expected \"A\" or \"B\"");
}

absl::StatusOr<Layout> ParseElement(const JsonNode& element, const JsonNode& special_tokens,
                                    bool is_pair) {
  RETURN_IF_ERROR(element.ExpectOnly({"Sequence", "SpecialToken"}));
  const bool is_token = !element["SpecialToken"].is_null();
  const JsonNode value = element[is_token ? "SpecialToken" : "Sequence"];
  RETURN_IF_ERROR(value.ExpectOnly({"id", "type_id"}));
  ASSIGN_OR_RETURN(const uint32_t type_id, value["type_id"].Id());
  if (is_token) {
    ASSIGN_OR_RETURN(const std::vector<uint32_t> ids,
                     ParseSpecialToken(special_tokens, value["id"]));
    Layout layout;
    for (const uint32_t id : ids) layout.push_back({Piece::Kind::kToken, id, type_id});
    return layout;
  }
  ASSIGN_OR_RETURN(const Piece::Kind text, ParseText(value["id"]));
  if (text == Piece::Kind::kSecondText && !is_pair) {
    return value["id"].Error("the template for one text asks for a second; expected \"A\"");
  }
  return Layout{{text, /*id=*/0, type_id}};
}

absl::StatusOr<std::vector<Layout>> ParseTemplate(const JsonNode& node,
                                                  const JsonNode& special_tokens, bool is_pair) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Array());
  std::vector<Layout> parsed;
  for (const JsonNode& element : elements) {
    ASSIGN_OR_RETURN(Layout layout, ParseElement(element, special_tokens, is_pair));
    parsed.push_back(std::move(layout));
  }
  return parsed;
}

absl::StatusOr<std::unique_ptr<PostProcessor>> ParseTemplateProcessing(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "single", "pair", "special_tokens"}));
  const JsonNode special_tokens = node["special_tokens"];
  ASSIGN_OR_RETURN(auto single, ParseTemplate(node["single"], special_tokens, /*is_pair=*/false));
  ASSIGN_OR_RETURN(auto pair, ParseTemplate(node["pair"], special_tokens, /*is_pair=*/true));
  return std::unique_ptr<PostProcessor>(
      std::make_unique<post_processors::TemplateProcessing>(std::move(single), std::move(pair)));
}

// `["[SEP]", 102]`: only the id is used.
absl::StatusOr<uint32_t> ParseTokenAndId(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, node.Array());
  if (items.size() != 2) return node.Error("expected a token and its id");
  RETURN_IF_ERROR(items[0].String().status());
  return items[1].Id();
}

// `tokenizers` tells the two types apart by their members, and not by their names.
absl::StatusOr<std::unique_ptr<PostProcessor>> ParseBertProcessing(const JsonNode& node) {
  using post_processors::BertProcessing;
  RETURN_IF_ERROR(node.ExpectOnly({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
  ASSIGN_OR_RETURN(const uint32_t sep, ParseTokenAndId(node["sep"]));
  ASSIGN_OR_RETURN(const uint32_t cls, ParseTokenAndId(node["cls"]));
  const bool is_roberta = node["trim_offsets"].Bool().ok() && node["add_prefix_space"].Bool().ok();
  return std::unique_ptr<PostProcessor>(std::make_unique<BertProcessing>(
      is_roberta ? BertProcessing::Style::kRoberta : BertProcessing::Style::kBert, cls, sep));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostProcessor>> ParsePostProcessor(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "processors"));
  std::vector<std::unique_ptr<PostProcessor>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type == "ByteLevel") {
      RETURN_IF_ERROR(step.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
      continue;
    }
    absl::StatusOr<std::unique_ptr<PostProcessor>> one = nullptr;
    if (type == "TemplateProcessing") {
      one = ParseTemplateProcessing(step);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      one = ParseBertProcessing(step);
    } else {
      one = step["type"].Unsupported(
          "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
    }
    if (!one.ok()) return one.status();
    parsed.push_back(*std::move(one));
  }
  std::unique_ptr<PostProcessor> result;
  if (!parsed.empty()) result = std::make_unique<post_processors::Sequence>(std::move(parsed));
  return result;
}

}  // namespace triptych::loader
