// Sequence: `"type": "Sequence"`, several normalizers one after the other.
#ifndef SIDECAR_NORMALIZERS_SEQUENCE_H_
#define SIDECAR_NORMALIZERS_SEQUENCE_H_

#include <memory>
#include <utility>
#include <vector>

#include "normalizers/normalizer.h"

namespace triptych::normalizers {

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_SEQUENCE_H_
