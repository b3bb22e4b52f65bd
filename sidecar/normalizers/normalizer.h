// Normalizer: the first stage of tokenizer.json's pipeline, which rewrites a text before it is cut.
#ifndef SIDECAR_NORMALIZERS_NORMALIZER_H_
#define SIDECAR_NORMALIZERS_NORMALIZER_H_

#include "absl/status/status.h"
#include "base/aligned_text.h"

namespace triptych::normalizers {

// Implementations are immutable, so safe to share between threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Rewrites `text` in place and keeps its alignment, which is that of Hugging Face `tokenizers`
  // (see base/text_rewriter.h). A text that is normal already is not copied.
  //
  // RESOURCE_EXHAUSTED where a pattern takes too long for this text; `text` is then unspecified.
  // REQUIRES: valid UTF-8. ENSURES: valid UTF-8.
  [[nodiscard]] virtual absl::Status Normalize(base::AlignedText& text) const = 0;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_NORMALIZER_H_
