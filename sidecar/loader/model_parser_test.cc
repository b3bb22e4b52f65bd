#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "loader/json_node.h"
#include "loader/serde_float.h"
#include "loader/stage_parsers.h"
#include "models/model.h"

namespace triptych::loader {
namespace {

// The ids of `piece`, or the failure of the parser or the model.
std::string Parsed(const std::string& json, std::string_view piece) {
  auto document = JsonDocument::Parse(json);
  if (!document.ok()) return std::string(base::MessageOf(document.status()));
  const auto model = ParseModel((*document)->root()["model"], {.is_byte_level = false});
  if (!model.ok()) return std::string(base::MessageOf(model.status()));
  std::vector<models::Token> tokens;
  if (const auto made = (*model)->Tokenize(piece, tokens); !made.ok()) {
    return std::string(base::MessageOf(made));
  }
  std::string ids((*model)->type());
  for (const models::Token& token : tokens) ids += base::StrCat(" ", token.id);
  return ids;
}

TEST(ModelParser, ReadsBpe) {
  const std::string vocab = R"("vocab": {"a": 0, "b": 1, "ab": 2})";
  const auto bpe = [&](std::string_view members) {
    return Parsed(base::StrCat(R"({"model": {)", vocab, ",", members, "}}"), "ab");
  };
  EXPECT_EQ(bpe(R"("type": "BPE", "merges": ["a b"])"), "BPE 2");
  EXPECT_EQ(bpe(R"("type": "BPE", "merges": [["a", "b"]])"), "BPE 2");
  EXPECT_EQ(bpe(R"("merges": ["a b"])"), "BPE 2");  // from before files had a type
  EXPECT_EQ(bpe(R"("merges": ["#version: 0.2", "a b"])"), "BPE 2");
  EXPECT_EQ(bpe(R"("merges": [], "dropout": 0.0, "unk_token": null)"), "BPE 0 1");
  EXPECT_EQ(bpe(R"("merges": [], "dropout": 0.5)"),
            "model.dropout: 0.5 is not supported yet; supported: null, 0");
}

TEST(ModelParser, ReadsUnigram) {
  const auto unigram = [](std::string_view members, std::string_view vocab) {
    return Parsed(base::StrCat(R"({"model": {"vocab": [)", vocab, "]", members, "}}"), "ab");
  };
  const std::string vocab = R"(["?", 0], ["a", -1.5], ["b", -1])";
  EXPECT_EQ(unigram(R"(, "type": "Unigram")", vocab), "Unigram 1 2");
  EXPECT_EQ(unigram("", vocab), "Unigram 1 2");  // from before files had a type
  EXPECT_EQ(unigram(R"(, "unk_id": 0, "byte_fallback": true)", R"(["?", 0])"), "Unigram 0");
  EXPECT_EQ(unigram(R"(, "unk_id": null)", R"(["?", 0])"),
            "text: a character is not in the vocabulary, and the model has no unk_id");
  EXPECT_EQ(unigram(R"(, "unk_id": 3)", vocab),
            "model.unk_id: 3 is not the id of a token; the vocabulary has 3");
  EXPECT_EQ(unigram(R"(, "byte_fallback": null)", vocab),
            "model.byte_fallback: expected true or false, found null");
  EXPECT_EQ(unigram("", R"(["a", 0], ["a", 1])"),
            "model.vocab: has a token twice; remove one of the two");
  EXPECT_EQ(unigram("", R"(["a"])"),
            "model.vocab[0]: has 1 members instead of a token and a score");
  EXPECT_EQ(unigram("", R"(["a", "0"])"), "model.vocab[0][1]: expected a number, found \"0\"");
}

TEST(ModelParser, ReadsWordPieceAndWordLevel) {
  const auto words = [](std::string_view members) {
    return Parsed(base::StrCat(R"({"model": {"vocab": {"a": 0, "##b": 1, "ab": 2})", members, "}}"),
                  "abb");
  };
  const std::string_view piece =
      R"(, "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9)";
  EXPECT_EQ(words(base::StrCat(R"(, "type": "WordPiece")", piece)), "WordPiece 2 1");
  EXPECT_EQ(words(piece), "WordPiece 2 1");
  EXPECT_EQ(words(R"(, "unk_token": "a")"), "WordLevel 0");
  EXPECT_EQ(words(R"(, "type": "WordLevel", "unk_token": "a")"), "WordLevel 0");
  EXPECT_EQ(words(R"(, "type": "WordPiece", "unk_token": "a")"),
            "model.continuing_subword_prefix: expected a string, found nothing");
  EXPECT_EQ(words(R"(, "type": "WordLevel")"), "model.unk_token: expected a string, found nothing");
  EXPECT_EQ(words(""), "model.type: expected a string, found nothing");
  EXPECT_EQ(words(R"(, "type": "Other")"),
            "model.type: \"Other\" is not supported yet; supported: BPE, Unigram, WordLevel, "
            "WordPiece");
}

// The pairs were read by `tokenizers`.
TEST(SerdeFloat, RoundsAsSerdeDoes) {
  const std::vector<std::pair<double, double>> cases = {
      {-10.168529510498047, -10.168529510498049},
      {-14.067641772076719, -14.06764177207672},
      {94.65045140861237, 94.65045140861235},
      {-7.582200803883872e-10, -7.582200803883871e-10},
      {-1.5578600007716957e+22, -1.5578600007716955e+22},
      {-3.5449328422546387, -3.5449328422546387},
      {1, 1},
      {0, 0},
      {-0.5, -0.5},
      {1e-320, 1e-320}};
  for (const auto& [exact, read] : cases) EXPECT_EQ(SerdeFloat(exact), read);
}

TEST(ModelParser, AMissingUnknownTokenIsAnErrorOfTheText) {
  const std::string json =
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "<unk>"}})";
  EXPECT_EQ(Parsed(json, "aa"), "BPE 0 0");
  EXPECT_EQ(Parsed(json, "ab"),
            "text: a character needs the unknown token \"<unk>\", which is not in the vocabulary");
}

}  // namespace
}  // namespace triptych::loader
