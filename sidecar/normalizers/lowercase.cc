#include "normalizers/lowercase.h"

#include <string>

#include "normalizers/edit_characters.h"

namespace triptych::normalizers {

absl::Status Lowercase::Normalize(base::AlignedText& text) const {
  std::string bytes;
  EditCharacters(text, lowercase_.capitals(),
                 [&](base::TextRewriter& rewriter, char32_t c, size_t size) {
                   bytes.clear();
                   unicode::Lowercase::Append(c, bytes);
                   rewriter.Replace(size, bytes);
                 });
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
