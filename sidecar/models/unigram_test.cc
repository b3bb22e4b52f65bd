#include "models/unigram.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using Pieces = std::vector<std::pair<std::string, double>>;

std::unique_ptr<Unigram> UnigramOf(const Pieces& pieces, std::optional<uint32_t> unk_id,
                                   bool byte_fallback = false) {
  VocabularyBuilder vocabulary;
  UnigramOptions options{{}, unk_id, byte_fallback};
  for (const auto& [token, score] : pieces) {
    EXPECT_TRUE(vocabulary.Add(token, static_cast<uint32_t>(options.scores.size())).ok());
    options.scores.push_back(score);
  }
  return *Unigram::Create(*vocabulary.Build(), std::move(options));
}

std::string Shown(const Unigram& unigram, std::string_view piece) {
  std::vector<Token> tokens;
  if (!unigram.Tokenize(piece, tokens).ok()) return "error";
  std::string shown;
  for (const Token& token : tokens) {
    shown += base::StrCat("|", *unigram.vocabulary().TokenOf(token.id), " ", token.range.begin, "-",
                          token.range.end);
  }
  return shown;
}

// One way to cut a piece: its sum, and from the last token to the first, begins and ids.
struct Way {
  double score;
  std::vector<std::pair<size_t, uint32_t>> tokens;
};

// The oracle: tries all ways. With whole numbers as scores, sums are exact in any order.
Way BestWay(const std::string& piece, size_t end, const std::map<std::string, uint32_t>& ids,
            const Pieces& pieces, uint32_t unk_id) {
  if (end == 0) return {0, {}};
  double lowest = 1e300;
  for (const auto& [token, score] : pieces) lowest = std::min(lowest, score);
  std::optional<Way> best;
  for (size_t begin = 0; begin < end; ++begin) {  // the first begin wins among equals
    if (!unicode::IsBoundary(piece, begin)) continue;
    const auto token = ids.find(piece.substr(begin, end - begin));
    const bool is_character = unicode::DecodeAt(piece, begin).size == end - begin;
    if (token == ids.end() && !is_character) continue;
    Way way = BestWay(piece, begin, ids, pieces, unk_id);
    way.score += token == ids.end() ? lowest - 10 : pieces[token->second].second;
    way.tokens.insert(way.tokens.begin(), {begin, token == ids.end() ? unk_id : token->second});
    if (!best.has_value() || way.score > best->score) best = std::move(way);
  }
  return *best;
}

std::string PlainShown(const std::string& piece, const Pieces& pieces, uint32_t unk_id) {
  std::map<std::string, uint32_t> ids;
  for (const auto& [token, score] : pieces) ids.emplace(token, ids.size());
  const Way way = BestWay(piece, piece.size(), ids, pieces, unk_id);
  std::string shown;
  size_t end = piece.size();
  for (size_t i = 0; i < way.tokens.size();) {
    size_t last = i;
    if (way.tokens[i].second == unk_id) {
      while (last + 1 < way.tokens.size() && way.tokens[last + 1].second == unk_id) ++last;
    }
    const size_t begin = way.tokens[last].first;
    const auto known = ids.find(piece.substr(begin, end - begin));
    const uint32_t id = known == ids.end() ? unk_id : known->second;
    shown = base::StrCat("|", pieces[id].first, " ", begin, "-", end, shown);
    end = begin;
    i = last + 1;
  }
  return shown;
}

TEST(Unigram, AgreesWithTryingAllWays) {
  const std::vector<std::string> letters = {"a", "b", "é", "<"};
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, double> unique;
    for (size_t n = 1 + random() % 12; n > 0; --n) {
      std::string token;
      for (size_t size = 1 + random() % 3; size > 0; --size) token += letters[random() % 4];
      // Few values, so that there are many ties; positive ones make unknown text attractive.
      unique.emplace(token, static_cast<double>(random() % 4) - (random() % 2 == 0 ? 2 : -8));
    }
    const Pieces pieces(unique.begin(), unique.end());
    const auto unk_id = static_cast<uint32_t>(random() % pieces.size());
    const auto unigram = UnigramOf(pieces, unk_id);
    for (int i = 0; i < 30; ++i) {
      std::string piece;
      for (size_t n = random() % 9; n > 0; --n) piece += letters[random() % 4];
      ASSERT_EQ(Shown(*unigram, piece), PlainShown(piece, pieces, unk_id)) << piece;
    }
  }
}

TEST(Unigram, TakesTheHighestSum) {
  const auto unigram = UnigramOf({{"<unk>", 0},
                                  {"a", 0},
                                  {"b", 0},
                                  {"c", 0},
                                  {"d", 0},
                                  {"cd", 1},
                                  {"ab", 2},
                                  {"abc", 5},
                                  {"abcd", 10}},
                                 0);
  EXPECT_EQ(Shown(*unigram, "abcdacdxx"), "|abcd 0-4|a 4-5|cd 5-7|<unk> 7-9");
  EXPECT_EQ(Shown(*unigram, ""), "");
}

TEST(Unigram, ByteFallbackIsForTheWholeRun) {
  Pieces pieces = {{"<unk>", -1}, {"a", -1}, {"<0xC3>", -1}, {"<0xA9>", -1}};
  EXPECT_EQ(Shown(*UnigramOf(pieces, 0, true), "aéa"), "|a 0-1|<0xC3> 1-3|<0xA9> 1-3|a 3-4");
  EXPECT_EQ(Shown(*UnigramOf(pieces, 0, false), "aéa"), "|a 0-1|<unk> 1-3|a 3-4");
  EXPECT_EQ(Shown(*UnigramOf(pieces, 0, true), "éx"), "|<unk> 0-3");
}

TEST(Unigram, WithoutAnUnknownTokenUnknownTextIsAnError) {
  const auto unigram = UnigramOf({{"a", -1}, {"xy", -1}}, std::nullopt);
  EXPECT_EQ(Shown(*unigram, "aa"), "|a 0-1|a 1-2");
  EXPECT_EQ(Shown(*unigram, "axy"), "error");  // x alone has no way, as in `tokenizers`
  EXPECT_FALSE(Unigram::Create(*Vocabulary::Create({{"a", 0}}), {{0.0}, 1}).ok());
}

TEST(Unigram, ALongRunIsLinear) {
  Pieces pieces = {{"<unk>", 0}};
  for (size_t size = 1; size <= 64; ++size) pieces.emplace_back(std::string(size, 'a'), -1.0);
  const auto unigram = UnigramOf(pieces, 0);
  std::vector<Token> tokens;
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(unigram->Tokenize(std::string(64 * 10'000, 'a'), tokens).ok());
  EXPECT_EQ(tokens.size(), 10'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

}  // namespace
}  // namespace triptych::models
