#include "models/sentence_piece_bpe.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "base/str_cat.h"

namespace triptych::models {
namespace {

using Type = SentencePiece::Type;

std::vector<uint32_t> IdsOf(const SentencePieceBpe& model, std::string_view text) {
  std::vector<Token> tokens;
  EXPECT_TRUE(model.Tokenize(text, tokens).ok());
  std::vector<uint32_t> ids;
  uint32_t end = 0;
  for (const Token& token : tokens) {
    EXPECT_EQ(token.range.begin, end);
    end = token.range.end;
    ids.push_back(token.id);
  }
  EXPECT_EQ(end, text.size());
  return ids;
}

SentencePieceBpe Model(const std::vector<SentencePiece>& pieces) {
  return SentencePieceBpe(*SentencePieces::Create(pieces, /*byte_fallback=*/false));
}

std::string ErrorOf(const std::vector<SentencePiece>& pieces, bool byte_fallback = false) {
  const auto created = SentencePieces::Create(pieces, byte_fallback);
  return created.ok() ? "ok" : std::string(base::MessageOf(created.status()));
}

// The highest score of two neighbours joined, the leftmost of equals, again and again.
std::vector<uint32_t> PlainEncode(const std::vector<SentencePiece>& pieces,
                                  const std::string& text) {
  std::map<std::string, uint32_t> ids;
  for (uint32_t id = 1; id < pieces.size(); ++id) ids[pieces[id].text] = id;
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  while (true) {
    size_t best = parts.size();
    float best_score = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto joined = ids.find(parts[i] + parts[i + 1]);
      if (joined == ids.end()) continue;
      const float score = pieces[joined->second].score;
      if (best == parts.size() || score > best_score) {
        best = i;
        best_score = score;
      }
    }
    if (best == parts.size()) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<uint32_t> result;
  for (const std::string& part : parts) result.push_back(ids.at(part));
  return result;
}

TEST(SentencePieceBpe, AgreesWithAPlainEncoderAlsoWhereScoresAreEqual) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<SentencePiece> pieces = {{"<unk>", 0, Type::kUnknown},
                                         {"a", -50, Type::kNormal},
                                         {"b", -50, Type::kNormal},
                                         {"c", -50, Type::kNormal}};
    std::map<std::string, bool> seen;
    for (int i = 0; i < 25; ++i) {
      std::string text;
      for (uint32_t size = 2 + random() % 4; text.size() < size;) text += "abc"[random() % 3];
      if (std::exchange(seen[text], true)) continue;
      pieces.push_back({text, -static_cast<float>(random() % 4), Type::kNormal});
    }
    const SentencePieceBpe model = Model(pieces);
    for (int i = 0; i < 50; ++i) {
      std::string text;
      for (uint32_t size = random() % 60; text.size() < size;) text += "abc"[random() % 3];
      EXPECT_EQ(IdsOf(model, text), PlainEncode(pieces, text)) << text;
    }
  }
}

TEST(SentencePieceBpe, UserDefinedPiecesStandAlone) {
  const SentencePieceBpe model = Model({{"<unk>", 0, Type::kUnknown},
                                        {"a", -1, Type::kNormal},
                                        {"b", -1, Type::kNormal},
                                        {"ab", -2, Type::kNormal},
                                        {"bb", 0, Type::kUserDefined},
                                        {"abb", -3, Type::kNormal}});
  EXPECT_EQ(IdsOf(model, "abb"), (std::vector<uint32_t>{1, 4}));
  EXPECT_EQ(IdsOf(model, "aba"), (std::vector<uint32_t>{3, 1}));
}

TEST(SentencePieceBpe, UnusedPiecesAreTakenApart) {
  const SentencePieceBpe model = Model({{"<unk>", 0, Type::kUnknown},
                                        {"a", -9, Type::kNormal},
                                        {"b", -9, Type::kNormal},
                                        {"ab", -1, Type::kUnused},
                                        {"abab", -2, Type::kUnused},
                                        {"aba", -3, Type::kNormal}});
  EXPECT_EQ(IdsOf(model, "abab"), (std::vector<uint32_t>{1, 2, 1, 2}));
  EXPECT_EQ(IdsOf(model, "aba"), (std::vector<uint32_t>{5}));
}

TEST(SentencePieceBpe, UnknownNeighboursAreOneToken) {
  const SentencePieceBpe model =
      Model({{"<unk>", 0, Type::kUnknown}, {"a", -1, Type::kNormal}, {"c", 0, Type::kControl}});
  EXPECT_EQ(IdsOf(model, "aéüa"), (std::vector<uint32_t>{1, 0, 1}));
  EXPECT_EQ(IdsOf(model, ""), (std::vector<uint32_t>{}));
}

TEST(SentencePieceBpe, ALongTextTakesNoTime) {
  const SentencePieceBpe model = Model({{"<unk>", 0, Type::kUnknown},
                                        {"a", -1, Type::kNormal},
                                        {"aa", -1, Type::kNormal},
                                        {"aaaa", -1, Type::kNormal}});
  EXPECT_EQ(IdsOf(model, std::string(400'000, 'a')).size(), 100'000u);
}

TEST(SentencePieces, EveryErrorNamesItsPiece) {
  const SentencePiece unknown = {"<unk>", 0, Type::kUnknown};
  EXPECT_EQ(ErrorOf({}), "pieces: none is the unknown piece");
  EXPECT_EQ(ErrorOf({unknown, unknown}), "pieces[1]: a second unknown piece");
  EXPECT_EQ(ErrorOf({unknown, {"", 0, Type::kNormal}}), "pieces[1]: is empty");
  EXPECT_EQ(ErrorOf({unknown, {"\xFF", 0, Type::kNormal}}), "pieces[1]: is not UTF-8");
  EXPECT_EQ(ErrorOf({unknown, {std::string(1025, 'a'), 0, Type::kNormal}}),
            "pieces[1]: has 1025 bytes, more than the allowed 1024");
  EXPECT_EQ(ErrorOf({unknown, {"a", 0, Type::kNormal}, {"a", 0, Type::kControl}}),
            "pieces: a piece is listed twice");
  EXPECT_EQ(ErrorOf({unknown, {"a", 0.0F / 0.0F, Type::kNormal}}),
            "pieces[1]: the score is not a number");
  EXPECT_EQ(ErrorOf({unknown, {"<0x41>", 0, Type::kByte}}),
            "pieces[1]: a byte piece, although byte_fallback is not set");
  EXPECT_EQ(ErrorOf({unknown, {"<0x4g>", 0, Type::kByte}}, true),
            "pieces[1]: \"<0x4g>\" is not a byte");
  EXPECT_EQ(ErrorOf({unknown, {"<0x41>", 0, Type::kByte}}, true),
            "pieces: byte_fallback is set, but a byte is missing");
}

}  // namespace
}  // namespace triptych::models
