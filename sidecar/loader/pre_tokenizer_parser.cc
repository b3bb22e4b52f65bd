#include <string>
#include <utility>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "pre_tokenizers/byte_level.h"
#include "pre_tokenizers/digits.h"
#include "pre_tokenizers/sequence.h"
#include "pre_tokenizers/split.h"

namespace triptych::loader {
namespace {

using pre_tokenizers::PreTokenizer;
using pre_tokenizers::SplitBehavior;

absl::StatusOr<SplitBehavior> ParseBehavior(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string name, node.String());
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return node.Unsupported("Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseSplit(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "pattern", "behavior", "invert"}));
  ASSIGN_OR_RETURN(const SplitBehavior behavior, ParseBehavior(node["behavior"]));
  ASSIGN_OR_RETURN(const bool invert, node["invert"].Bool());
  const JsonNode pattern = node["pattern"];
  RETURN_IF_ERROR(pattern.ExpectOnly({"Regex", "String"}));
  if (!pattern["String"].is_null()) {
    if (!pattern["Regex"].is_null()) return pattern.Error("has both a Regex and a String");
    ASSIGN_OR_RETURN(const std::string literal, pattern["String"].String());
    return Owned<PreTokenizer>(pre_tokenizers::Split::CreateFromString(literal, behavior, invert),
                               pattern["String"]);
  }
  ASSIGN_OR_RETURN(const std::string regex, pattern["Regex"].String());
  return Owned<PreTokenizer>(pre_tokenizers::Split::CreateFromRegex(regex, behavior, invert),
                             pattern["Regex"]);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseByteLevelPreTokenizer(const JsonNode& node) {
  // trim_offsets changes no ids.
  RETURN_IF_ERROR(node.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  ASSIGN_OR_RETURN(const bool add_prefix_space, node["add_prefix_space"].Bool());
  ASSIGN_OR_RETURN(const bool use_regex, node["use_regex"].BoolOr(true));
  return Owned<PreTokenizer>(pre_tokenizers::ByteLevel::Create(add_prefix_space, use_regex), node);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseDigits(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "individual_digits"}));
  ASSIGN_OR_RETURN(const bool individual_digits, node["individual_digits"].Bool());
  return Owned<PreTokenizer>(pre_tokenizers::Digits::Create(individual_digits), node);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParsePreTokenizer(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "pretokenizers"));
  std::vector<std::unique_ptr<PreTokenizer>> parsed;
  std::string type;
  for (const JsonNode& step : steps) {
    if (type == "ByteLevel") return step.Error("a step behind ByteLevel is not supported yet");
    ASSIGN_OR_RETURN(type, step["type"].String());
    std::unique_ptr<PreTokenizer> one;
    if (type == "Split") {
      ASSIGN_OR_RETURN(one, ParseSplit(step));
    } else if (type == "Digits") {
      ASSIGN_OR_RETURN(one, ParseDigits(step));
    } else if (type == "ByteLevel") {
      ASSIGN_OR_RETURN(one, ParseByteLevelPreTokenizer(step));
    } else {
      return step["type"].Unsupported("ByteLevel, Digits, Sequence, Split");
    }
    parsed.push_back(std::move(one));
  }
  if (type != "ByteLevel") {
    return node.Error("a pre-tokenizer without ByteLevel as its last step is not supported yet");
  }
  return std::unique_ptr<PreTokenizer>(
      std::make_unique<pre_tokenizers::Sequence>(std::move(parsed)));
}

}  // namespace triptych::loader
