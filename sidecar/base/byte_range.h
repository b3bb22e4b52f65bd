// ByteRange: where something lies in a text. The one way in which the sidecar talks about places:
// always bytes, never code points, always half-open.
#ifndef SIDECAR_BASE_BYTE_RANGE_H_
#define SIDECAR_BASE_BYTE_RANGE_H_

#include <cstdint>

namespace triptych::base {

// The bytes [begin, end) of a text. 32 bits: a request's text is bounded far below 4 GiB
// (see Tokenizer::kMaxTextBytes), and tokens are kept by the million.
struct ByteRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] uint32_t size() const { return end - begin; }

  // Whether the two share at least one byte: [0, 2) overlaps [1, 3), but neither [2, 3) nor [1, 1).
  [[nodiscard]] bool Overlaps(ByteRange other) const {
    return begin < other.end && other.begin < end && !empty() && !other.empty();
  }

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_BYTE_RANGE_H_
