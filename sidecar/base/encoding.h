// Encoding: what a text becomes.
#ifndef SIDECAR_BASE_ENCODING_H_
#define SIDECAR_BASE_ENCODING_H_

#include <cstdint>
#include <vector>

#include "base/byte_range.h"

namespace triptych::base {

// The token ids of a text, and for each the bytes of the text that it stands for. A token that no
// text stands for (a begin-of-text token) has an empty range.
//
// Ranges are exact to the byte: they may cut a character in two, and are not trimmed as those of
// `tokenizers` are.
struct Encoding {
  std::vector<uint32_t> ids;
  std::vector<ByteRange> ranges;  // as many as ids

  void Append(uint32_t id, ByteRange range) {
    ids.push_back(id);
    ranges.push_back(range);
  }
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_ENCODING_H_
