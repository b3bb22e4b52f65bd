// Lowercase: `"type": "Lowercase"`. One character may become two: the second has the origin of the
// first.
#ifndef SIDECAR_NORMALIZERS_LOWERCASE_H_
#define SIDECAR_NORMALIZERS_LOWERCASE_H_

#include "normalizers/normalizer.h"
#include "unicode/lowercase.h"

namespace triptych::normalizers {

class Lowercase final : public Normalizer {
 public:
  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  unicode::Lowercase lowercase_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_LOWERCASE_H_
