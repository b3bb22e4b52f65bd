// Tested by word_models_test.cc.
#include "models/word_level.h"

#include "models/unknown_token.h"

namespace triptych::models {

absl::Status WordLevel::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  if (piece.empty()) return absl::OkStatus();
  const auto id = vocabulary_.IdOf(piece);
  if (!id.has_value()) return AppendUnknown(vocabulary_, unk_token_, piece, out);
  out.push_back({*id, {0, static_cast<uint32_t>(piece.size())}});
  return absl::OkStatus();
}

}  // namespace triptych::models
