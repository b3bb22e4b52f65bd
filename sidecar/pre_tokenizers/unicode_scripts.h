// UnicodeScripts: `"type": "UnicodeScripts"`, cuts where the script changes, as SentencePiece does:
// "abc где" -> abc  | где. Japanese is one script with Chinese.
//
// Spaces and characters without a script stay with what stands before them. Those at the very
// beginning of a piece have nothing before them and are dropped: `tokenizers` does that, perhaps
// not on purpose.
#ifndef SIDECAR_PRE_TOKENIZERS_UNICODE_SCRIPTS_H_
#define SIDECAR_PRE_TOKENIZERS_UNICODE_SCRIPTS_H_

#include "pre_tokenizers/pre_tokenizer.h"

namespace triptych::pre_tokenizers {

class UnicodeScripts final : public PreTokenizer {
 public:
  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_UNICODE_SCRIPTS_H_
