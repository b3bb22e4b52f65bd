#include "models/batch_merger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "models/random_merges.h"

namespace triptych::models {
namespace {

constexpr uint32_t kMaxIdLimit = (1u << 22) - 1;

// The ids of the word, merged as the definition says.
std::vector<uint32_t> MergedIds(const MergeTable& merges, const ShortWord& word) {
  Symbols symbols;
  for (size_t i = 0; i < word.size; ++i) symbols.push_back({word.ids[i], 1});
  std::vector<uint32_t> ids;
  for (const Symbol& symbol : MergePlainly(merges, symbols)) ids.push_back(symbol.id);
  return ids;
}

std::vector<uint32_t> IdsOf(const ShortWord& word) {
  return {word.ids.begin(), word.ids.begin() + word.size};
}

ShortWord RandomWord(std::mt19937& random, uint32_t first, uint32_t letters, size_t size) {
  ShortWord word;
  word.size = size;
  for (size_t i = 0; i < size; ++i) word.ids[i] = first + random() % letters;
  return word;
}

TEST(BatchMerger, EveryWayAgreesWithTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 600; ++round) {
    const uint32_t letters = 1 + random() % 5;
    // The first ids are looked up in another way; the last that there can be are at the limit.
    const uint32_t firsts[] = {0, MergeTable::kFirstIds - 3, kMaxIdLimit - 300};
    const uint32_t first = firsts[round % 3];
    const MergeTable merges =
        RandomMerges(random, first, letters, 1 + random() % 250, round % 2 == 0);
    MergeMemory memory(100);
    std::vector<ShortWord> words;
    for (size_t i = random() % (3 * kWordsTogether); i > 0; --i) {
      const size_t limit = i % 4 == 0 ? ShortWord::kMaxSymbols : 20;
      words.push_back(RandomWord(random, first, letters, random() % (limit + 1)));
    }
    for (const BatchMerger& merger : BatchMergers()) {
      std::vector<ShortWord> merged = words;
      merger.merge(merges, memory, merged);
      for (size_t i = 0; i < words.size(); ++i) {
        ASSERT_EQ(IdsOf(merged[i]), MergedIds(merges, words[i]))
            << merger.name << " " << round << " " << i;
      }
    }
  }
}

TEST(BatchMerger, WordsOfEverySizeUpToTheLargest) {
  const MergeTable merges({{{0, 0, 1}, {1, 1, 2}}}, 3);
  MergeMemory memory(2);
  for (const BatchMerger& merger : BatchMergers()) {
    std::vector<ShortWord> words(ShortWord::kMaxSymbols);
    for (size_t i = 0; i < words.size(); ++i) {
      words[i].size = i + 1;
      words[i].ids.fill(0);
    }
    merger.merge(merges, memory, words);
    for (size_t i = 0; i < words.size(); ++i) {
      std::vector<uint32_t> expected((i + 1) / 4, 2);
      if ((i + 1) % 4 >= 2) expected.push_back(1);
      if ((i + 1) % 2 == 1) expected.push_back(0);
      EXPECT_EQ(IdsOf(words[i]), expected) << merger.name << " " << i + 1;
    }
  }
}

// A merge that does not make its left part longer asks for more than these ways know.
TEST(BatchMerger, MergesThatDoNotGrow) {
  const MergeTable merges({{{0, 1, 0}, {0, 2, 0}}}, 3, /*always_grow=*/false);
  MergeMemory memory(2);
  for (const BatchMerger& merger : BatchMergers()) {
    ShortWord word;
    word.size = 4;
    std::copy_n(std::vector<uint32_t>{0, 2, 1, 1}.begin(), 4, word.ids.begin());
    merger.merge(merges, memory, {&word, 1});
    EXPECT_EQ(IdsOf(word), std::vector<uint32_t>{0}) << merger.name;
  }
}

}  // namespace
}  // namespace triptych::models
