#include "loader/json_node.h"

#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"

namespace triptych::loader {
namespace {

std::string ErrorOf(const std::string& text) {
  const auto document = JsonDocument::Parse(text);
  return document.ok() ? "ok" : std::string(base::MessageOf(document.status()));
}

template <typename T>
std::string ErrorOf(const absl::StatusOr<T>& value) {
  return value.ok() ? "ok" : std::string(base::MessageOf(value.status()));
}

TEST(JsonDocument, RefusesWhatIsNotJson) {
  for (const std::string text :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "nul", "01", "1 2", "'a'", "[1}", "\"\n\"", "\"\\x\"",
        "NaN", "{1:2}", "\"\xFF\"", "1e999", "+1"}) {
    EXPECT_TRUE(ErrorOf(text).starts_with("the document is not valid JSON: ")) << text;
  }
  EXPECT_NE(ErrorOf(std::string("[1]\0", 4)), "ok");
  EXPECT_NE(ErrorOf(std::string("\"a\0b\"", 5)), "ok");
  EXPECT_EQ(ErrorOf("\xEF\xBB\xBF{}"),
            "the document is not valid JSON: it begins with a byte order mark; remove its 3 bytes");
}

TEST(JsonDocument, HalfASurrogatePairIsAnError) {
  for (const char* text : {R"("\ud83d")", R"("a\udE00")", R"("\ud83d\ud83d")", R"("\ud83dx")",
                           R"("\ud83d\\ude00")", R"("\ude00\ud83d")", R"({"\uDFFF": 1})"}) {
    EXPECT_NE(ErrorOf(text), "ok") << text;
  }
  for (const char* text : {R"("\ud83d\ude00")", R"("\\ud83d")", R"("\\\\ud83d")", R"("\u00e9\n")",
                           R"("\uD83D\uDE00\ud83d\ude00")", R"("\ud7ff\ue000")"}) {
    EXPECT_EQ(ErrorOf(text), "ok") << text;
  }
}

TEST(JsonDocument, DepthIsLimitedAsInSerde) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  EXPECT_EQ(ErrorOf(nested(JsonDocument::kMaxDepth)), "ok");
  EXPECT_NE(ErrorOf(nested(JsonDocument::kMaxDepth + 1)), "ok");
  EXPECT_NE(ErrorOf(nested(1'000'000)), "ok");
  EXPECT_NE(ErrorOf(std::string(1'000'000, '[')), "ok");
}

TEST(JsonNode, KnowsItsPath) {
  const auto document = *JsonDocument::Parse(R"({"a": [{"b c": [1, 2]}, 7]})");
  const JsonNode root = document->root();
  EXPECT_EQ(root.path(), "");
  EXPECT_EQ(root["a"].path(), "a");
  EXPECT_EQ(root["x"]["y"].path(), "x.y");
  EXPECT_TRUE(root["x"]["y"].is_null());
  const auto elements = *root["a"].Array();
  EXPECT_EQ((*elements[0]["b c"].Array())[1].path(), "a[0].b c[1]");
  EXPECT_EQ(ErrorOf(elements[1].String()), "a[1]: expected a string, found 7");
  EXPECT_EQ(ErrorOf(root["a"].Bool()), "a: expected true or false, found array of 2");
  EXPECT_EQ(ErrorOf(root.Array()), "the document: expected a list, found object of 1");
}

TEST(JsonNode, OfAMemberThatIsListedTwiceTheLastCounts) {
  for (const int others : {0, 100}) {
    std::string text = R"({"a": 1)";
    for (int i = 0; i < others; ++i) text += base::StrCat(", \"", i, "\": 0");
    const auto document = *JsonDocument::Parse(text + R"(, "a": 2})");
    EXPECT_EQ(document->root()["a"].Id().value(), 2u);
    EXPECT_TRUE(document->root()["b"].is_null());
    EXPECT_EQ(ErrorOf(document->root()["b"].Id()), "b: expected an id, found nothing");
  }
}

TEST(JsonNode, Numbers) {
  const auto document = *JsonDocument::Parse(
      "[4294967295, 4294967296, -1, 1.0, 1e3, 18446744073709551615, true, \"1\"]");
  const auto elements = *document->root().Array();
  EXPECT_EQ(elements[0].Id().value(), 4294967295u);
  EXPECT_EQ(ErrorOf(elements[1].Id()), "[1]: expected an id, found 4294967296");
  for (size_t i = 2; i < 5; ++i) EXPECT_FALSE(elements[i].Size().ok()) << i;
  EXPECT_EQ(elements[4].Number().value(), 1000.0);
  EXPECT_EQ(elements[2].Number().value(), -1.0);
  EXPECT_EQ(elements[5].Size().value(), 18446744073709551615u);
  EXPECT_FALSE(elements[6].Number().ok());
  EXPECT_FALSE(elements[7].Number().ok());
}

TEST(JsonNode, ALongStringIsShownShortened) {
  const auto document = *JsonDocument::Parse("\"" + std::string(79, 'a') + "é\"");
  EXPECT_EQ(ErrorOf(document->root().Bool()),
            "the document: expected true or false, found \"" + std::string(79, 'a') + "...");
}

}  // namespace
}  // namespace triptych::loader
