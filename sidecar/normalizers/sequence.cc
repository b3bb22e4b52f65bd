#include "normalizers/sequence.h"

namespace triptych::normalizers {

void Sequence::Normalize(base::AlignedText& text) const {
  for (const auto& step : steps_) step->Normalize(text);
}

}  // namespace triptych::normalizers
