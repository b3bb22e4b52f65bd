#include "models/byte_tokens.h"

namespace triptych::models {

std::array<std::optional<uint32_t>, 256> ByteTokenIds(const Vocabulary& vocabulary) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::array<std::optional<uint32_t>, 256> ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    const char token[] = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    ids[byte] = vocabulary.IdOf({token, sizeof(token)});
  }
  return ids;
}

}  // namespace triptych::models
