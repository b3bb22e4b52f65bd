#include "base/aligned_text.h"

#include <algorithm>

namespace triptych::base {

void AlignedText::MarkLiteral(const std::vector<ByteRange>& spans) {
  const auto end = begin_ + static_cast<uint32_t>(text_.size());
  auto span = std::partition_point(spans.begin(), spans.end(),
                                   [this](ByteRange s) { return s.end <= begin_; });
  for (; span != spans.end() && span->begin < end; ++span) {
    literal_.resize(text_.size());
    std::fill(literal_.begin() + (std::max(span->begin, begin_) - begin_),
              literal_.begin() + (std::min(span->end, end) - begin_), true);
  }
}

std::vector<ByteRange> AlignedText::LiteralRanges() const {
  std::vector<ByteRange> ranges;
  auto at = literal_.begin();
  while (at != literal_.end()) {
    const auto begin = std::find(at, literal_.end(), true);
    if (begin == literal_.end()) break;
    at = std::find(begin, literal_.end(), false);
    ranges.push_back({static_cast<uint32_t>(begin - literal_.begin()),
                      static_cast<uint32_t>(at - literal_.begin())});
  }
  return ranges;
}

AlignedText AlignedText::Slice(ByteRange range) const {
  AlignedText slice(std::string_view(text_).substr(range.begin, range.size()),
                    OriginOf(range).begin);
  if (!origins_.empty()) {
    slice.origins_.assign(origins_.begin() + range.begin, origins_.begin() + range.end);
  }
  if (!literal_.empty()) {
    slice.literal_.assign(literal_.begin() + range.begin, literal_.begin() + range.end);
  }
  return slice;
}

}  // namespace triptych::base
