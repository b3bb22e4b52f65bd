#include "models/merge_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

namespace triptych::models {
namespace {

TEST(MergeTable, FindsWhatWasInsertedAndNothingElse) {
  std::mt19937 random(1);
  constexpr uint32_t kSize = 20'000, kIdLimit = (1u << 22) - 1;
  MergeTable merges(kSize, kIdLimit);
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> rank_of;
  // Few ids, so that a pair comes twice at times; and the largest.
  const auto any = [&] {
    return random() % 2 == 0 ? random() % 300 : kIdLimit - 1 - random() % 300;
  };
  for (uint32_t rank = 0; rank < kSize; ++rank) {
    const uint32_t left = any(), right = any();
    merges.Insert(left, right, {rank, rank + 7});
    rank_of[{left, right}] = rank;
  }
  for (int i = 0; i < 200'000; ++i) {
    const uint32_t left = any(), right = any();
    const auto found = rank_of.find({left, right});
    const uint32_t expected = found == rank_of.end() ? MergeTable::kNoRank : found->second;
    ASSERT_EQ(merges.Find(left, right), expected) << left << " " << right;
    if (left < MergeTable::kFirstIds && right < MergeTable::kFirstIds) {
      ASSERT_EQ(merges.FindFirst(left, right), expected);
    }
    if (found != rank_of.end()) {
      ASSERT_EQ(merges.IdOf(expected), expected + 7);
    }
  }
}

TEST(MergeTable, APairThatIsInsertedTwiceHasItsLastMerge) {
  MergeTable merges(2, 5);
  merges.Insert(1, 2, {0, 3});
  merges.Insert(1, 2, {1, 4});
  EXPECT_EQ(merges.Find(1, 2), 1u);
  EXPECT_EQ(merges.IdOf(1), 4u);
  EXPECT_EQ(merges.Find(2, 1), MergeTable::kNoRank);
}

}  // namespace
}  // namespace triptych::models
