#include "pre_tokenizers/sequence.h"

#include "base/text_limit.h"

namespace triptych::pre_tokenizers {

absl::Status Sequence::PreTokenize(PreTokenizedText& text) const {
  const size_t size = text.text.text().size();
  for (const auto& step : steps_) {
    if (absl::Status done = step->PreTokenize(text); !done.ok()) return done;
    if (absl::Status checked = base::CheckGrowth(size, text.text.text().size()); !checked.ok()) {
      return checked;
    }
  }
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
