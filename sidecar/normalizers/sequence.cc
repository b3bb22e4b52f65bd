#include "normalizers/sequence.h"

namespace triptych::normalizers {

absl::Status Sequence::Normalize(base::AlignedText& text) const {
  for (const auto& step : steps_) {
    if (absl::Status done = step->Normalize(text); !done.ok()) return done;
  }
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
