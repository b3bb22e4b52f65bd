// Prepend: `"type": "Prepend"`, puts a text in front of every text that is not empty.
//
// What is put there has the origin of the first character, as `tokenizers` has it. It is never
// literal: the request did not write it.
#ifndef SIDECAR_NORMALIZERS_PREPEND_H_
#define SIDECAR_NORMALIZERS_PREPEND_H_

#include <string>
#include <utility>

#include "normalizers/normalizer.h"

namespace triptych::normalizers {

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  std::string text_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_PREPEND_H_
