#include "normalizers/nfc.h"

#include <utility>

#include "unicode/canonical.h"
#include "unicode/nfc_check.h"

namespace triptych::normalizers {

bool Nfc::LeavesAlone(std::string_view text) const { return unicode::IsNfc(text); }

std::string Nfc::TextOf(std::string_view text) const { return unicode::NfcOf(text); }

void Nfc::Normalize(base::AlignedText& text) const {
  if (unicode::IsNfc(text.text())) return;
  unicode::Composed composed = unicode::ToNfc(text.text());
  if (composed.text == text.text()) return;
  for (base::ByteRange& origin : composed.origins) origin = text.OriginOf(origin);
  text.Replace(std::move(composed.text), std::move(composed.origins));
}

}  // namespace triptych::normalizers
