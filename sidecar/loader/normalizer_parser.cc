#include <string>
#include <utility>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "normalizers/nfc.h"
#include "normalizers/sequence.h"

namespace triptych::loader {

absl::StatusOr<std::unique_ptr<normalizers::Normalizer>> ParseNormalizer(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "normalizers"));
  std::vector<std::unique_ptr<normalizers::Normalizer>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type != "NFC") return step["type"].Unsupported("NFC, Sequence");
    RETURN_IF_ERROR(step.ExpectOnly({"type"}));
    parsed.push_back(std::make_unique<normalizers::Nfc>());
  }
  std::unique_ptr<normalizers::Normalizer> result;
  if (parsed.size() == 1) {
    result = std::move(parsed[0]);
  } else if (!parsed.empty()) {
    result = std::make_unique<normalizers::Sequence>(std::move(parsed));
  }
  return result;
}

}  // namespace triptych::loader
