#include "unicode/nfc_check.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unicode/canonical.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

std::string Of(std::initializer_list<char32_t> code_points) {
  std::string text;
  for (const char32_t c : code_points) AppendUtf8(c, text);
  return text;
}

void ExpectExact(const std::string& text) {
  const std::string composed = ToNfc(text).text;
  ASSERT_EQ(IsNfc(text), composed == text) << testing::PrintToString(text);
  ASSERT_EQ(NfcOf(text), composed) << testing::PrintToString(text);
}

TEST(NfcCheck, IsExactForEveryCodePointBetweenOthers) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    for (const auto& text : {Of({c}), Of({U'a', c}), Of({c, 0x301}), Of({c, 0x323, c}),
                             Of({0x1100, c}), Of({0xAC00, c, U'x'})}) {
      ExpectExact(text);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(NfcCheck, IsExactForRandomTexts) {
  std::mt19937 random(5);
  std::vector<char32_t> interesting = {U'a', U'e', U' ', 0xE9, 0x1EA1, 0x4E16, 0xAC00, 0xAC01};
  for (size_t i = 0; i < kCombiningClassesSize; i += 7) {
    interesting.push_back(kCombiningClasses[i].code_point);
  }
  for (size_t i = 0; i < kCompositionsSize; i += 11) {
    for (const char32_t c :
         {kCompositions[i].first, kCompositions[i].second, kCompositions[i].composite}) {
      interesting.push_back(c);
    }
  }
  for (char32_t c : {0x1100, 0x1161, 0x11A8}) interesting.push_back(c);
  for (int round = 0; round < 300'000; ++round) {
    std::string text;
    for (size_t i = 0, n = random() % 8; i < n; ++i) {
      AppendUtf8(interesting[random() % interesting.size()], text);
    }
    ExpectExact(text);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace triptych::unicode
