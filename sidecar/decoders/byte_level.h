// ByteLevel: `"type": "ByteLevel"`, reads tokens in the byte-level alphabet: "Ġthe" -> " the". A
// token with any character outside the alphabet (an added token such as "<｜end｜>") stands for its
// own UTF-8 bytes.
#ifndef SIDECAR_DECODERS_BYTE_LEVEL_H_
#define SIDECAR_DECODERS_BYTE_LEVEL_H_

#include <string>
#include <string_view>

#include "decoders/decoder.h"

namespace triptych::decoders {

class ByteLevel final : public Decoder {
 public:
  [[nodiscard]] std::string BytesOf(std::string_view token) const override;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_BYTE_LEVEL_H_
