// EditCharacters: what the normalizers have in common that treat characters one by one.
#ifndef SIDECAR_NORMALIZERS_EDIT_CHARACTERS_H_
#define SIDECAR_NORMALIZERS_EDIT_CHARACTERS_H_

#include <cstddef>
#include <string_view>

#include "base/aligned_text.h"
#include "base/text_rewriter.h"
#include "unicode/code_point_map.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {

// Calls edit(rewriter, code_point, size) for each character of `text` with flags; the rewriter then
// stands before it, and `edit` must move it behind. All other characters are kept.
template <typename Edit>
void EditCharacters(base::AlignedText& text, const unicode::CodePointMap& flags, const Edit& edit) {
  const std::string_view old = text.text();
  base::TextRewriter rewriter(text);
  for (size_t at = 0; at < old.size();) {
    const auto [code_point, size] = unicode::DecodeAt(old, at);
    if (flags[code_point] != 0) {
      rewriter.KeepUntil(at);
      edit(rewriter, code_point, size);
    }
    at += size;
  }
  rewriter.KeepUntil(old.size());
  rewriter.Finish();
}

// Removes each character of `text` with flags.
inline void RemoveCharacters(base::AlignedText& text, const unicode::CodePointMap& flags) {
  EditCharacters(text, flags, [](base::TextRewriter& rewriter, char32_t, size_t size) {
    rewriter.Remove(size);
  });
}

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_EDIT_CHARACTERS_H_
