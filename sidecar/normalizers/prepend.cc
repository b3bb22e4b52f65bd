#include "normalizers/prepend.h"

#include <string_view>

#include "base/text_rewriter.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {

absl::Status Prepend::Normalize(base::AlignedText& text) const {
  if (text.text().empty()) return absl::OkStatus();
  const auto size = static_cast<uint32_t>(unicode::DecodeAt(text.text(), 0).size);
  const std::string_view first = std::string_view(text.text()).substr(0, size);
  base::TextRewriter rewriter(text);
  // `tokenizers` replaces the first character by the text and inserts it anew. With an empty text
  // it thereby loses its origin.
  if (!text_.empty()) rewriter.Put(text_, 0, {});
  rewriter.Put(first, 1, {0, size});
  rewriter.Remove(size - rewriter.place());
  rewriter.KeepUntil(text.text().size());
  rewriter.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
