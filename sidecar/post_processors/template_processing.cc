#include "post_processors/template_processing.h"

#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"

namespace triptych::post_processors {

absl::StatusOr<std::vector<Layout>> TemplateProcessing::Process(std::vector<Layout> parts,
                                                                bool add_special_tokens) const {
  if (parts.empty() || parts.size() > 2) {
    return absl::InvalidArgumentError(base::StrCat(
        "a template takes one text or two, but the step before it made ", parts.size(), " parts"));
  }
  std::vector<Layout> arranged;
  for (const Layout& element : parts.size() == 1 ? single_ : pair_) {
    if (element.empty() || element.front().kind == Piece::Kind::kToken) {
      if (add_special_tokens) arranged.push_back(element);
      continue;
    }
    const Piece& text = element.front();
    Layout part = parts[text.kind == Piece::Kind::kFirstText ? 0 : 1];
    for (Piece& piece : part) piece.type_id = text.type_id;
    arranged.push_back(std::move(part));
  }
  return arranged;
}

}  // namespace triptych::post_processors
