#include "pre_tokenizers/sequence.h"

namespace triptych::pre_tokenizers {

absl::Status Sequence::PreTokenize(PreTokenizedText& text) const {
  for (const auto& step : steps_) {
    if (absl::Status done = step->PreTokenize(text); !done.ok()) return done;
  }
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
