#include "models/sentence_piece_unigram.h"

#include <gtest/gtest.h>

#include <string>

namespace triptych::models {
namespace {

using Type = SentencePiece::Type;

std::vector<Token> Encode(const std::vector<SentencePiece>& pieces, std::string_view text) {
  const SentencePieceUnigram model(*SentencePieces::Create(pieces, /*byte_fallback=*/false));
  std::vector<Token> tokens;
  EXPECT_TRUE(model.Tokenize(text, tokens).ok());
  return tokens;
}

const std::vector<SentencePiece> kPieces = {
    {"<unk>", 0, Type::kUnknown}, {"a", -3, Type::kNormal},   {"b", -3, Type::kNormal},
    {"ab", -4, Type::kNormal},    {"abb", -1, Type::kUnused}, {"bab", 0, Type::kUserDefined}};

TEST(SentencePieceUnigram, TakesTheBestSum) {
  EXPECT_EQ(Encode(kPieces, "aab"), (std::vector<Token>{{1, {0, 1}}, {3, {1, 3}}}));
  EXPECT_EQ(Encode(kPieces, "abb"), (std::vector<Token>{{3, {0, 2}}, {2, {2, 3}}}));
  EXPECT_TRUE(Encode(kPieces, "").empty());
}

TEST(SentencePieceUnigram, UserDefinedPiecesWin) {
  EXPECT_EQ(Encode(kPieces, "abab"), (std::vector<Token>{{1, {0, 1}}, {5, {1, 4}}}));
}

TEST(SentencePieceUnigram, UnknownNeighboursAreOneToken) {
  EXPECT_EQ(Encode(kPieces, "éüa"), (std::vector<Token>{{0, {0, 4}}, {1, {4, 5}}}));
}

TEST(SentencePieceUnigram, ALongTextKeepsItsLowBits) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "aab";
  const std::vector<Token> tokens = Encode(kPieces, text);
  ASSERT_EQ(tokens.size(), 200'000u);
  for (size_t i = 0; i < tokens.size(); ++i) EXPECT_EQ(tokens[i].id, i % 2 == 0 ? 1u : 3u);
}

}  // namespace
}  // namespace triptych::models
