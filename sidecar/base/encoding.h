// Encoding: what a text becomes.
#ifndef SIDECAR_BASE_ENCODING_H_
#define SIDECAR_BASE_ENCODING_H_

#include <cstdint>
#include <vector>

#include "base/byte_range.h"

namespace triptych::base {

// The token ids of a text or a pair of texts, and for each the bytes of its text that it stands
// for. A token that no text stands for (a begin-of-text token) has an empty range.
//
// Ranges are exact to the byte: they may cut a character in two, and are not trimmed as those of
// `tokenizers` are.
struct Encoding {
  // Which text of a request a token came from.
  enum class Source : uint8_t { kFirstText, kSecondText, kSpecialToken };

  std::vector<uint32_t> ids;
  std::vector<ByteRange> ranges;   // as many as ids
  std::vector<uint32_t> type_ids;  // as many as ids; empty where all are 0
  std::vector<Source> sources;     // as many as ids; empty where the request has one text

  void Append(uint32_t id, ByteRange range) {
    ids.push_back(id);
    ranges.push_back(range);
  }
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_ENCODING_H_
