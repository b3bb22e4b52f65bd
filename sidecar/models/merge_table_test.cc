#include "models/merge_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

namespace triptych::models {
namespace {

constexpr uint32_t kMaxIdLimit = (1u << 22) - 1;

// Holds a table against what it was made of: what it finds, what that makes, and which comes first.
void ExpectHolds(const std::vector<Merge>& merges, uint32_t id_limit, std::mt19937& random) {
  const MergeTable table(merges, id_limit);
  std::map<std::pair<uint32_t, uint32_t>, size_t> number_of;
  for (size_t i = 0; i < merges.size(); ++i) number_of[{merges[i].left, merges[i].right}] = i;
  std::vector<uint32_t> ranks;
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto& [left, right, whole] = merges[i];
    if (number_of[{left, right}] != i) continue;  // the pair comes again
    const uint32_t rank = table.Find(left, right);
    ASSERT_LT(rank, table.rank_limit());
    ASSERT_EQ(table.IdOf(rank), whole);
    ASSERT_LE(table.LowestRankOf(static_cast<uint32_t>(i), merges[i]), rank);
    const uint32_t before = ranks.empty() ? 0 : ranks.back() + 1;
    ASSERT_GE(rank, before);
    ranks.push_back(rank);
  }
  const auto any = [&] {
    const Merge& merge = merges[random() % merges.size()];
    return random() % 2 == 0 ? merge.left : merge.right;
  };
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t left = any(), right = any();
    if (!number_of.contains({left, right})) {
      ASSERT_EQ(table.Find(left, right), MergeTable::kNoRank);
    }
    if (left < MergeTable::kFirstIds && right < MergeTable::kFirstIds) {
      ASSERT_EQ(table.FindFirst(left, right), table.Find(left, right));
    }
  }
}

// Few ids, so that a pair comes twice at times; and the largest.
uint32_t AnyId(std::mt19937& random) {
  return random() % 2 == 0 ? random() % 300 : kMaxIdLimit - 1 - random() % 300;
}

TEST(MergeTable, FindsWhatItIsMadeOfAndNothingElse) {
  std::mt19937 random(1);
  std::vector<Merge> merges;
  for (uint32_t i = 0; i < 20'000; ++i) {
    merges.push_back({AnyId(random), AnyId(random), AnyId(random)});
  }
  ExpectHolds(merges, kMaxIdLimit, random);
}

TEST(MergeTable, LaterMergesThatMakeHigherIds) {
  std::mt19937 random(2);
  for (const uint32_t most_of_one : {1, 2, 80}) {
    std::vector<Merge> merges;
    for (uint32_t whole = 300; whole < 3'000; ++whole) {
      for (uint32_t i = random() % most_of_one + 1; i > 0; --i) {
        merges.push_back(
            {static_cast<uint32_t>(random() % 300), static_cast<uint32_t>(random() % 300), whole});
      }
    }
    ExpectHolds(merges, 3'000, random);
  }
}

// Then there is no room for an id in a rank.
TEST(MergeTable, LaterMergesThatMakeTheHighestIds) {
  std::mt19937 random(3);
  std::vector<Merge> merges;
  for (uint32_t i = 0; i < 5'000; ++i) {
    merges.push_back({AnyId(random), AnyId(random), kMaxIdLimit - 5'000 + i});
  }
  ExpectHolds(merges, kMaxIdLimit, random);
}

TEST(MergeTable, OfTheSamePairTheLastIsTaken) {
  const MergeTable table({{{1, 2, 3}, {1, 2, 4}}}, 5);
  EXPECT_EQ(table.IdOf(table.Find(1, 2)), 4u);
  EXPECT_EQ(table.Find(2, 1), MergeTable::kNoRank);
}

TEST(MergeTable, OfNoMerges) {
  const MergeTable table({}, 5);
  EXPECT_EQ(table.Find(1, 2), MergeTable::kNoRank);
  EXPECT_EQ(table.FindFirst(1, 2), MergeTable::kNoRank);
}

}  // namespace
}  // namespace triptych::models
