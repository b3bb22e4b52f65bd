// Nfc: `"type": "NFC"`, canonical composition. Text that is ASCII, or otherwise surely composed
// already, is left alone without a copy.
#ifndef SIDECAR_NORMALIZERS_NFC_H_
#define SIDECAR_NORMALIZERS_NFC_H_

#include "normalizers/normalizer.h"

namespace triptych::normalizers {

class Nfc final : public Normalizer {
 public:
  [[nodiscard]] bool LeavesAlone(std::string_view text) const override;
  [[nodiscard]] std::string TextOf(std::string_view text) const override;
  void Normalize(base::AlignedText& text) const override;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_NFC_H_
