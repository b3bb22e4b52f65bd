#include "decoders/byte_level.h"

#include "unicode/byte_level_alphabet.h"

namespace triptych::decoders {

std::string ByteLevel::BytesOf(std::string_view token) const {
  return unicode::FromByteLevel(token).value_or(std::string(token));
}

}  // namespace triptych::decoders
