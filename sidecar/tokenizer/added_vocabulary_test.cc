// How added tokens are found is held against `tokenizers` by tests/unit/tokenizer/test_stages.py;
// here are the literal spans, which `tokenizers` does not have.
#include "tokenizer/added_vocabulary.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/str_cat.h"

namespace triptych::tokenizer {
namespace {

AddedVocabulary Make(std::vector<AddedToken> tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i].id = static_cast<uint32_t>(i);
  auto made = AddedVocabulary::Create(std::move(tokens), *models::Vocabulary::Create({}), nullptr);
  EXPECT_TRUE(made.ok()) << base::MessageOf(made.status());
  return *std::move(made);
}

// "text|0|text": ids in place of tokens.
std::string Cut(const AddedVocabulary& added, const std::string& text,
                std::vector<base::ByteRange> literal = {}) {
  std::string shown;
  for (const Section& section : added.Cut(text, /*normalized=*/true, literal)) {
    if (!shown.empty()) shown += "|";
    shown += section.id.has_value() ? std::to_string(*section.id)
                                    : text.substr(section.range.begin, section.range.size());
  }
  return shown;
}

TEST(AddedVocabulary, TheLongestTokenWins) {
  const AddedVocabulary added = Make({{.content = "<a"}, {.content = "<a>"}, {.content = "<a>bc"}});
  EXPECT_EQ(Cut(added, "x<a>bd<a<a>bc"), "x|1|bd|0|2");
  EXPECT_EQ(Cut(added, ""), "");
}

TEST(AddedVocabulary, NoByteOfATokenIsLiteral) {
  const AddedVocabulary added = Make({{.content = "<a"}, {.content = "<a>"}});
  EXPECT_EQ(Cut(added, "<a><a>", {{0, 3}}), "<a>|1");
  EXPECT_EQ(Cut(added, "<a><a>", {{4, 5}}), "1|<a>");
  EXPECT_EQ(Cut(added, "<a>", {{2, 3}}), "0|>");  // the shorter token lies outside
  EXPECT_EQ(Cut(added, "<a>", {{1, 1}}), "1");    // an empty span protects nothing
  EXPECT_EQ(Cut(added, "<a><a>", {{0, 1}, {1, 2}, {2, 6}}), "<a><a>");
}

// Ordinary text has the ids that it has without literal spans.
TEST(AddedVocabulary, WhiteSpaceThatIsLiteralIsSwallowedToo) {
  const AddedVocabulary added =
      Make({{.content = "<a>", .lstrip = true}, {.content = "<b>", .rstrip = true}});
  EXPECT_EQ(Cut(added, "x  <a>", {{0, 3}}), "x|0");
  EXPECT_EQ(Cut(added, "<b>  x", {{4, 6}}), "1|x");
}

TEST(AddedVocabulary, EntriesThatContradictTokenizersAreRefused) {
  const auto vocabulary = models::Vocabulary::Create({{"a", 0}, {"b", 1}});
  const auto create = [&](std::vector<AddedToken> tokens) {
    return AddedVocabulary::Create(std::move(tokens), *vocabulary, nullptr).ok();
  };
  EXPECT_TRUE(create({{.id = 1, .content = "b"}, {.id = 2, .content = "c"}}));
  EXPECT_FALSE(create({{.id = 0, .content = "b"}}));
  EXPECT_FALSE(create({{.id = 3, .content = "c"}}));
  EXPECT_FALSE(create({{.id = 2, .content = "c"}, {.id = 3, .content = "c"}}));
  EXPECT_FALSE(create({{.id = 2, .content = ""}}));
}

}  // namespace
}  // namespace triptych::tokenizer
