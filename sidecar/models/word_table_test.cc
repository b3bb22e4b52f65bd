#include "models/word_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace triptych::models {
namespace {

size_t FindInSlots(const WordTable& table, std::string_view word, size_t readable, uint32_t* ids) {
  if (word.size() <= WordTable::Short::kMaxBytes) {
    const size_t count = table.FindShort(word, readable, ids);
    // The other way to ask says the same, though it writes behind the ids what it likes.
    uint32_t other[WordTable::kMaxIds];
    EXPECT_EQ(table.FindShort(table.QueryOf(word, readable), other), count);
    const size_t written = count == WordTable::Short::kElsewhere ? 0 : count;
    EXPECT_TRUE(std::equal(ids, ids + written, other));
    if (count != WordTable::Short::kElsewhere) return count;
  }
  if (word.size() <= WordTable::Medium::kMaxBytes) return table.FindMedium(word, readable, ids);
  return 0;
}

std::vector<uint32_t> Find(const WordTable& table, const std::string& word) {
  uint32_t ids[WordTable::kMaxIds];
  if (const size_t count = FindInSlots(table, word, word.size(), ids)) return {ids, ids + count};
  const WordTable::Ids found = table.FindLong(word);
  return {found.begin, found.begin + found.count};
}

// `ids` and behind them what is none of theirs.
std::vector<uint32_t> WithMore(std::vector<uint32_t> ids) {
  ids.resize(std::max(ids.size(), WordTable::kMaxIds), 12345);
  return ids;
}

void Insert(WordTable& table, const std::string& word, const std::vector<uint32_t>& ids) {
  table.Insert(word, word.size(), WithMore(ids).data(), ids.size());
}

void InsertSeed(WordTable& table, const std::string& word, const std::vector<uint32_t>& ids) {
  const auto key = WordTable::Short::KeyOf(word, /*is_readable=*/false);
  table.InsertSeed(key, WithMore(ids).data(), ids.size());
}

TEST(WordTable, GivesBackWhatWasPutIn) {
  for (const size_t seeds : {0, 100'000}) {  // for each width of the slots of short words
    WordTable table(seeds);
    std::string word;
    for (uint32_t size = 1; size <= 40; ++size) {
      word.push_back(static_cast<char>('a' + size));
      for (const uint32_t count : {1, 2, 3, 4, 5, 8, 9, 12, 13, 23, 24, 25}) {
        const std::string other = word.substr(1) + static_cast<char>(count);
        EXPECT_TRUE(Find(table, other).empty());
        std::vector<uint32_t> ids;
        for (uint32_t i = 0; i < count; ++i) ids.push_back(WordTable::kMaxId - i);
        Insert(table, other, ids);
        EXPECT_EQ(Find(table, other), ids);
      }
    }
  }
}

TEST(WordTable, SeedsOfMoreIdsThanFitAreLeftOut) {
  for (const size_t seeds : {0, 100'000}) {
    WordTable table(seeds);
    const size_t most = seeds == 0 ? 12 : 4;
    InsertSeed(table, "fits", std::vector<uint32_t>(most, 1));
    InsertSeed(table, "not", std::vector<uint32_t>(most + 1, 2));
    EXPECT_EQ(Find(table, "fits").size(), most);
    EXPECT_TRUE(Find(table, "not").empty());
    EXPECT_TRUE(Find(*table.Renewed(), "not").empty());
  }
}

TEST(WordTable, WhatStandsBehindAWordIsNoPartOfIt) {
  WordTable table(0);
  uint32_t ids[WordTable::kMaxIds];
  constexpr std::string_view text = "the bytes behind a word of the text may be read with it";
  for (const size_t size : {3, 15, 16, 31}) {
    const std::vector<uint32_t> inserted(4, static_cast<uint32_t>(size));
    Insert(table, std::string(text.substr(0, size)), inserted);
    for (const size_t readable : {size, text.size()}) {
      ASSERT_EQ(FindInSlots(table, text.substr(0, size), readable, ids), 4u);
      EXPECT_EQ(ids[0], size);
    }
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
  Insert(table, word, ids);
  Insert(table, "none", {});
  const WordTable::Ids found = table.FindLong(word);
  EXPECT_EQ(std::vector<uint32_t>(found.begin, found.begin + found.count), ids);
  EXPECT_NE(table.FindLong("none").begin, nullptr);
  EXPECT_EQ(table.FindLong("none").count, 0u);
  Insert(table, word + "x", ids);
  EXPECT_EQ(table.FindLong(word + "x").begin, nullptr) << "too long";
}

TEST(WordTable, AFullTableTakesNoMoreAndIsRenewedWithItsSeeds) {
  WordTable table(0);
  InsertSeed(table, "seed", {1, 2});
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
  for (uint32_t i = 0; i < kSeeds; ++i) InsertSeed(table, std::to_string(i), {1});
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
    Insert(table, word, ids);
  }
  EXPECT_LE(table.max_bytes(), size_t{64} << 20);
}

TEST(WordTable, MediumWordsThatDoNotFitAreLongOnes) {
  constexpr uint32_t kWords = 30'000;  // of which one in a thousand has no place
  WordTable table(0);
  uint32_t found = 0;
  for (uint32_t i = 0; i < kWords; ++i) {
    const std::string word = "a word of " + std::to_string(i) + " bytes";
    Insert(table, word, {i});
    if (Find(table, word) == std::vector<uint32_t>{i}) ++found;
  }
  EXPECT_GT(found, kWords - kWords / 1000);
  EXPECT_FALSE(table.IsFull());
}

TEST(WordTable, ThreadsSeeWholeEntries) {
  WordTable table(0);
  const auto work = [&table] {
    for (uint32_t i = 1; i < 20'000; ++i) {
      const std::string word = std::to_string(i % 5'000);
      const std::vector<uint32_t> ids(1 + word.size() % 4, i % 5'000);
      Insert(table, word, ids);
      ASSERT_EQ(Find(table, word), ids);
      for (const char* behind :
           {" is of sixteen!!", " is a word that is longer than all the others"}) {
        const std::string longer = word + behind;
        Insert(table, longer, ids);
        ASSERT_EQ(Find(table, longer), ids);
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace triptych::models
