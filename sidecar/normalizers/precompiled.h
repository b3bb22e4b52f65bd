// Precompiled: `"type": "Precompiled"`, the normalizer that a SentencePiece model brings along.
//
// The text is walked grapheme by grapheme, as Rust's spm_precompiled does it: a grapheme of less
// than six bytes is looked up whole, where a rule for its beginning counts as well and replaces all
// of it (which drops accents that the rules do not know); a longer one, or one without a rule,
// character by character.
#ifndef SIDECAR_NORMALIZERS_PRECOMPILED_H_
#define SIDECAR_NORMALIZERS_PRECOMPILED_H_

#include <array>

#include "normalizers/chars_map.h"
#include "normalizers/normalizer.h"
#include "unicode/graphemes.h"

namespace triptych::normalizers {

class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(CharsMap rules);

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  CharsMap rules_;
  unicode::Graphemes graphemes_;
  // Whether a byte is an ASCII character that has no rule and that, with ASCII behind it, is a
  // grapheme.
  std::array<bool, 256> is_plain_{};
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_PRECOMPILED_H_
