#include "base/aligned_text.h"

#include <gtest/gtest.h>

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

TEST(ByteRange, OverlapsOnlyWhereAByteIsShared) {
  EXPECT_TRUE((ByteRange{0, 2}).Overlaps({1, 3}));
  EXPECT_FALSE((ByteRange{0, 2}).Overlaps({2, 3}));
  EXPECT_FALSE((ByteRange{0, 2}).Overlaps({1, 1}));
}

}  // namespace
}  // namespace triptych::base
