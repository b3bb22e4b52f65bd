#include "unicode/byte_level_alphabet.h"

#include <array>
#include <cstddef>

#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr size_t kPastTheAlphabet = 0x100 + 68;

bool StandsForItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

struct Alphabet {
  std::array<char32_t, 256> character_of;
  std::array<int16_t, kPastTheAlphabet> byte_of;  // -1: not of the alphabet
};

const Alphabet& GetAlphabet() {
  static const Alphabet alphabet = [] {
    Alphabet built;
    built.byte_of.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t character = StandsForItself(byte) ? static_cast<char32_t>(byte) : next++;
      built.character_of[byte] = character;
      built.byte_of[character] = static_cast<int16_t>(byte);
    }
    return built;
  }();
  return alphabet;
}

}  // namespace

std::string ByteLevelCharacter(uint8_t byte) {
  std::string character;
  AppendUtf8(GetAlphabet().character_of[byte], character);
  return character;
}

std::string ToByteLevel(std::string_view bytes) {
  std::string written;
  for (const char byte : bytes) {
    AppendUtf8(GetAlphabet().character_of[static_cast<uint8_t>(byte)], written);
  }
  return written;
}

std::optional<std::string> FromByteLevel(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const auto [code_point, size] = DecodeAt(text, at);
    if (code_point >= kPastTheAlphabet || GetAlphabet().byte_of[code_point] < 0)
      return std::nullopt;
    bytes.push_back(static_cast<char>(GetAlphabet().byte_of[code_point]));
    at += size;
  }
  return bytes;
}

}  // namespace triptych::unicode
