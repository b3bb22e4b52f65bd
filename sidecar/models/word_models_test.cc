#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "models/word_level.h"
#include "models/word_piece.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

Vocabulary VocabularyOf(const std::vector<std::string>& tokens) {
  std::vector<std::pair<std::string, uint32_t>> entries;
  for (const std::string& token : tokens) {
    entries.emplace_back(token, static_cast<uint32_t>(entries.size()));
  }
  return *Vocabulary::Create(std::move(entries));
}

std::string Shown(const Model& model, std::string_view piece) {
  std::vector<Token> tokens = {{7, {7, 7}}};  // is left alone
  if (!model.Tokenize(piece, tokens).ok()) return "error";
  EXPECT_EQ(tokens[0], (Token{7, {7, 7}}));
  std::string shown;
  for (size_t i = 1; i < tokens.size(); ++i) {
    shown += base::StrCat("|", *model.vocabulary().TokenOf(tokens[i].id), " ",
                          tokens[i].range.begin, "-", tokens[i].range.end);
  }
  return shown;
}

// The oracle: cuts the word shorter, a character at a time, until it is a token.
std::string PlainWordPiece(const std::string& word, const Vocabulary& vocabulary,
                           const WordPieceOptions& options) {
  const std::string unknown = vocabulary.IdOf(options.unk_token).has_value()
                                  ? base::StrCat("|", options.unk_token, " 0-", word.size())
                                  : "error";
  const auto characters = static_cast<uint64_t>(std::count_if(
      word.begin(), word.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
  if (characters > options.max_input_chars_per_word) return unknown;
  std::string shown;
  for (size_t begin = 0; begin < word.size();) {
    size_t end = word.size();
    std::string token;
    for (; end > begin; end = unicode::PreviousBoundary(word, end)) {
      token = word.substr(begin, end - begin);
      if (begin > 0) token = options.continuing_subword_prefix + token;
      if (vocabulary.IdOf(token).has_value()) break;
    }
    if (end == begin) return unknown;
    shown += base::StrCat("|", token, " ", begin, "-", end);
    begin = end;
  }
  return shown;
}

TEST(WordPiece, AgreesWithAPlainSearch) {
  const std::vector<std::string> letters = {"a", "b", "é", "#"};
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    const std::string prefix = std::vector<std::string>{"", "#", "##", "é"}[random() % 4];
    std::vector<std::string> tokens = {"[UNK]"};
    if (random() % 5 == 0) tokens = {""};
    for (size_t n = random() % 25; n > 0; --n) {
      std::string token = random() % 2 == 0 ? prefix : "";
      for (size_t size = 1 + random() % 3; size > 0; --size) token += letters[random() % 4];
      if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
    }
    const WordPieceOptions options{"[UNK]", prefix, 4 + random() % 8};
    const WordPiece model(VocabularyOf(tokens), options);
    for (int i = 0; i < 50; ++i) {
      std::string word;
      for (size_t n = random() % 9; n > 0; --n) word += letters[random() % 4];
      ASSERT_EQ(Shown(model, word), PlainWordPiece(word, VocabularyOf(tokens), options)) << word;
    }
  }
}

TEST(WordPiece, LongWordsAreUnknown) {
  const WordPiece model(VocabularyOf({"[UNK]", "é", "##é"}), {"[UNK]", "##", 3});
  EXPECT_EQ(Shown(model, "ééé"), "|é 0-2|##é 2-4|##é 4-6");
  EXPECT_EQ(Shown(model, "éééé"), "|[UNK] 0-8");
  EXPECT_EQ(Shown(model, "éa"), "|[UNK] 0-3");
}

TEST(WordLevel, IsOneTokenAPiece) {
  const WordLevel model(VocabularyOf({"a", "b", "<unk>"}), "<unk>");
  EXPECT_EQ(Shown(model, "a"), "|a 0-1");
  EXPECT_EQ(Shown(model, "ab"), "|<unk> 0-2");
  EXPECT_EQ(Shown(model, ""), "");
  EXPECT_EQ(Shown(WordLevel(VocabularyOf({"a"}), "<unk>"), "ab"), "error");
}

}  // namespace
}  // namespace triptych::models
