#include "post_processors/template_processing.h"

namespace triptych::post_processors {

void TemplateProcessing::AddSpecialTokens(base::Encoding& encoding) const {
  const uint32_t end = encoding.ranges.empty() ? 0 : encoding.ranges.back().end;
  encoding.ids.insert(encoding.ids.begin(), before_.begin(), before_.end());
  encoding.ranges.insert(encoding.ranges.begin(), before_.size(), base::ByteRange{0, 0});
  encoding.ids.insert(encoding.ids.end(), after_.begin(), after_.end());
  encoding.ranges.insert(encoding.ranges.end(), after_.size(), base::ByteRange{end, end});
}

}  // namespace triptych::post_processors
