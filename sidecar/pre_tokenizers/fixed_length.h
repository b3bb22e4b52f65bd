// FixedLength: `"type": "FixedLength"`, cuts after every so many characters: for 2, "abcde" ->
// ab | cd | e.
#ifndef SIDECAR_PRE_TOKENIZERS_FIXED_LENGTH_H_
#define SIDECAR_PRE_TOKENIZERS_FIXED_LENGTH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "pre_tokenizers/pre_tokenizer.h"

namespace triptych::pre_tokenizers {

class FixedLength final : public PreTokenizer {
 public:
  // INVALID_ARGUMENT where `length`, in characters, is 0.
  [[nodiscard]] static absl::StatusOr<FixedLength> Create(uint32_t length);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  explicit FixedLength(uint32_t length) : length_(length) {}

  uint32_t length_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_FIXED_LENGTH_H_
