// Normalizer: the first stage of tokenizer.json's pipeline, which rewrites a text before it is cut.
#ifndef SIDECAR_NORMALIZERS_NORMALIZER_H_
#define SIDECAR_NORMALIZERS_NORMALIZER_H_

#include <string>
#include <string_view>

#include "base/aligned_text.h"

namespace triptych::normalizers {

// Implementations are immutable, so safe to share between threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Whether `text` would certainly stay as it is. Much cheaper than Normalize where it can tell.
  [[nodiscard]] virtual bool LeavesAlone(std::string_view /*text*/) const { return false; }

  // The text alone that Normalize makes of `text`; cheaper, where nobody asks what came from where.
  [[nodiscard]] virtual std::string TextOf(std::string_view text) const {
    base::AlignedText aligned(text, 0);
    Normalize(aligned);
    return aligned.text();
  }

  // Rewrites `text` in place and keeps its alignment. It never fails: every text has a normal form.
  // REQUIRES: valid UTF-8. ENSURES: valid UTF-8.
  virtual void Normalize(base::AlignedText& text) const = 0;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_NORMALIZER_H_
