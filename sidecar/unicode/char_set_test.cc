#include "unicode/char_set.h"

#include <gtest/gtest.h>

namespace triptych::unicode {
namespace {

TEST(CharSet, PropertiesByName) {
  EXPECT_TRUE(CharSet::FromProperty("Lu")->Contains('A'));
  EXPECT_FALSE(CharSet::FromProperty("Lu")->Contains('a'));
  EXPECT_TRUE(CharSet::FromProperty("L")->Contains(U'你'));
  EXPECT_TRUE(CharSet::FromProperty("Han")->Contains(U'你'));
  EXPECT_TRUE(CharSet::FromProperty("N")->Contains(U'½'));
  EXPECT_EQ(*CharSet::FromProperty("letter"), *CharSet::FromProperty("L"));
  EXPECT_EQ(*CharSet::FromProperty("Uppercase-Letter"), *CharSet::FromProperty("lu"));
  EXPECT_TRUE(CharSet::FromProperty("Old_Italic")->Contains(0x10300));
  EXPECT_FALSE(CharSet::FromProperty("Klingon").has_value());
  EXPECT_FALSE(CharSet::FromProperty("").has_value());
}

TEST(CharSet, EveryCodePointHasOneGeneralCategory) {
  CharSet all;
  for (const auto* name : {"L", "M", "N", "P", "S", "Z", "C"}) {
    const CharSet group = *CharSet::FromProperty(name);
    for (const CodePointRange& range : group.ranges()) EXPECT_FALSE(all.Contains(range.first));
    all.Add(group);
  }
  ASSERT_EQ(all.ranges().size(), 1u);
  EXPECT_TRUE(all.Complement().ranges().empty());
}

TEST(CharSet, ComplementIsItsOwnInverse) {
  CharSet set;
  set.Add('a', 'f');
  set.Add('d', 'k');
  EXPECT_EQ(set.ranges().size(), 1u);
  EXPECT_FALSE(set.Complement().Contains('e'));
  EXPECT_TRUE(set.Complement().Contains(0x10FFFF));
  EXPECT_TRUE(set.Complement().Complement().Contains('k'));
}

TEST(CharSet, Intersect) {
  const CharSet both = CharSet::Of('a', 'f').Intersect(CharSet::Of('d', 'k'));
  EXPECT_EQ(both, CharSet::Of('d', 'f'));
  EXPECT_TRUE(both.Intersect(CharSet::Of('x')).ranges().empty());
}

TEST(CharClassifier, AgreesWithItsSets) {
  const std::vector<CharSet> sets = {*CharSet::FromProperty("L"), *CharSet::FromProperty("N"),
                                     CharSet::FromProperty("Z")->Complement()};
  const CharClassifier classifier(sets);
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    for (size_t i = 0; i < sets.size(); ++i) {
      ASSERT_EQ(classifier.MaskOf(c) >> i & 1, sets[i].Contains(c) ? 1u : 0u);
    }
  }
}

}  // namespace
}  // namespace triptych::unicode
