// BertNormalizer: `"type": "BertNormalizer"`, what BERT did to a text before it was cut, in this
// order.
#ifndef SIDECAR_NORMALIZERS_BERT_NORMALIZER_H_
#define SIDECAR_NORMALIZERS_BERT_NORMALIZER_H_

#include "normalizers/lowercase.h"
#include "normalizers/normalizer.h"
#include "unicode/code_point_map.h"
#include "unicode/normal_form.h"
#include "unicode/table_version.h"

namespace triptych::normalizers {

class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean_text = true;            // drop control characters; white space becomes a space
    bool handle_chinese_chars = true;  // a space at either side of each Chinese character
    bool strip_accents = true;         // decompose, then drop the marks that take no space
    bool lowercase = true;
  };

  BertNormalizer(Options options, unicode::TableVersion version);

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  Options options_;
  unicode::CodePointMap characters_;  // what clean_text and handle_chinese_chars treat
  unicode::CodePointMap accents_;
  unicode::NormalForm decomposed_;
  Lowercase lowercase_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_BERT_NORMALIZER_H_
