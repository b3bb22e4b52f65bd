#include "loader/steps.h"

#include <string>

#include "loader/status_macros.h"

namespace triptych::loader {
namespace {

constexpr int kMaxNesting = 20;
constexpr size_t kMaxSteps = 1'000;

// The steps of a Sequence, of whatever kind, flattened: a Sequence in a Sequence is as good as its
// steps.
absl::Status Flatten(const JsonNode& node, std::string_view key, int depth,
                     std::vector<JsonNode>& steps) {
  if (depth > kMaxNesting) return node.Error("Sequences are nested too deeply");
  // Very old files have no types; `tokenizers` then goes by the members.
  std::string type = node.is_object() && !node[key].is_null() ? "Sequence" : "";
  if (!node.is_object() || !node["type"].is_null()) {
    ASSIGN_OR_RETURN(type, node["type"].String());
  }
  if (type != "Sequence") {
    if (steps.size() == kMaxSteps) return node.Error("more than 1000 steps are not supported");
    steps.push_back(node);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(node.ExpectOnly({"type", key}));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> inner, node[key].Array());
  for (const JsonNode& step : inner) RETURN_IF_ERROR(Flatten(step, key, depth + 1, steps));
  return absl::OkStatus();
}

}  // namespace

absl::Status Below(const JsonNode& node, const absl::Status& status) {
  return absl::Status(status.code(), base::StrCat(node.path(), ".", base::MessageOf(status)));
}

absl::StatusOr<std::vector<JsonNode>> StepsOf(const JsonNode& node, std::string_view key) {
  std::vector<JsonNode> steps;
  if (node.is_null()) return steps;
  RETURN_IF_ERROR(Flatten(node, key, 0, steps));
  return steps;
}

}  // namespace triptych::loader
