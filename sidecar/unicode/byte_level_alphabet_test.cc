#include "unicode/byte_level_alphabet.h"

#include <gtest/gtest.h>

namespace triptych::unicode {
namespace {

TEST(ByteLevelAlphabet, EveryByteSurvives) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character = ByteLevelCharacter(static_cast<uint8_t>(byte));
    EXPECT_EQ(FromByteLevel(character), std::string(1, static_cast<char>(byte)));
  }
}

TEST(ByteLevelAlphabet, KnownCharacters) {
  EXPECT_EQ(ByteLevelCharacter(' '), "Ġ");
  EXPECT_EQ(ByteLevelCharacter('\n'), "Ċ");
  EXPECT_EQ(ToByteLevel(" the"), "Ġthe");
  EXPECT_EQ(FromByteLevel("Ġthe"), " the");
}

TEST(ByteLevelAlphabet, OtherCharactersAreRefused) {
  EXPECT_FALSE(FromByteLevel("a b").has_value());
  EXPECT_FALSE(FromByteLevel("<｜end｜>").has_value());
}

}  // namespace
}  // namespace triptych::unicode
