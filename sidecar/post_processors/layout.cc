#include "post_processors/layout.h"

#include <utility>

#include "post_processors/post_processor.h"

namespace triptych::post_processors {

absl::StatusOr<Layouts> Layouts::Create(const PostProcessor* post_processor) {
  Layouts layouts;
  for (const bool is_pair : {false, true}) {
    for (const bool add_special_tokens : {false, true}) {
      std::vector<Layout> parts = {{{Piece::Kind::kFirstText}}};
      if (is_pair) parts.push_back({{Piece::Kind::kSecondText, /*id=*/0, /*type_id=*/1}});
      if (post_processor != nullptr) {
        absl::StatusOr<std::vector<Layout>> processed =
            post_processor->Process(std::move(parts), add_special_tokens);
        if (!processed.ok()) return processed.status();
        parts = *std::move(processed);
      }
      Layout& layout = layouts.layouts_[is_pair][add_special_tokens];
      for (const Layout& part : parts) layout.insert(layout.end(), part.begin(), part.end());
    }
  }
  return layouts;
}

}  // namespace triptych::post_processors
