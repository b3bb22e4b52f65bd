#include "models/word_filter.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace triptych::models {
namespace {

std::string RandomWord(std::mt19937& random) {
  std::string word(8 + random() % 30, ' ');
  for (char& c : word) c = static_cast<char>(random());
  return word;
}

TEST(WordFilter, HoldsAllThatWereAddedAndFewOthers) {
  std::mt19937 random(1);
  WordFilter filter;
  std::set<std::string> words;
  while (words.size() < 5'000) words.insert(RandomWord(random));
  EXPECT_FALSE(filter.MayHold(*words.begin()));
  for (const std::string& word : words) filter.Add(word);
  for (const std::string& word : words) ASSERT_TRUE(filter.MayHold(word));
  size_t others = 0;
  for (int i = 0; i < 10'000; ++i) others += filter.MayHold(RandomWord(random)) ? 1 : 0;
  EXPECT_LT(others, 1'000u);  // 5,000 of 65,536 bits: 740
}

// Of words that differ in little, as those of a vocabulary do.
TEST(WordFilter, TellsRunsOfOneLetterApart) {
  WordFilter filter;
  for (size_t size = 16; size <= 128; size *= 2) filter.Add(std::string(size, '-'));
  size_t others = 0;
  for (size_t size = 17; size < 128; ++size) {
    if ((size & (size - 1)) != 0) others += filter.MayHold(std::string(size, '-')) ? 1 : 0;
  }
  EXPECT_EQ(others, 0u);
}

}  // namespace
}  // namespace triptych::models
