#include "normalizers/strip_accents.h"

#include "normalizers/edit_characters.h"
#include "unicode/normalizer_tables.h"

namespace triptych::normalizers {

StripAccents::StripAccents() { marks_.Add(unicode::kMark, unicode::kMarkSize, 1); }

absl::Status StripAccents::Normalize(base::AlignedText& text) const {
  RemoveCharacters(text, marks_);
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
