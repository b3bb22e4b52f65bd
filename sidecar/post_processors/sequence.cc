#include "post_processors/sequence.h"

namespace triptych::post_processors {

absl::StatusOr<std::vector<Layout>> Sequence::Process(std::vector<Layout> parts,
                                                      bool add_special_tokens) const {
  for (const auto& step : steps_) {
    absl::StatusOr<std::vector<Layout>> processed =
        step->Process(std::move(parts), add_special_tokens);
    if (!processed.ok()) return processed;
    parts = *std::move(processed);
  }
  return parts;
}

}  // namespace triptych::post_processors
