#include "unicode/utf8.h"

#include <gtest/gtest.h>

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
