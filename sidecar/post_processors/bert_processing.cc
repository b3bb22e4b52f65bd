#include "post_processors/bert_processing.h"

#include <cstddef>

namespace triptych::post_processors {

absl::StatusOr<std::vector<Layout>> BertProcessing::Process(std::vector<Layout> parts,
                                                            bool add_special_tokens) const {
  const auto token = [](uint32_t id, uint32_t type_id) {
    return Piece{Piece::Kind::kToken, id, type_id};
  };
  for (size_t i = 0; i < parts.size(); ++i) {
    Layout& part = parts[i];
    if (style_ == Style::kRoberta) {
      for (Piece& piece : part) piece.type_id = 0;
    }
    if (!add_special_tokens) continue;
    if (i == 0) part.insert(part.begin(), token(cls_, 0));
    if (i > 0 && style_ == Style::kRoberta) part.insert(part.begin(), token(sep_, 0));
    part.push_back(token(sep_, i > 0 && style_ == Style::kBert ? 1 : 0));
  }
  return parts;
}

}  // namespace triptych::post_processors
