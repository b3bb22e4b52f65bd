#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/str_cat.h"
#include "loader/json_node.h"
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

TEST(ModelParser, AMissingUnknownTokenIsAnErrorOfTheText) {
  const std::string json =
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "<unk>"}})";
  EXPECT_EQ(Parsed(json, "aa"), "BPE 0 0");
  EXPECT_EQ(Parsed(json, "ab"),
            "text: a character needs the unknown token \"<unk>\", which is not in the vocabulary");
}

}  // namespace
}  // namespace triptych::loader
