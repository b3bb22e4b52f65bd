// StripAccents: `"type": "StripAccents"`, removes all marks. It does not decompose: U+00E9 stays.
#ifndef SIDECAR_NORMALIZERS_STRIP_ACCENTS_H_
#define SIDECAR_NORMALIZERS_STRIP_ACCENTS_H_

#include "normalizers/normalizer.h"
#include "unicode/code_point_map.h"

namespace triptych::normalizers {

class StripAccents final : public Normalizer {
 public:
  StripAccents();

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  unicode::CodePointMap marks_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_STRIP_ACCENTS_H_
