// That the tables agree with Oniguruma for every character is tested by
// tests/unit/tokenizer/test_regular_expressions.py.
#include "unicode/case_folding.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unicode/regex_tables.h"

namespace triptych::unicode {
namespace {

TEST(CaseFolding, OneCharacter) {
  EXPECT_TRUE(IgnoreCase(U'k').Contains(0x212A));
  EXPECT_TRUE(IgnoreCase(U'σ').Contains(U'ς'));
  EXPECT_EQ(IgnoreCase(U'1'), CharSet::Of('1'));
  CharSet both = CharSet::Of('A', 'Z');
  both.Add('a', 'z');
  EXPECT_TRUE(IgnoreCase(CharSet::Of('a', 'z')).Intersect(both) == both);
}

TEST(CaseFolding, EveryRingIsClosed) {
  constexpr size_t kLargestRing = 4;
  for (size_t i = 0; i < kCaseLinksSize; ++i) {
    if (i > 0) {
      ASSERT_LT(kCaseLinks[i - 1].code_point, kCaseLinks[i].code_point);
    }
    char32_t at = kCaseLinks[i].next;
    for (size_t steps = 1; at != kCaseLinks[i].code_point; ++steps) {
      ASSERT_LT(steps, kLargestRing);
      const CaseLink* link =
          std::lower_bound(kCaseLinks, kCaseLinks + kCaseLinksSize, at,
                           [](const CaseLink& a, char32_t c) { return a.code_point < c; });
      ASSERT_TRUE(link != kCaseLinks + kCaseLinksSize && link->code_point == at);
      at = link->next;
    }
  }
}

TEST(CaseFolding, SeveralCharacters) {
  EXPECT_EQ(MultipleFoldOf(U'ß'), U"ss");
  EXPECT_FALSE(MultipleFoldOf(U's').has_value());
  EXPECT_EQ(SingleCharactersFor(U"Ssx").size, 2u);
  EXPECT_TRUE(SingleCharactersFor(U"Ssx").set.Contains(U'ß'));
  EXPECT_EQ(SingleCharactersFor(U"ffi").size, 3u);
  EXPECT_EQ(SingleCharactersFor(U"xyz").size, 0u);
  CharSet ligatures = CharSet::Of(0xFB00, 0xFB06);
  const std::vector<std::u32string> folds = MultipleFoldsOf(ligatures);
  EXPECT_EQ(folds.size(), 6u);  // ſt and st fold to the same
  EXPECT_EQ(folds.front().size(), 2u);
  EXPECT_EQ(folds.back().size(), 3u);
}

}  // namespace
}  // namespace triptych::unicode
