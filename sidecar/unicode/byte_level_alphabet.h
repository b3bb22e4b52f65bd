// The byte-level alphabet of GPT-2: 256 printable characters, one for each byte.
//
// Vocabularies of byte-level models are written in it, because JSON cannot hold arbitrary bytes:
// the printable bytes of Latin-1 stand for themselves, the other 68 are U+0100, U+0101, ... in
// order, so " the" is written "Ġthe". The sidecar translates vocabularies when it loads them and
// works on plain bytes afterwards.
#ifndef SIDECAR_UNICODE_BYTE_LEVEL_ALPHABET_H_
#define SIDECAR_UNICODE_BYTE_LEVEL_ALPHABET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace triptych::unicode {

// The character that stands for `byte`, in UTF-8: 0x20 -> "Ġ".
[[nodiscard]] std::string ByteLevelCharacter(uint8_t byte);

// What stands for `bytes`: " the" -> "Ġthe".
[[nodiscard]] std::string ToByteLevel(std::string_view bytes);

// The bytes that `text` stands for ("Ġthe" -> " the"), or nothing where a character of it is not of
// the alphabet. REQUIRES: valid UTF-8.
[[nodiscard]] std::optional<std::string> FromByteLevel(std::string_view text);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_BYTE_LEVEL_ALPHABET_H_
