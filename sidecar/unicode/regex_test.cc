// What our engine matches against Oniguruma itself is tested by
// tests/unit/tokenizer/test_stages.py; here is what needs no reference.
#include "unicode/regex.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

struct Case {
  std::string pattern;
  std::string text;
  std::vector<std::string> matches;
};

TEST(Regex, MatchesFromTheLeftInOrderOfAlternatives) {
  const std::vector<Case> cases = {
      {"a|ab", "abab", {"a", "a"}},
      {"ab|a", "abab", {"ab", "ab"}},
      {"a+?", "aaa", {"a", "a", "a"}},
      {"a{2,3}", "aaaaa", {"aaa", "aa"}},
      {"a{2,3}?", "aaaa", {"aa", "aa"}},
      {"a++a", "aaa", {}},
      {"(?>a|ab)c", "abc", {}},
      {"(?:a|ab)c", "abc", {"abc"}},
      {R"(\s+(?!\S)|\s+)", "a   b", {"  ", " "}},
      {"x*", "axb", {"", "x", ""}},
      {"(a*)*", "aab", {"aa", ""}},
      {"^.", "a\nb\n", {"a", "b"}},
      {".$", "a\nb", {"a", "b"}},
      {R"(\A.|.\z)", "abc", {"a", "c"}},
      {"(?i:'ve)", "'VE've'vE", {"'VE", "'ve", "'vE"}},
      {R"([^\r\n\p{L}\p{N}]?\p{L}+)", " hé 1b", {" hé", "b"}},
      {R"(\p{N}{1,3})", "12345½", {"123", "45½"}},
      {"", "ab", {"", "", ""}},
  };
  for (const Case& c : cases) {
    const auto regex = Regex::Create(c.pattern);
    ASSERT_TRUE(regex.ok()) << base::MessageOf(regex.status());
    std::vector<base::ByteRange> ranges;
    ASSERT_TRUE(regex->FindAll(c.text, ranges).ok());
    std::vector<std::string> found;
    for (const auto& range : ranges) found.push_back(c.text.substr(range.begin, range.size()));
    EXPECT_EQ(found, c.matches) << c.pattern;
  }
}

TEST(Regex, WhatIsNotKnownIsAnError) {
  for (const std::string pattern :
       {"(",         ")",           "(a",          "a)",         "[a",         "[]",
        "[z-a]",     "[[:alpha:]]", "[a&&b]",      "*a",         "+",          "a{",
        "a{3,2}",    "a{1001}",     "\\",          "\\q",        "\\1",        "\\b",
        "\\p{Nope}", "\\p{L",       "\\x{110000}", "\\xE9",      "\\u12",      "(?<=a)",
        "(?<n>a)",   "(?i:é)",      "(?i:ss)",     "(?i:[a-z])", "(?i:\\p{L})"}) {
    const auto regex = Regex::Create(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(base::MessageOf(regex.status()).find("regular expression, offset "),
              std::string::npos);
  }
}

TEST(Regex, HostilePatternsAreErrors) {
  EXPECT_FALSE(Regex::Create(std::string(100'000, '(')).ok());
  EXPECT_FALSE(Regex::Create("((((a{1000}){1000}){1000}){1000})").ok());
  std::string many_loops;
  for (int i = 0; i < 300; ++i) many_loops += "(?:ab)*";
  EXPECT_FALSE(Regex::Create(many_loops).ok());
  std::string many_letters;
  for (char c = '!'; c < '!' + 70; ++c)
    many_letters += std::string("\\x{") + "4E" + std::to_string(c) + "}";
  EXPECT_FALSE(Regex::Create(many_letters).ok());
  EXPECT_FALSE(Regex::Create(std::string(500'000, '|')).ok());
  EXPECT_FALSE(Regex::Create(std::string(2'000'000, 'a')).ok());
  EXPECT_FALSE(Regex::Create(base::StrCat("[", std::string(2'000'000, 'a'), "]")).ok());
  std::string many_repeats = "a{1000}{10}";
  for (int i = 0; i < 100'000; ++i) many_repeats += "{1}";
  EXPECT_FALSE(Regex::Create(many_repeats).ok());
  std::string many_ranges;
  for (char32_t c = 0x100; c < 0xD000; c += 2) AppendUtf8(c, many_ranges);
  EXPECT_FALSE(Regex::Create(base::StrCat("[", many_ranges, "]")).ok());
}

TEST(Regex, LongClassesTakeTimeInProportion) {
  std::string classes;
  for (int i = 0; i < 50'000; ++i) classes += "\\p{L}\\w";
  EXPECT_TRUE(Regex::Create(base::StrCat("[", classes, "]")).ok());
}

TEST(Regex, AMessageShowsTheBeginningOfALongPattern) {
  const auto regex = Regex::Create("é" + std::string(100'000, '('));
  EXPECT_LT(regex.status().message().size(), 400u);
}

TEST(Regex, ExponentialPatternsRunOutOfStepsInsteadOfTime) {
  std::vector<base::ByteRange> ranges;
  const absl::Status status = Regex::Create("(?:a+)+b")->FindAll(std::string(5'000, 'a'), ranges);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(Regex, LongRunsNeitherRecurseNorBlowUp) {
  const auto regex = Regex::Create(R"(\p{L}+|\s+(?!\S)|\s+|(?:xy)+)");
  for (const std::string& text : {std::string(5'000'000, 'a'), std::string(5'000'000, ' ') + "a"}) {
    std::vector<base::ByteRange> ranges;
    ASSERT_TRUE(regex->FindAll(text, ranges).ok());
    EXPECT_EQ(ranges.back().end, text.size());
  }
}

}  // namespace
}  // namespace triptych::unicode
