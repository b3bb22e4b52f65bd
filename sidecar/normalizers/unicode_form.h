// UnicodeForm: `"type": "NFC"`, `"NFD"`, `"NFKC"` and `"NFKD"`.
#ifndef SIDECAR_NORMALIZERS_UNICODE_FORM_H_
#define SIDECAR_NORMALIZERS_UNICODE_FORM_H_

#include "normalizers/normalizer.h"
#include "unicode/normal_form.h"
#include "unicode/table_version.h"

namespace triptych::normalizers {

class UnicodeForm final : public Normalizer {
 public:
  UnicodeForm(unicode::NormalFormKind kind, unicode::TableVersion version) : form_(kind, version) {}

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override {
    form_.Apply(text);
    return absl::OkStatus();
  }

 private:
  unicode::NormalForm form_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_UNICODE_FORM_H_
