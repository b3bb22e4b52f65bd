// BertPreTokenizer: `"type": "BertPreTokenizer"`, drops white space and cuts at punctuation:
// "Hey, you" -> Hey | , | you.
#ifndef SIDECAR_PRE_TOKENIZERS_BERT_H_
#define SIDECAR_PRE_TOKENIZERS_BERT_H_

#include "pre_tokenizers/pre_tokenizer.h"
#include "pre_tokenizers/punctuation.h"
#include "pre_tokenizers/whitespace_split.h"

namespace triptych::pre_tokenizers {

class Bert final : public PreTokenizer {
 public:
  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override {
    if (absl::Status done = white_space_.PreTokenize(text); !done.ok()) return done;
    return punctuation_.PreTokenize(text);
  }

 private:
  WhitespaceSplit white_space_;
  Punctuation punctuation_{SplitBehavior::kIsolated};
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_BERT_H_
