#include "unicode/utf8.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace triptych::unicode {
namespace {

std::string Repaired(std::string_view bytes, size_t cut) {
  Utf8Repairer repairer;
  std::string text;
  repairer.Append(bytes.substr(0, cut), text);
  EXPECT_FALSE(FindInvalidUtf8(text).has_value()) << "half a character came out";
  repairer.Append(bytes.substr(cut), text);
  repairer.Flush(text);
  return text;
}

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, text);
    ASSERT_EQ(DecodeAt(text, 0).value, c);
    ASSERT_EQ(DecodeAt(text, 0).size, text.size());
    ASSERT_EQ(PreviousBoundary(text, text.size()), 0u);
    ASSERT_FALSE(FindInvalidUtf8(text).has_value());
  }
}

TEST(Utf8, InvalidBytesAreFound) {
  const std::vector<std::pair<std::string, size_t>> cases = {
      {"a\x80", 1},
      {"a\xC0\x80", 1},
      {"\xE0\x80\x80", 0},
      {"\xED\xA0\x80", 0},
      {"\xF4\x90\x80\x80", 0},
      {"\xF5", 0},
      {"ab\xE2\x82", 2},
      {"\xFF", 0},
  };
  for (const auto& [bytes, at] : cases) EXPECT_EQ(FindInvalidUtf8(bytes), at);
}

// By the table of well-formed sequences, code point by code point.
bool IsPlainlyValid(std::string_view bytes) {
  const auto byte = [&](size_t i) -> uint32_t {
    return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0;
  };
  for (size_t at = 0; at < bytes.size();) {
    const uint32_t lead = byte(at);
    const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t value = size == 1 ? lead : lead & (0x7Fu >> size);
    for (size_t i = 1; i < size; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return false;
      value = value << 6 | (byte(at + i) & 0x3F);
    }
    const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if ((lead >= 0x80 && lead < 0xC0) || lead > 0xF4) return false;
    if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      return false;
    at += size;
  }
  return true;
}

TEST(Utf8, FourBytesOfEveryKindAreJudgedAlikeEverywhereInABlock) {
  const uint8_t kinds[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                           0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                           0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};
  constexpr size_t kKinds = std::size(kinds);
  for (size_t number = 0; number < kKinds * kKinds * kKinds * kKinds; ++number) {
    std::string four;
    for (size_t rest = number, i = 0; i < 4; ++i, rest /= kKinds) {
      four.push_back(static_cast<char>(kinds[rest % kKinds]));
    }
    const bool expected = IsPlainlyValid(four);
    const size_t before = number % 67;
    const std::string text = std::string(before, 'a') + four + std::string(number % 40, 'z');
    const bool expected_of_text = expected && IsPlainlyValid(text);
    for (const auto& [name, is_valid] : Utf8Checks()) {
      ASSERT_EQ(is_valid(text), expected_of_text) << number << " " << name;
      if (before % 32 == 28) {
        // At the very end of a block.
        ASSERT_EQ(is_valid(std::string(28, 'a') + four), expected) << number << " " << name;
      }
    }
  }
}

TEST(Utf8Repairer, EachMaximalBrokenPieceIsOneReplacement) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ok", "ok"},
      {"\xE2\x82", "\uFFFD"},
      {"\xE2\x82z", "\uFFFDz"},
      {"\xF0\x9F\x98\xF0\x9F\x98\x80", "\uFFFD\U0001F600"},
      {"\xC0\xAF", "\uFFFD\uFFFD"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"a\x80\x80"
       "b",
       "a\uFFFD\uFFFDb"},
  };
  for (const auto& [bytes, text] : cases) {
    for (size_t cut = 0; cut <= bytes.size(); ++cut) EXPECT_EQ(Repaired(bytes, cut), text);
  }
}

}  // namespace
}  // namespace triptych::unicode
