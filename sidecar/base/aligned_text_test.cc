#include "base/aligned_text.h"

#include <gtest/gtest.h>

#include "base/text_rewriter.h"

namespace triptych::base {
namespace {

TEST(AlignedText, UnchangedTextCameFromItsOwnPlace) {
  const AlignedText text("hello", 10);
  EXPECT_EQ(text.OriginOf({1, 3}), (ByteRange{11, 13}));
  EXPECT_EQ(text.Slice({2, 5}).OriginOf({0, 1}), (ByteRange{12, 13}));
}

TEST(AlignedText, ChangedTextKeepsItsOrigins) {
  AlignedText text("ab", 10);
  text.Replace("xab", {{10, 10}, {10, 11}, {11, 12}});
  EXPECT_EQ(text.OriginOf({0, 1}), (ByteRange{10, 10}));
  EXPECT_EQ(text.OriginOf({0, 3}), (ByteRange{10, 12}));
  EXPECT_EQ(text.Slice({2, 3}).OriginOf({0, 1}), (ByteRange{11, 12}));
  EXPECT_EQ(text.OriginOf({3, 3}), (ByteRange{12, 12}));
}

TEST(AlignedText, LiteralMarksFollowTheText) {
  AlignedText text("abcdef", 10);
  text.MarkLiteral({{0, 10}, {11, 13}, {15, 40}});
  EXPECT_EQ(text.LiteralRanges(), (std::vector<ByteRange>{{1, 3}, {5, 6}}));
  EXPECT_EQ(text.Slice({2, 5}).LiteralRanges(), (std::vector<ByteRange>{{0, 1}}));
}

TEST(AlignedText, IsNotLiteralWhereNoSpanTouchesIt) {
  AlignedText text("abc", 10);
  text.MarkLiteral({{3, 10}, {13, 14}});
  EXPECT_TRUE(text.LiteralRanges().empty());
}

TEST(TextRewriter, KeepingEverythingChangesNothing) {
  AlignedText text("aéb", 5);
  TextRewriter rewriter(text);
  rewriter.Keep(4);
  rewriter.Finish();
  EXPECT_EQ(text.text(), "aéb");
  EXPECT_EQ(text.OriginOf({1, 2}), (ByteRange{6, 7}));
}

TEST(TextRewriter, AnInsertedCharacterTakesTheOriginBeforeIt) {
  AlignedText text("éa", 5);
  TextRewriter rewriter(text);
  rewriter.Put("<", 1, {});
  rewriter.Keep(2);
  rewriter.Put("-", 1, {});
  rewriter.Replace(1, "ZZ");
  rewriter.Finish();
  EXPECT_EQ(text.text(), "<é-ZZ");
  EXPECT_EQ(text.OriginOf({0, 1}), (ByteRange{5, 5}));
  EXPECT_EQ(text.OriginOf({3, 4}), (ByteRange{5, 7}));
  EXPECT_EQ(text.OriginOf({4, 5}), (ByteRange{7, 8}));
}

TEST(TextRewriter, AComposedCharacterTakesTheOriginOfItsFirstPart) {
  AlignedText text("e\u0301b", 5);
  text.MarkLiteral({{6, 8}});
  TextRewriter rewriter(text);
  rewriter.Put("é", -1, {0, 3});
  EXPECT_EQ(rewriter.place(), 3);
  rewriter.Keep(1);
  rewriter.Finish();
  EXPECT_EQ(text.OriginOf({0, 2}), (ByteRange{5, 6}));
  EXPECT_EQ(text.OriginOf({2, 3}), (ByteRange{8, 9}));
  // Half of it was literal, though not the half that its origin tells.
  EXPECT_EQ(text.LiteralRanges(), (std::vector<ByteRange>{{0, 2}}));
}

TEST(TextRewriter, RemovedBytesVanishWithTheirMarks) {
  AlignedText text(" ab ", 0);
  text.MarkLiteral({{0, 1}, {3, 4}});
  TextRewriter rewriter(text);
  rewriter.Remove(1);
  rewriter.Keep(2);
  rewriter.Finish();
  EXPECT_EQ(text.text(), "ab");
  EXPECT_EQ(text.OriginOf({0, 2}), (ByteRange{1, 3}));
  EXPECT_TRUE(text.LiteralRanges().empty());
}

TEST(TextRewriter, RewritesARewrittenText) {
  AlignedText text("abc", 0);
  for (int i = 0; i < 2; ++i) {
    TextRewriter rewriter(text);
    rewriter.Remove(1);
    rewriter.Put("x", 1, {0, 1});
    rewriter.Put("y", 1, {});
    rewriter.Keep(text.text().size() - 1);
    rewriter.Finish();
  }
  EXPECT_EQ(text.text(), "xyybc");
  EXPECT_EQ(text.OriginOf({0, 3}), (ByteRange{0, 1}));
  EXPECT_EQ(text.OriginOf({3, 4}), (ByteRange{1, 2}));
}

TEST(TextRewriter, InsertedAtTheBeginningIsWhereTheTextBeganBeforeItChanged) {
  AlignedText text("  a", 4);
  TextRewriter strip(text);
  strip.Remove(2);
  strip.Keep(1);
  strip.Finish();
  TextRewriter insert(text);
  insert.Put("x", 1, {});
  insert.Keep(1);
  insert.Finish();
  EXPECT_EQ(text.OriginOf({0, 1}), (ByteRange{4, 4}));
  EXPECT_EQ(text.OriginOf({1, 2}), (ByteRange{6, 7}));
}

TEST(ByteRange, OverlapsOnlyWhereAByteIsShared) {
  EXPECT_TRUE((ByteRange{0, 2}).Overlaps({1, 3}));
  EXPECT_FALSE((ByteRange{0, 2}).Overlaps({2, 3}));
  EXPECT_FALSE((ByteRange{0, 2}).Overlaps({1, 1}));
}

}  // namespace
}  // namespace triptych::base
