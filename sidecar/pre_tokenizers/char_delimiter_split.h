// CharDelimiterSplit: `"type": "CharDelimiterSplit"`, keeps what stands between the occurrences of
// one character: for "-", "a-b" -> a | b.
#ifndef SIDECAR_PRE_TOKENIZERS_CHAR_DELIMITER_SPLIT_H_
#define SIDECAR_PRE_TOKENIZERS_CHAR_DELIMITER_SPLIT_H_

#include "pre_tokenizers/character_split.h"

namespace triptych::pre_tokenizers {

class CharDelimiterSplit final : public CharacterSplit {
 public:
  explicit CharDelimiterSplit(char32_t delimiter)
      : CharacterSplit(unicode::CharSet::Of(delimiter), SplitBehavior::kRemoved) {}
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_CHAR_DELIMITER_SPLIT_H_
