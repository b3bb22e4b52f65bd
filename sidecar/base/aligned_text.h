// AlignedText: a text that knows which bytes of the request each of its bytes came from.
//
// The text changes on its way to the model (NFC composes, ByteLevel puts a space in front), but
// literal spans and token offsets speak about the text of the request. AlignedText carries that
// relation along. As long as nothing changed it costs one number; only a changed text pays 8 bytes
// a byte.
#ifndef SIDECAR_BASE_ALIGNED_TEXT_H_
#define SIDECAR_BASE_ALIGNED_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_range.h"

namespace triptych::base {

// Not thread-safe; each request has its own.
class AlignedText {
 public:
  // A copy of `text`, which stands at byte `origin` of the request.
  AlignedText(std::string_view text, uint32_t origin) : text_(text), origin_(origin) {}

  [[nodiscard]] const std::string& text() const { return text_; }

  // The bytes of the request that `range` of this text came from. An inserted byte came from an
  // empty range. REQUIRES: `range` lies in the text.
  [[nodiscard]] ByteRange OriginOf(ByteRange range) const {
    if (origins_.empty()) return {origin_ + range.begin, origin_ + range.end};
    if (range.empty()) {
      const uint32_t at =
          range.begin < origins_.size() ? origins_[range.begin].begin : origins_.back().end;
      return {at, at};
    }
    return {origins_[range.begin].begin, origins_[range.end - 1].end};
  }

  // Replaces the text by `text`, where byte i came from origins[i] of the request.
  // REQUIRES: the two have the same size.
  void Replace(std::string text, std::vector<ByteRange> origins) {
    text_ = std::move(text);
    origins_ = std::move(origins);
  }

  // The part `range` of this text, as a text of its own. REQUIRES: `range` lies in the text.
  [[nodiscard]] AlignedText Slice(ByteRange range) const {
    AlignedText slice(std::string_view(text_).substr(range.begin, range.size()),
                      origin_ + range.begin);
    if (!origins_.empty()) {
      slice.origins_.assign(origins_.begin() + range.begin, origins_.begin() + range.end);
    }
    return slice;
  }

 private:
  std::string text_;
  uint32_t origin_;
  std::vector<ByteRange> origins_;  // one for each byte; empty: byte i came from origin_ + i
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_ALIGNED_TEXT_H_
