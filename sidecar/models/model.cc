#include "models/model.h"

namespace triptych::models {

absl::Status Model::AppendIds(std::string_view text, size_t begin, std::span<const uint32_t> ends,
                              std::vector<uint32_t>& ids) const {
  std::vector<Token> tokens;
  for (const uint32_t end : ends) {
    absl::Status made = Tokenize(text.substr(begin, end - begin), tokens);
    if (!made.ok()) return made;
    begin = end;
  }
  for (const Token& token : tokens) ids.push_back(token.id);
  return absl::OkStatus();
}

}  // namespace triptych::models
