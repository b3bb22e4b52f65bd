// Whitespace: `"type": "Whitespace"`, keeps the matches of `\w+|[^\w\s]+`: "a_1, b" -> a_1 | , | b.
//
// The pattern runs in the Rust `regex` crate, not in Oniguruma, so its classes are not those of
// unicode/regex.h; and it is simple enough to need no engine.
#ifndef SIDECAR_PRE_TOKENIZERS_WHITESPACE_H_
#define SIDECAR_PRE_TOKENIZERS_WHITESPACE_H_

#include "pre_tokenizers/pre_tokenizer.h"
#include "unicode/char_set.h"

namespace triptych::pre_tokenizers {

class Whitespace final : public PreTokenizer {
 public:
  Whitespace();

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  unicode::CharClassifier classifier_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_WHITESPACE_H_
