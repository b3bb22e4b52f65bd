#include "models/character_ids.h"

#include <optional>
#include <string_view>

#include "unicode/utf8.h"

namespace triptych::models {

CharacterIds::CharacterIds(const Vocabulary& vocabulary) {
  for (uint32_t id = 0; id < vocabulary.id_limit(); ++id) {
    const std::optional<std::string_view> token = vocabulary.TokenOf(id);
    if (!token.has_value() || token->empty() || !unicode::IsValidUtf8(*token)) continue;
    const auto [character, size] = unicode::DecodeCharacter(token->data());
    if (size != token->size()) continue;
    uint16_t& block = block_of_[character / kBlock];
    if (block == 0) {
      block = static_cast<uint16_t>(blocks_.size());
      blocks_.push_back(kNothing);
    }
    blocks_[block][character % kBlock] = id;
  }
}

}  // namespace triptych::models
