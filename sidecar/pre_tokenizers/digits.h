// Digits: `"type": "Digits"`, cuts numbers from the rest: "a12b" -> a | 12 | b, or with individual
// digits a | 1 | 2 | b. A digit is any number of Unicode, so ½ and Ⅷ as well.
#ifndef SIDECAR_PRE_TOKENIZERS_DIGITS_H_
#define SIDECAR_PRE_TOKENIZERS_DIGITS_H_

#include "pre_tokenizers/character_split.h"
#include "unicode/pre_tokenizer_tables.h"

namespace triptych::pre_tokenizers {

class Digits final : public CharacterSplit {
 public:
  explicit Digits(bool individual_digits)
      : CharacterSplit(unicode::CharSet::FromTable(unicode::kNumeric, unicode::kNumericSize),
                       individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous) {}
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_DIGITS_H_
