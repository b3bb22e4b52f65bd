#include "normalizers/sentence_piece.h"

#include <gtest/gtest.h>

#include <string>

#include "base/aligned_text.h"

namespace triptych::normalizers {
namespace {

std::string Normalized(const SentencePieceOptions& options, std::string_view text) {
  const auto normalizer = SentencePiece::Create(options);
  EXPECT_TRUE(normalizer.ok());
  base::AlignedText aligned(text, 0);
  EXPECT_TRUE(normalizer->Normalize(aligned).ok());
  return aligned.text();
}

TEST(SentencePieceNormalizer, TreatsSpacesAsItsOptionsSay) {
  EXPECT_EQ(Normalized({}, "  a  b "), "▁a▁b");
  EXPECT_EQ(Normalized({}, "  "), "");
  EXPECT_EQ(Normalized({.add_dummy_prefix = false}, " a b"), "a▁b");
  EXPECT_EQ(Normalized({.remove_extra_whitespaces = false}, " a  b "), "▁▁a▁▁b▁");
  EXPECT_EQ(Normalized({.escape_whitespaces = false}, " a  b "), " a b");
  EXPECT_EQ(Normalized({.treat_whitespace_as_suffix = true}, "a b"), "a▁b▁");
  EXPECT_EQ(Normalized({.remove_extra_whitespaces = false}, ""), "");
}

TEST(SentencePieceNormalizer, KnowsWhereEachByteCameFrom) {
  const auto normalizer = SentencePiece::Create({});
  base::AlignedText text(" a  é", 10);
  ASSERT_TRUE(normalizer->Normalize(text).ok());
  ASSERT_EQ(text.text(), "▁a▁é");
  EXPECT_EQ(text.OriginOf({0, 3}), (base::ByteRange{11, 11}));  // the dummy prefix
  EXPECT_EQ(text.OriginOf({3, 4}), (base::ByteRange{11, 12}));
  EXPECT_EQ(text.OriginOf({4, 7}), (base::ByteRange{12, 13}));
  EXPECT_EQ(text.OriginOf({7, 9}), (base::ByteRange{14, 16}));
}

// A double array by hand: it maps "a" to "xy" and leads round in circles for all else.
TEST(SentencePieceNormalizer, AppliesRulesAndSurvivesHostileOnes) {
  const auto table = [](uint32_t fill) {
    std::string rules(4 + 1024, '\0');
    const auto put = [&](size_t at, uint32_t value) {
      for (size_t i = 0; i < 4; ++i) rules[at + i] = static_cast<char>(value >> (8 * i));
    };
    put(0, 1024);
    for (size_t i = 0; i < 256; ++i) put(4 + 4 * i, fill | static_cast<uint32_t>(i));
    put(4, 0);
    put(4 + 4 * 'a', 1u << 10 | 1u << 8 | 'a');  // its value is at 'a' ^ 1
    put(4 + 4 * ('a' ^ 1), 0x80000000u);
    return rules + std::string("xy\0", 3);
  };
  const std::string good = table(0x80000000u);
  EXPECT_EQ(Normalized({.rules = good, .add_dummy_prefix = false}, "bab"), "bxyb");
  const std::string circular = table(0);
  EXPECT_FALSE(Normalized({.rules = circular}, std::string(100'000, 'c')).empty());
  for (const std::string& bad :
       {std::string("abc"), good.substr(0, 1028), good + "z", std::string(2000, '\xFF')}) {
    EXPECT_FALSE(SentencePiece::Create({.rules = bad}).ok());
  }
}

TEST(SentencePieceNormalizer, LeavesUserDefinedPiecesAsTheyAre) {
  EXPECT_EQ(Normalized({.verbatim = {"  "}}, "a  b"), "▁a▁▁b");
}

}  // namespace
}  // namespace triptych::normalizers
