// Strip: `"type": "Strip"`, removes white space at either end of the text.
#ifndef SIDECAR_NORMALIZERS_STRIP_H_
#define SIDECAR_NORMALIZERS_STRIP_H_

#include "normalizers/normalizer.h"

namespace triptych::normalizers {

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  bool left_;
  bool right_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_STRIP_H_
