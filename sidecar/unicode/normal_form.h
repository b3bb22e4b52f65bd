// The normal forms NFC, NFD, NFKC and NFKD, by the tables of normalizer_tables.h.
//
// They are not those of the newest Unicode: they are the ones that Hugging Face `tokenizers`
// computes, and so is the alignment that they leave (see base/text_rewriter.h).
#ifndef SIDECAR_UNICODE_NORMAL_FORM_H_
#define SIDECAR_UNICODE_NORMAL_FORM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/aligned_text.h"
#include "unicode/code_point_map.h"
#include "unicode/lead_bytes.h"
#include "unicode/table_version.h"

namespace triptych::unicode {

enum class NormalFormKind : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

// Immutable, so safe to share between threads.
class NormalForm {
 public:
  NormalForm(NormalFormKind kind, TableVersion version);

  // Rewrites `text`. Looks closely only at what could change, and copies nothing where nothing
  // does. Time is linear but for runs of combining marks, which are sorted (n log n). REQUIRES:
  // valid UTF-8.
  void Apply(base::AlignedText& text) const;

 private:
  // A character on its way: what it does to the old text is `change`, as in TextRewriter::Put.
  struct Element {
    char32_t code_point;
    uint8_t combining_class;
    int change;
    base::ByteRange made_of;
  };

  [[nodiscard]] bool composes() const {
    return kind_ == NormalFormKind::kNfc || kind_ == NormalFormKind::kNfkc;
  }
  // The first character from `at` on that may change or be changed, or the size of the text.
  [[nodiscard]] size_t NextUnstable(std::string_view text, size_t at) const;
  void Decompose(char32_t c, base::ByteRange place, std::vector<Element>& out) const;
  void Compose(std::vector<Element>& elements) const;
  // The elements of the normal form of `range` of `text`.
  void Normalize(std::string_view text, base::ByteRange range, std::vector<Element>& out) const;

  NormalFormKind kind_;
  TableVersion version_;
  CodePointMap flags_;
  LeadBytes unstable_leads_;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_NORMAL_FORM_H_
