#include "pre_tokenizers/digits.h"

namespace triptych::pre_tokenizers {

absl::StatusOr<Digits> Digits::Create(bool individual_digits) {
  const SplitBehavior behavior =
      individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
  absl::StatusOr<Split> split = Split::CreateFromRegex(R"(\p{N})", behavior, /*invert=*/false);
  if (!split.ok()) return split.status();
  return Digits(*std::move(split));
}

absl::Status Digits::PreTokenize(PreTokenizedText& text) const { return split_.PreTokenize(text); }

}  // namespace triptych::pre_tokenizers
