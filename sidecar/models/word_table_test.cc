#include "models/word_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace triptych::models {
namespace {

std::vector<uint32_t> Find(const WordTable& table, const std::string& word) {
  uint32_t ids[WordTable::kMaxShortIds];
  const size_t count = table.Find(WordTable::KeyOf(word), ids);
  return {ids, ids + count};
}

void Insert(WordTable& table, const std::string& word, const std::vector<uint32_t>& ids,
            bool is_seed = false) {
  table.Insert(WordTable::KeyOf(word), ids.data(), ids.size(), is_seed);
}

TEST(WordTable, GivesBackWhatWasPutIn) {
  WordTable table(0);
  std::string word;
  for (uint32_t size = 1; size <= WordTable::kMaxShortBytes; ++size) {
    word.push_back(static_cast<char>('a' + size));
    EXPECT_TRUE(Find(table, word).empty());
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i <= size % 4; ++i) ids.push_back(WordTable::kMaxId - i);
    Insert(table, word, ids, size % 2 == 0);
    EXPECT_EQ(Find(table, word), ids);
  }
}

TEST(WordTable, ZeroBytesAreBytes) {
  WordTable table(0);
  Insert(table, std::string("\0", 1), {1});
  Insert(table, std::string("\0\0", 2), {2, 3});
  EXPECT_EQ(Find(table, std::string("\0", 1)), std::vector<uint32_t>{1});
  EXPECT_EQ(Find(table, std::string("\0\0", 2)), (std::vector<uint32_t>{2, 3}));
}

TEST(WordTable, LongWordsHaveAnyNumberOfIds) {
  WordTable table(0);
  const std::string word(WordTable::kMaxLongBytes, 'x');
  const std::vector<uint32_t> ids(300, 7);
  EXPECT_EQ(table.FindLong(word).begin, nullptr);
  table.InsertLong(word, ids.data(), ids.size());
  table.InsertLong("none", nullptr, 0);
  const WordTable::Ids found = table.FindLong(word);
  EXPECT_EQ(std::vector<uint32_t>(found.begin, found.begin + found.count), ids);
  EXPECT_NE(table.FindLong("none").begin, nullptr);
  EXPECT_EQ(table.FindLong("none").count, 0u);
  table.InsertLong(word + "x", ids.data(), ids.size());
  EXPECT_EQ(table.FindLong(word + "x").begin, nullptr) << "too long";
}

TEST(WordTable, AFullTableTakesNoMoreAndIsRenewedWithItsSeeds) {
  WordTable table(0);
  Insert(table, "seed", {1, 2}, /*is_seed=*/true);
  uint32_t count = 0;
  while (!table.IsFull()) Insert(table, std::to_string(count++), {3});
  EXPECT_GT(count, 10'000u);
  Insert(table, "late", {4});
  EXPECT_TRUE(Find(table, "late").empty());
  const auto renewed = table.Renewed();
  EXPECT_FALSE(renewed->IsFull());
  EXPECT_EQ(Find(*renewed, "seed"), (std::vector<uint32_t>{1, 2}));
  EXPECT_TRUE(Find(*renewed, "1").empty());
}

TEST(WordTable, MoreSeedsThanFitLeaveRoomForWords) {
  constexpr uint32_t kSeeds = 700'000;
  WordTable table(kSeeds);
  for (uint32_t i = 0; i < kSeeds; ++i) Insert(table, std::to_string(i), {1}, /*is_seed=*/true);
  EXPECT_FALSE(table.IsFull());
  const auto renewed = table.Renewed();
  EXPECT_FALSE(renewed->IsFull());
  Insert(*renewed, "word", {2});
  EXPECT_EQ(Find(*renewed, "word"), std::vector<uint32_t>{2});
}

TEST(WordTable, LongWordsFillItToo) {
  WordTable table(0);
  const std::vector<uint32_t> ids(500, 1);
  for (uint32_t i = 0; !table.IsFull(); ++i) {
    ASSERT_LT(i, 100'000u);
    const std::string word = std::string(400, 'x') + std::to_string(i);
    table.InsertLong(word, ids.data(), ids.size());
  }
  EXPECT_LE(table.max_bytes(), size_t{64} << 20);
}

TEST(WordTable, ThreadsSeeWholeEntries) {
  WordTable table(0);
  const auto work = [&table] {
    for (uint32_t i = 1; i < 20'000; ++i) {
      const std::string word = std::to_string(i % 5'000);
      const std::vector<uint32_t> ids(1 + word.size() % 4, i % 5'000);
      Insert(table, word, ids);
      ASSERT_EQ(Find(table, word), ids);
      const std::string long_word = word + " is a rather long word";
      table.InsertLong(long_word, ids.data(), ids.size());
      const WordTable::Ids found = table.FindLong(long_word);
      ASSERT_EQ(std::vector<uint32_t>(found.begin, found.begin + found.count), ids);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace triptych::models
