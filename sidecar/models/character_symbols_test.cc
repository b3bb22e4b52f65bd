#include "models/character_symbols.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "models/random_merges.h"
#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

// A byte-level vocabulary of all bytes and what these merges make of them.
class ByteMerges {
 public:
  explicit ByteMerges(const Merges& merges) {
    for (int byte = 0; byte < 256; ++byte) IdOf(std::string(1, static_cast<char>(byte)));
    for (const auto& [left, right] : merges) {
      merges_.push_back({IdOf(left), IdOf(right), IdOf(left + right)});
    }
  }

  [[nodiscard]] MergeTable Table() const { return MergeTable(merges_, id_limit()); }

  [[nodiscard]] CharacterSymbols Characters(const MergeTable& table) const {
    CharacterSymbolsBuilder builder(id_limit());
    for (uint32_t i = 0; i < merges_.size(); ++i) {
      const auto& [left, right, whole] = merges_[i];
      const uint32_t rank = table.LowestRankOf(i, merges_[i]);
      builder.Add({tokens_[left], left}, {tokens_[right], right}, rank);
    }
    CharacterSymbolsBuilder::ByteIds byte_ids;
    std::iota(byte_ids.begin(), byte_ids.end(), 0);
    return builder.Build(byte_ids, table);
  }

  [[nodiscard]] const std::string& TokenOf(uint32_t id) const { return tokens_[id]; }

 private:
  [[nodiscard]] uint32_t id_limit() const { return static_cast<uint32_t>(tokens_.size()); }

  uint32_t IdOf(const std::string& bytes) {
    const auto [found, is_new] = ids_.emplace(bytes, id_limit());
    if (is_new) tokens_.push_back(unicode::ToByteLevel(bytes));
    return found->second;
  }

  std::map<std::string, uint32_t> ids_;
  std::vector<std::string> tokens_;
  std::vector<Merge> merges_;
};

Symbols SymbolsOf(const std::string& bytes) {
  Symbols symbols;
  for (const char byte : bytes) symbols.push_back({static_cast<uint8_t>(byte), 1});
  return symbols;
}

// The symbols that the word may begin as; counts the characters that are one or two of them.
Symbols Begun(const CharacterSymbols& characters, const std::string& word, size_t counts[2]) {
  Symbols symbols;
  bool is_behind_space = false;
  for (size_t at = 0; at < word.size();) {
    const auto [character, size] = unicode::DecodeAt(word, at);
    const bool may_be = size > 1 && character < 0x10000 && !is_behind_space;
    const auto [first, second] = may_be ? characters.Find(character) : CharacterSymbols::Ids{};
    if (first == CharacterSymbols::kNone) {
      for (const Symbol& symbol : SymbolsOf(word.substr(at, size))) symbols.push_back(symbol);
    } else {
      const bool is_two = second != CharacterSymbols::kNone;
      symbols.push_back({first, 1});
      if (is_two) symbols.push_back({second, 1});
      ++counts[is_two];
    }
    is_behind_space = character == ' ';
    at += size;
  }
  return symbols;
}

std::vector<uint32_t> IdsOf(const Symbols& symbols) {
  std::vector<uint32_t> ids;
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

// The tokens of what the character may begin as, in hexadecimal: "e0+a4b8".
std::string BegunOf(const std::string& character, const Merges& merges) {
  const ByteMerges made(merges);
  const auto ids = made.Characters(made.Table()).Find(unicode::DecodeAt(character, 0).value);
  std::string shown;
  for (const uint32_t id : {ids.first, ids.second}) {
    if (id == CharacterSymbols::kNone) continue;
    if (!shown.empty()) shown += "+";
    shown += absl::BytesToHexString(*unicode::FromByteLevel(made.TokenOf(id)));
  }
  return shown;
}

// U+0938, whose bytes are E0 A4 B8.
const std::string kSa = "स";

TEST(CharacterSymbols, WhatMergesFirstIsOneSymbol) {
  EXPECT_EQ(BegunOf(kSa, {}), "");
  EXPECT_EQ(BegunOf(kSa, {{"\xA4", "\xB8"}}), "e0+a4b8");
  EXPECT_EQ(BegunOf(kSa, {{"\xE0", "\xA4"}, {"\xE0\xA4", "\xB8"}}), "e0a4b8");
  EXPECT_EQ(BegunOf("é", {{"\xC3", "\xA9"}}), "c3a9");
}

TEST(CharacterSymbols, WhatMayMergeWithTheCharactersBesideIsNotMerged) {
  // With the one in front, with the one behind, and before the second of two merges.
  EXPECT_EQ(BegunOf("é", {{"a", "\xC3"}, {"\xC3", "\xA9"}}), "");
  EXPECT_EQ(BegunOf("é", {{"\xA9", "a"}, {"\xC3", "\xA9"}}), "");
  EXPECT_EQ(BegunOf(kSa, {{"\xE0", "\xA4"}, {"\xB8", "a"}, {"\xE0\xA4", "\xB8"}}), "e0a4+b8");
  // A merge of the character itself that is due before one of those that make it.
  EXPECT_EQ(BegunOf("é", {{"\xC3\xA9", "a"}, {"\xC3", "\xA9"}}), "");
  EXPECT_EQ(BegunOf(kSa, {{"\xE0\xA4", "\xB8"}, {kSa, "a"}, {"\xE0", "\xA4"}}), "");
}

TEST(CharacterSymbols, WhatComesLaterOrBehindASpaceDoesNotMatter) {
  EXPECT_EQ(BegunOf("é", {{"\xC3", "\xA9"}, {"a", "\xC3"}, {"\xA9", "a"}}), "c3a9");
  EXPECT_EQ(BegunOf("é", {{" ", "\xC3"}, {"\xC3", "\xA9"}}), "c3a9");
  EXPECT_EQ(BegunOf("é", {{"\xA9", "\xA9"}, {"\xC3", "\xA9"}}), "c3a9");
}

TEST(CharacterSymbols, MergeToWhatTheBytesMergeTo) {
  // Few, so that bytes of one stand beside those of others everywhere.
  const std::vector<std::string> letters = {"a", " ", "é", "è", "д", kSa, "र", "ग", "語", "😀"};
  std::mt19937 random(5);
  size_t counts[2] = {};
  for (int round = 0; round < 1'000; ++round) {
    const ByteMerges merges(RandomByteMerges(random, letters, 1 + random() % 60));
    const MergeTable table = merges.Table();
    const CharacterSymbols characters = merges.Characters(table);
    for (int i = 0; i < 20; ++i) {
      const std::string word = RandomText(random, letters, 1 + random() % 12);
      const Symbols begun = Begun(characters, word, counts);
      ASSERT_EQ(IdsOf(MergePlainly(table, begun)), IdsOf(MergePlainly(table, SymbolsOf(word))))
          << round << " " << word;
    }
  }
  EXPECT_GT(counts[0], 5'000u);
  EXPECT_GT(counts[1], 5'000u);
}

}  // namespace
}  // namespace triptych::models
