// Digits: `"type": "Digits"`, cuts numbers from the rest: "a12b" -> a | 12 | b, or with individual
// digits a | 1 | 2 | b. A digit is any character of the categories Nd, Nl and No.
#ifndef SIDECAR_PRE_TOKENIZERS_DIGITS_H_
#define SIDECAR_PRE_TOKENIZERS_DIGITS_H_

#include <utility>

#include "absl/status/statusor.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "pre_tokenizers/split.h"

namespace triptych::pre_tokenizers {

class Digits final : public PreTokenizer {
 public:
  // It fails only if its own pattern does not compile, which a test excludes.
  [[nodiscard]] static absl::StatusOr<Digits> Create(bool individual_digits);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  explicit Digits(Split split) : split_(std::move(split)) {}

  Split split_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_DIGITS_H_
