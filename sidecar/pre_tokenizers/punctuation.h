// Punctuation: `"type": "Punctuation"`, cuts at punctuation: "Hey, you" -> Hey | , | you. That is
// the punctuation of Unicode and the symbols of ASCII, such as $ and +.
#ifndef SIDECAR_PRE_TOKENIZERS_PUNCTUATION_H_
#define SIDECAR_PRE_TOKENIZERS_PUNCTUATION_H_

#include "pre_tokenizers/character_split.h"
#include "unicode/pre_tokenizer_tables.h"

namespace triptych::pre_tokenizers {

class Punctuation final : public CharacterSplit {
 public:
  explicit Punctuation(SplitBehavior behavior)
      : CharacterSplit(
            unicode::CharSet::FromTable(unicode::kPunctuation, unicode::kPunctuationSize),
            behavior) {}
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_PUNCTUATION_H_
