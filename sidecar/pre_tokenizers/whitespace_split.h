// WhitespaceSplit: `"type": "WhitespaceSplit"`, keeps what stands between white space: "a, b" ->
// a, | b.
#ifndef SIDECAR_PRE_TOKENIZERS_WHITESPACE_SPLIT_H_
#define SIDECAR_PRE_TOKENIZERS_WHITESPACE_SPLIT_H_

#include "pre_tokenizers/character_split.h"
#include "unicode/pre_tokenizer_tables.h"

namespace triptych::pre_tokenizers {

class WhitespaceSplit final : public CharacterSplit {
 public:
  WhitespaceSplit()
      : CharacterSplit(unicode::CharSet::FromTable(unicode::kWhiteSpace, unicode::kWhiteSpaceSize),
                       SplitBehavior::kRemoved) {}
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_WHITESPACE_SPLIT_H_
