#include "post_processors/sequence.h"

namespace triptych::post_processors {

void Sequence::AddSpecialTokens(base::Encoding& encoding) const {
  for (const auto& step : steps_) step->AddSpecialTokens(encoding);
}

}  // namespace triptych::post_processors
