#include "loader/rank_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "base/str_cat.h"
#include "loader/base64.h"
#include "loader/tiktoken_parser.h"
#include "loader/tokenizer_loader.h"

namespace triptych::loader {
namespace {

using Ranks = std::map<std::string, uint32_t>;

models::Vocabulary ToVocabulary(const Ranks& ranks) {
  models::VocabularyBuilder builder;
  for (const auto& [token, rank] : ranks) EXPECT_TRUE(builder.Add(token, rank).ok());
  return *builder.Build();
}

// tiktoken's own way, as plain as can be: the piece as a whole, else the lowest rank of any two
// neighbours joined, the leftmost of equals.
std::vector<uint32_t> PlainEncode(const Ranks& ranks, const std::string& piece) {
  if (const auto whole = ranks.find(piece); whole != ranks.end()) return {whole->second};
  std::vector<std::string> parts;
  for (const char c : piece) parts.emplace_back(1, c);
  while (true) {
    uint32_t best_rank = UINT32_MAX;
    size_t best = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto joined = ranks.find(parts[i] + parts[i + 1]);
      if (joined == ranks.end() || joined->second >= best_rank) continue;
      best_rank = joined->second;
      best = i;
    }
    if (best_rank == UINT32_MAX) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<uint32_t> ids;
  for (const std::string& part : parts) ids.push_back(ranks.at(part));
  return ids;
}

// Tokens of random letters with random ranks: most never come about by merging, and many merge in
// another order than their lengths suggest.
Ranks RandomRanks(std::mt19937& random) {
  std::set<std::string> tokens;
  while (tokens.size() < 40) {
    std::string token;
    for (uint32_t size = 2 + random() % 5; token.size() < size;) token += "abc"[random() % 3];
    tokens.insert(token);
  }
  std::vector<std::string> shuffled(tokens.begin(), tokens.end());
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  Ranks ranks;
  for (int byte = 0; byte < 256; ++byte)
    ranks.emplace(std::string(1, static_cast<char>(byte)), byte);
  for (const std::string& token : shuffled) ranks.emplace(token, ranks.size());
  return ranks;
}

TEST(RankVocabulary, EncodesAsTiktokenWhateverTheRanks) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 60; ++trial) {
    const Ranks ranks = RandomRanks(random);
    RankFormat format;
    format.pattern = "[a-c]+|[^a-c]+";
    format.special_tokens = {{static_cast<uint32_t>(ranks.size()), "<end>"}};
    const auto tokenizer = ParseTokenizer(*ToTokenizerJson(ToVocabulary(ranks), format));
    ASSERT_TRUE(tokenizer.ok()) << base::MessageOf(tokenizer.status());
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (uint32_t size = random() % 40; text.size() < size;) text += "abc"[random() % 3];
      if (text.empty()) continue;
      EXPECT_EQ(tokenizer->Encode({.text = text})->ids, PlainEncode(ranks, text)) << text;
    }
  }
}

TEST(RankVocabulary, ATokenHasAtMostOneMerge) {
  Ranks ranks;
  for (int byte = 0; byte < 256; ++byte)
    ranks.emplace(std::string(1, static_cast<char>(byte)), byte);
  ranks.insert({{"bc", 256}, {"ab", 257}, {"abc", 258}, {"xyz", 259}});
  const models::Vocabulary vocabulary = ToVocabulary(ranks);
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"b", "c"}, {"a", "b"}, {"a", "bc"}};
  EXPECT_EQ(MergesOf(vocabulary).value(), expected);
}

TEST(RankVocabulary, WantsAllBytesAndShortTokens) {
  Ranks ranks;
  for (int byte = 0; byte < 255; ++byte)
    ranks.emplace(std::string(1, static_cast<char>(byte)), byte);
  EXPECT_EQ(base::MessageOf(MergesOf(ToVocabulary(ranks)).status()),
            "the byte 255 is not a token; all 256 must be");
  ranks.emplace("\xFF", 255);
  ranks.emplace(std::string(100'000, 'a'), 256);
  EXPECT_EQ(base::MessageOf(MergesOf(ToVocabulary(ranks)).status()),
            "the tokens are too long; that of rank 256 has 100000 bytes");
}

TEST(Base64, IsStrict) {
  EXPECT_EQ(DecodeBase64("IQ=="), "!");
  EXPECT_EQ(DecodeBase64("aGk="), "hi");
  EXPECT_EQ(DecodeBase64("+/8A"), std::string("\xFB\xFF\0", 3));
  EXPECT_EQ(DecodeBase64(""), "");
  for (const char* text : {"I", "IQ", "IQ=", "IR==", "IQ==IQ==", "I Q=", "====", "a-_a", "aGl="}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

TEST(Tiktoken, EveryErrorNamesItsLine) {
  const auto error_of = [](const std::string& text) {
    const auto ranks = ParseTiktokenRanks(text);
    return ranks.ok() ? "ok" : std::string(base::MessageOf(ranks.status()));
  };
  EXPECT_EQ(error_of("IQ== 0\nIg== 1\n"), "ok");
  EXPECT_EQ(error_of("IQ== 0\r\n\nIg== 1"), "ok");
  for (const char* line : {"IQ==", "IQ== ", "IQ== x", "IQ== -1", "IQ== 1 2", "!! 1", " 1",
                           "IQ==  1", "IQ== 99999999999"}) {
    EXPECT_EQ(error_of(base::StrCat("IQ== 0\n", line)),
              "line 2: is not base64, a space and a rank");
  }
  EXPECT_EQ(error_of("IQ== 99999999"),
            "line 1: the id of \"!\" is 99999999, above the highest allowed, 4194302");
  EXPECT_EQ(error_of("IQ== 1\nIg== 1"), "\"!\" and \"\"\" have the same id, 1");
}

TEST(Tiktoken, SaysWhatAFileLacks) {
  const auto error_of = [](std::string_view config) {
    std::string file;
    const auto json = TiktokenToJson("IQ== 0\nIg== 1", std::string(config));
    return json.ok() ? "ok" : std::string(base::MessageOf(json.status()));
  };
  EXPECT_NE(base::MessageOf(TiktokenToJson("IQ== 0\n", std::nullopt).status())
                .find("put a tiktoken.json beside it"),
            std::string_view::npos);
  EXPECT_EQ(error_of("{}"), "tiktoken.json: pat_str: expected a string, found nothing");
  EXPECT_EQ(
      error_of(R"({"pat_str": "a", "special_tokens": {"x": 5}})"),
      "special_tokens: \"x\" has the id 5; the ids must follow the ranks without a gap, so that "
      "it is 2");
  EXPECT_EQ(error_of(R"({"pat_str": "a", "special_tokens": {"x": 2, "xy": 3}})"),
            "special_tokens: \"xy\" begins with \"x\", so that tiktoken may find either");
  EXPECT_EQ(error_of(R"({"pat_str": "a", "special_tokens": {}})"),
            "the byte 0 is not a token; all 256 must be");
}

}  // namespace
}  // namespace triptych::loader
