// Nmt: `"type": "Nmt"`, removes control characters and makes line ends and odd spaces to spaces, by
// the list of SentencePiece.
#ifndef SIDECAR_NORMALIZERS_NMT_H_
#define SIDECAR_NORMALIZERS_NMT_H_

#include "normalizers/normalizer.h"
#include "unicode/code_point_map.h"

namespace triptych::normalizers {

class Nmt final : public Normalizer {
 public:
  Nmt();

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  unicode::CodePointMap flags_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_NMT_H_
