// ByteLevel: `"type": "ByteLevel"`, writes each byte as a character of the byte-level alphabet (see
// unicode/byte_level_alphabet.h). Each has the origin of its byte.
#ifndef SIDECAR_NORMALIZERS_BYTE_LEVEL_H_
#define SIDECAR_NORMALIZERS_BYTE_LEVEL_H_

#include "normalizers/normalizer.h"

namespace triptych::normalizers {

class ByteLevel final : public Normalizer {
 public:
  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_BYTE_LEVEL_H_
