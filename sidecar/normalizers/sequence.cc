#include "normalizers/sequence.h"

#include "base/text_limit.h"

namespace triptych::normalizers {

absl::Status Sequence::Normalize(base::AlignedText& text) const {
  const size_t size = text.text().size();
  for (const auto& step : steps_) {
    if (absl::Status done = step->Normalize(text); !done.ok()) return done;
    if (absl::Status checked = base::CheckGrowth(size, text.text().size()); !checked.ok()) {
      return checked;
    }
  }
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
