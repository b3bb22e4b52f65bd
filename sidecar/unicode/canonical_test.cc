#include "unicode/canonical.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

TEST(Canonical, ComposesAsTokenizersDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"plain", "plain"},
      {"e\u0301", "é"},
      {"a\u0323\u0302", "ậ"},
      {"a\u0302\u0323", "ậ"},  // marks are sorted
      {"\u1100\u1161\u11A8", "각"},
      {"\u0345\u0334", "\u0334\u0345"},
      {"\u0344", "\u0308\u0301"},  // excluded from composition
      {"\u212B", "Å"},             // a singleton
      {"e\u0327\u0301", "\u0229\u0301"},
      {"\u0301e", "\u0301e"},
  };
  for (const auto& [text, composed] : cases) {
    EXPECT_EQ(ToNfc(text).text, composed);
    EXPECT_EQ(ToNfc(composed).text, composed);
    if (text != composed) {
      EXPECT_FALSE(IsSurelyNfc(text)) << text;
    }
  }
}

TEST(Canonical, SurelyNfcIsNeverWrong) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text = "a";
    AppendUtf8(c, text);
    if (IsSurelyNfc(text)) {
      ASSERT_EQ(ToNfc(text).text, text) << std::hex << static_cast<uint32_t>(c);
    }
  }
}

TEST(Canonical, OriginsCoverWhatWasComposed) {
  const Composed composed = ToNfc("xe\u0301y");
  ASSERT_EQ(composed.text, "xéy");
  EXPECT_EQ(composed.origins, (std::vector<base::ByteRange>{{0, 1}, {1, 4}, {1, 4}, {4, 5}}));
}

}  // namespace
}  // namespace triptych::unicode
