#include "pre_tokenizers/split.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace triptych::pre_tokenizers {
namespace {

std::vector<std::string> Pieces(const PreTokenizer& pre_tokenizer, std::string_view text) {
  PreTokenizedText pre_tokenized(base::AlignedText(text, 0));
  EXPECT_TRUE(pre_tokenizer.PreTokenize(pre_tokenized).ok());
  std::vector<std::string> pieces;
  for (const base::ByteRange& piece : pre_tokenized.pieces) {
    pieces.push_back(pre_tokenized.text.text().substr(piece.begin, piece.size()));
  }
  return pieces;
}

using Strings = std::vector<std::string>;

TEST(Split, Behaviors) {
  const std::vector<std::pair<SplitBehavior, Strings>> cases = {
      {SplitBehavior::kRemoved, {"the", "final", "cut"}},
      {SplitBehavior::kIsolated, {"the", "-", "final", "-", "-", "cut"}},
      {SplitBehavior::kMergedWithPrevious, {"the-", "final-", "-", "cut"}},
      {SplitBehavior::kMergedWithNext, {"the", "-final", "-", "-cut"}},
      {SplitBehavior::kContiguous, {"the", "-", "final", "--", "cut"}},
  };
  for (const auto& [behavior, pieces] : cases) {
    EXPECT_EQ(Pieces(*Split::CreateFromString("-", behavior, false), "the-final--cut"), pieces);
    EXPECT_EQ(Pieces(*Split::CreateFromRegex("-", behavior, false), "the-final--cut"), pieces);
  }
}

TEST(Split, InvertedKeepsWhatMatches) {
  const auto split = Split::CreateFromRegex("[a-z]+", SplitBehavior::kRemoved, /*invert=*/true);
  EXPECT_EQ(Pieces(*split, "the-final--cut"), (Strings{"the", "final", "cut"}));
}

TEST(Split, NothingAndNoMatch) {
  const auto split = Split::CreateFromString("-", SplitBehavior::kIsolated, false);
  EXPECT_EQ(Pieces(*split, ""), Strings{});
  EXPECT_EQ(Pieces(*split, "abc"), Strings{"abc"});
}

TEST(Split, AnEmptyStringCutsBetweenAllCharacters) {
  const auto split = Split::CreateFromString("", SplitBehavior::kIsolated, false);
  EXPECT_EQ(Pieces(*split, "aéb"), (Strings{"a", "é", "b"}));
}

}  // namespace
}  // namespace triptych::pre_tokenizers
