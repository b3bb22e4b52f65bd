// One example of each pre-tokenizer. That they agree with `tokenizers` in everything is tested by
// tests/unit/tokenizer/test_pre_tokenizers.py.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pre_tokenizers/bert.h"
#include "pre_tokenizers/byte_level.h"
#include "pre_tokenizers/char_delimiter_split.h"
#include "pre_tokenizers/digits.h"
#include "pre_tokenizers/fixed_length.h"
#include "pre_tokenizers/metaspace.h"
#include "pre_tokenizers/punctuation.h"
#include "pre_tokenizers/sequence.h"
#include "pre_tokenizers/unicode_scripts.h"
#include "pre_tokenizers/whitespace.h"
#include "pre_tokenizers/whitespace_split.h"

namespace triptych::pre_tokenizers {
namespace {

using Strings = std::vector<std::string>;

PreTokenizedText Cut(const PreTokenizer& pre_tokenizer, std::string_view text, uint32_t origin) {
  PreTokenizedText pre_tokenized(base::AlignedText(text, origin));
  EXPECT_TRUE(pre_tokenizer.PreTokenize(pre_tokenized).ok());
  return pre_tokenized;
}

Strings Pieces(const PreTokenizer& pre_tokenizer, std::string_view text, uint32_t origin = 0) {
  const PreTokenizedText pre_tokenized = Cut(pre_tokenizer, text, origin);
  Strings pieces;
  for (const base::ByteRange& piece : pre_tokenized.pieces) {
    pieces.push_back(pre_tokenized.text.text().substr(piece.begin, piece.size()));
  }
  return pieces;
}

ByteLevel Bytes(bool add_prefix_space, bool use_regex,
                ByteLevel::Output output = ByteLevel::Output::kBytes) {
  return *ByteLevel::Create(add_prefix_space, use_regex, output);
}

TEST(ByteLevel, PutsASpaceInFrontAndCuts) {
  EXPECT_EQ(Pieces(Bytes(true, true), "Hello world's"), (Strings{" Hello", " world", "'s"}));
  EXPECT_EQ(Pieces(Bytes(true, false), " a"), Strings{" a"});
  EXPECT_EQ(Pieces(Bytes(false, false), "a b"), Strings{"a b"});
  EXPECT_EQ(Pieces(Bytes(true, true), ""), Strings{});
}

TEST(ByteLevel, ThePrefixSpaceCountsToTheFirstCharacter) {
  const PreTokenizedText text = Cut(Bytes(true, false), "éb", 7);
  EXPECT_EQ(text.text.OriginOf({0, 1}), (base::ByteRange{7, 9}));
  EXPECT_EQ(text.text.OriginOf({0, 4}), (base::ByteRange{7, 10}));
}

TEST(ByteLevel, WritesTheAlphabetWhereALaterStepSeesIt) {
  const ByteLevel byte_level = Bytes(true, true, ByteLevel::Output::kAlphabet);
  EXPECT_FALSE(byte_level.yields_bytes());
  EXPECT_EQ(Pieces(byte_level, "é b"), (Strings{"ĠÃ©", "Ġb"}));
  EXPECT_EQ(Cut(byte_level, "aé", 7).text.OriginOf({3, 5}), (base::ByteRange{8, 9}));
}

TEST(Sequence, YieldsBytesWhereItsLastStepDoes) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  EXPECT_FALSE(Sequence({}).yields_bytes());
  steps.push_back(std::make_unique<Digits>(true));
  steps.push_back(std::make_unique<ByteLevel>(Bytes(false, true)));
  const Sequence sequence(std::move(steps));
  EXPECT_TRUE(sequence.yields_bytes());
  EXPECT_EQ(Pieces(sequence, "a 12"), (Strings{"a", " ", "1", "2"}));
}

TEST(Metaspace, WritesTheReplacementAndCutsInFrontOfIt) {
  EXPECT_EQ(Pieces(Metaspace(U'▁', PrependScheme::kAlways, true), "Hey  you"),
            (Strings{"▁Hey", "▁", "▁you"}));
  EXPECT_EQ(Pieces(Metaspace(U'▁', PrependScheme::kAlways, false), " Hey you"),
            (Strings{"▁Hey▁you"}));
  EXPECT_EQ(Pieces(Metaspace(U'▁', PrependScheme::kNever, true), "a▁b"), (Strings{"a", "▁b"}));
}

TEST(Metaspace, FirstIsTheFirstByteOfTheRequest) {
  const Metaspace metaspace(U'▁', PrependScheme::kFirst, true);
  EXPECT_EQ(Pieces(metaspace, "a", 0), Strings{"▁a"});
  EXPECT_EQ(Pieces(metaspace, "a", 4), Strings{"a"});
}

TEST(Digits, TogetherOrOneByOne) {
  EXPECT_EQ(Pieces(Digits(false), "a12b½"), (Strings{"a", "12", "b", "½"}));
  EXPECT_EQ(Pieces(Digits(true), "a12b"), (Strings{"a", "1", "2", "b"}));
}

TEST(Punctuation, CutsAtSymbolsOfAsciiToo) {
  EXPECT_EQ(Pieces(Punctuation(SplitBehavior::kContiguous), "a$+b€"), (Strings{"a", "$+", "b€"}));
}

TEST(WhitespaceSplit, DropsWhiteSpace) {
  EXPECT_EQ(Pieces(WhitespaceSplit(), " a,\u3000b "), (Strings{"a,", "b"}));
}

TEST(Whitespace, WordsAndTheRest) {
  EXPECT_EQ(Pieces(Whitespace(), "a_1, b!!\n"), (Strings{"a_1", ",", "b", "!!"}));
}

TEST(Bert, DropsWhiteSpaceAndCutsAtPunctuation) {
  EXPECT_EQ(Pieces(Bert(), "Hey, you"), (Strings{"Hey", ",", "you"}));
}

TEST(CharDelimiterSplit, DropsTheDelimiter) {
  EXPECT_EQ(Pieces(CharDelimiterSplit(U'é'), "aébéé"), (Strings{"a", "b"}));
}

TEST(UnicodeScripts, CutsWhereTheScriptChanges) {
  EXPECT_EQ(Pieces(UnicodeScripts(), "  abc где1 ひカ漢ー"),
            (Strings{"abc ", "где", "1 ", "ひカ漢ー"}));
  EXPECT_EQ(Pieces(UnicodeScripts(), "  "), Strings{});
}

TEST(FixedLength, CountsCharacters) {
  EXPECT_EQ(Pieces(*FixedLength::Create(2), "aébcd"), (Strings{"aé", "bc", "d"}));
  EXPECT_FALSE(FixedLength::Create(0).ok());
}

}  // namespace
}  // namespace triptych::pre_tokenizers
