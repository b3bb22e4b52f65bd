#include <string>

#include "decoders/byte_level.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"

namespace triptych::loader {

absl::StatusOr<std::unique_ptr<decoders::Decoder>> ParseDecoder(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "decoders"));
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type != "ByteLevel") return step["type"].Unsupported("ByteLevel, Sequence");
    RETURN_IF_ERROR(step.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  }
  if (steps.size() != 1) return node.Error("expected exactly one decoder, ByteLevel");
  return std::unique_ptr<decoders::Decoder>(std::make_unique<decoders::ByteLevel>());
}

}  // namespace triptych::loader
