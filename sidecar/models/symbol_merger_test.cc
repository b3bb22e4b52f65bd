#include "models/symbol_merger.h"

#include <gtest/gtest.h>

#include <future>
#include <random>
#include <vector>

#include "models/random_merges.h"

namespace triptych::models {
namespace {

TEST(SymbolMerger, BothWaysAgreeWithTheDefinition) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const uint32_t letters = 2 + random() % 5;
    // The first ids are looked up in another way.
    const uint32_t first = round % 2 == 0 ? 0 : MergeTable::kFirstIds - letters / 2;
    const uint32_t merge_count = 1 + random() % 60;
    const MergeTable merges = RandomMerges(random, first, letters, merge_count, random() % 2 == 0);
    MergeMemory memory(merge_count);
    for (const size_t size : {0, 1, 2, 3, 4, 5, 7, 63, 64, 65, 300, 1000}) {
      Symbols symbols;
      for (size_t i = 0; i < size; ++i)
        symbols.push_back({first + static_cast<uint32_t>(random()) % letters, 1});
      const Symbols expected = MergePlainly(merges, symbols);
      MergeSymbols(merges, memory, symbols);
      ASSERT_EQ(symbols, expected) << round << " " << size;
    }
  }
}

TEST(SymbolMerger, TheLeftmostOfEqualsMergesFirst) {
  const MergeTable merges({{{0, 0, 1}}}, 2);
  for (const size_t size : {3, 101}) {
    Symbols symbols(size, {0, 1});
    MergeMemory memory(1);
    MergeSymbols(merges, memory, symbols);
    ASSERT_EQ(symbols.size(), size / 2 + 1);
    EXPECT_EQ(symbols.front(), (Symbol{1, 2}));
    EXPECT_EQ(symbols.back(), (Symbol{0, 1}));
  }
}

TEST(SymbolMerger, LongWordsAtOnceDoNotMeetInTheMemory) {
  const MergeTable merges({{{0, 0, 1}, {1, 1, 2}}}, 3);
  MergeMemory memory(100'000);
  const auto merge = [&](size_t quarters) {
    Symbols symbols(quarters * 4, {0, 1});
    MergeSymbols(merges, memory, symbols);
    return symbols == Symbols(quarters, {2, 4});
  };
  std::vector<std::future<bool>> merged;
  for (size_t i = 0; i < 8; ++i) {
    merged.push_back(std::async(std::launch::async, merge, 10'000 + i));
  }
  for (std::future<bool>& is_right : merged) EXPECT_TRUE(is_right.get());
}

}  // namespace
}  // namespace triptych::models
