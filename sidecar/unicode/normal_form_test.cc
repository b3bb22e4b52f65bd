#include "unicode/normal_form.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

using base::ByteRange;

base::AlignedText Normalized(NormalFormKind kind, const std::string& text,
                             TableVersion version = TableVersion::kTokenizers023) {
  base::AlignedText aligned(text, 0);
  NormalForm(kind, version).Apply(aligned);
  return aligned;
}

std::vector<ByteRange> Origins(const base::AlignedText& text) {
  std::vector<ByteRange> origins;
  for (uint32_t i = 0; i < text.text().size(); ++i) origins.push_back(text.OriginOf({i, i + 1}));
  return origins;
}

TEST(NormalForm, IsThatOfTokenizers) {
  struct Case {
    std::string text, nfc, nfd, nfkc, nfkd;
  };
  const std::vector<Case> cases = {
      {"plain", "plain", "plain", "plain", "plain"},
      {"e\u0301", "é", "e\u0301", "é", "e\u0301"},
      {"a\u0302\u0323", "ậ", "a\u0323\u0302", "ậ", "a\u0323\u0302"},  // marks are sorted
      {"각", "각", "\u1100\u1161\u11A8", "각", "\u1100\u1161\u11A8"},
      {"\u1100\u1161\u11A8", "각", "\u1100\u1161\u11A8", "각", "\u1100\u1161\u11A8"},
      {"\u0345\u0334", "\u0334\u0345", "\u0334\u0345", "\u0334\u0345", "\u0334\u0345"},
      {"\u0344", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301"},
      {"\u212B", "Å", "A\u030A", "Å", "A\u030A"},
      {"e\u0327\u0301", "\u0229\u0301", "e\u0327\u0301", "\u0229\u0301", "e\u0327\u0301"},
      {"\u0301e", "\u0301e", "\u0301e", "\u0301e", "\u0301e"},
      {"\uFB01\u0301", "\uFB01\u0301", "\uFB01\u0301", "f\u00ED", "fi\u0301"},
      {"㍿", "㍿", "㍿", "株式会社", "株式会社"},
      {"ｶﾞ", "ｶﾞ", "ｶﾞ", "ガ", "カ\u3099"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Normalized(NormalFormKind::kNfc, c.text).text(), c.nfc);
    EXPECT_EQ(Normalized(NormalFormKind::kNfd, c.text).text(), c.nfd);
    EXPECT_EQ(Normalized(NormalFormKind::kNfkc, c.text).text(), c.nfkc);
    EXPECT_EQ(Normalized(NormalFormKind::kNfkd, c.text).text(), c.nfkd);
  }
}

TEST(NormalForm, TheSeriesDifferInYoungCharacters) {
  const std::string text = "\u32FF";  // the era Reiwa, of Unicode 12
  EXPECT_EQ(Normalized(NormalFormKind::kNfkc, text).text(), text);
  EXPECT_EQ(Normalized(NormalFormKind::kNfkc, text, TableVersion::kTokenizers10).text(), "令和");
}

TEST(NormalForm, AComposedCharacterHasTheOriginOfItsFirstPart) {
  const base::AlignedText text = Normalized(NormalFormKind::kNfc, "xe\u0301y");
  ASSERT_EQ(text.text(), "xéy");
  EXPECT_EQ(Origins(text), (std::vector<ByteRange>{{0, 1}, {1, 2}, {1, 2}, {4, 5}}));
}

TEST(NormalForm, WhatWasComposedOfLiteralBytesIsLiteral) {
  base::AlignedText text("xe\u0301y", 0);
  text.MarkLiteral({{2, 4}});
  NormalForm(NormalFormKind::kNfc, TableVersion::kTokenizers023).Apply(text);
  EXPECT_EQ(text.LiteralRanges(), (std::vector<ByteRange>{{1, 3}}));
}

TEST(NormalForm, IsTheSameOfItselfAndInAnySurroundings) {
  for (const auto kind :
       {NormalFormKind::kNfc, NormalFormKind::kNfd, NormalFormKind::kNfkc, NormalFormKind::kNfkd}) {
    const NormalForm form(kind, TableVersion::kTokenizers10);
    for (char32_t c = 1; c <= 0x10FFFF; ++c) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string alone;
      AppendUtf8(c, alone);
      base::AlignedText once(alone, 0), within("-" + alone + "-", 0);
      form.Apply(once);
      form.Apply(within);
      base::AlignedText twice(once.text(), 0);
      form.Apply(twice);
      ASSERT_EQ(once.text(), twice.text()) << std::hex << static_cast<uint32_t>(c);
      ASSERT_EQ(within.text(), "-" + once.text() + "-") << std::hex << static_cast<uint32_t>(c);
    }
  }
}

}  // namespace
}  // namespace triptych::unicode
