// Metaspace: `"type": "Metaspace"`, SentencePiece's way: writes ▁ for a space and cuts in front of
// each: "Hey you" -> ▁Hey | ▁you.
#ifndef SIDECAR_PRE_TOKENIZERS_METASPACE_H_
#define SIDECAR_PRE_TOKENIZERS_METASPACE_H_

#include <string>

#include "pre_tokenizers/pre_tokenizer.h"

namespace triptych::pre_tokenizers {

// Which pieces get a ▁ in front, where they have none.
enum class PrependScheme {
  kFirst,   // the one that stands at byte 0 of the request, so none behind an added token
  kNever,   // none
  kAlways,  // each
};

class Metaspace final : public PreTokenizer {
 public:
  // `replacement` is what stands for a space. Without `split` nothing is cut.
  Metaspace(char32_t replacement, PrependScheme prepend_scheme, bool split);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  [[nodiscard]] bool Prepends(const PreTokenizedText& text, base::ByteRange piece) const;

  std::string replacement_;
  PrependScheme prepend_scheme_;
  bool split_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_METASPACE_H_
