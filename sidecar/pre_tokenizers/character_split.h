// CharacterSplit: cuts at each character of a class. Digits, Punctuation and the like are one each.
#ifndef SIDECAR_PRE_TOKENIZERS_CHARACTER_SPLIT_H_
#define SIDECAR_PRE_TOKENIZERS_CHARACTER_SPLIT_H_

#include "pre_tokenizers/pre_tokenizer.h"
#include "pre_tokenizers/split_behavior.h"
#include "unicode/char_set.h"

namespace triptych::pre_tokenizers {

class CharacterSplit : public PreTokenizer {
 public:
  CharacterSplit(const unicode::CharSet& characters, SplitBehavior behavior)
      : classifier_({characters}), behavior_(behavior) {}

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  unicode::CharClassifier classifier_;
  SplitBehavior behavior_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_CHARACTER_SPLIT_H_
