// The token for a piece that a word model cannot express.
#ifndef SIDECAR_MODELS_UNKNOWN_TOKEN_H_
#define SIDECAR_MODELS_UNKNOWN_TOKEN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "models/model.h"

namespace triptych::models {

// Appends `unk_token` for the whole of `piece`. INVALID_ARGUMENT where the vocabulary lacks it:
// `tokenizers` too finds out only when a text needs it.
[[nodiscard]] inline absl::Status AppendUnknown(const Vocabulary& vocabulary,
                                                std::string_view unk_token, std::string_view piece,
                                                std::vector<Token>& out) {
  const auto id = vocabulary.IdOf(unk_token);
  if (!id.has_value()) {
    return absl::InvalidArgumentError(base::StrCat("text: a word needs the unknown token \"",
                                                   unk_token,
                                                   "\", which is not in the vocabulary"));
  }
  out.push_back({*id, {0, static_cast<uint32_t>(piece.size())}});
  return absl::OkStatus();
}

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_UNKNOWN_TOKEN_H_
