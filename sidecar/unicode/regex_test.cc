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
      {"a(?i)b|c", "aB aC c", {"aB", "aC"}},
      {"(?<=a|bc)d", "ad bcd d", {"d", "d"}},
      {"(?<!a)b", "ab bb", {"b", "b"}},
      {R"(\bfoo\b)", "foo foox", {"foo"}},
      {R"(\G.)", "ab", {"a", "b"}},
      {R"(a\Z)", "a\na\n", {"a"}},
      {R"(\R)", "\r\n\n", {"\r\n", "\n"}},
      {"a{2}?", "aaa", {"aa", ""}},
      {"a{3,1}a", "aaa", {}},
      {"(?:a+?)*", "aaa", {"aaa"}},
      {"a{x}|b{", "a{x}b{", {"a{x}", "b{"}},
      {"(?x) a b # c", "ab", {"ab"}},
      {"(?m:a.)(?<n>b)", "a\nb", {"a\nb"}},
      {"[[:alpha:]&&[^a-c]]+", "abcde", {"de"}},
      {"[]a]+", "]a[", {"]a"}},
      {"[a-c-]+", "b-d", {"b-"}},
      {"(?i)ss", "ß ẞ ſS s", {"ß", "ẞ", "ſS"}},
      {"(?i:s(?:s))", "ß", {"ß"}},
      {"(?i:(s)s)", "ß ss", {"ss"}},
      {"(?i)[ß]", "ss ẞ", {"ss", "ẞ"}},
      {"(?i)[^k]", "K\u212ax", {"x"}},
      {R"((?i)\p{Lu})", "aA", {"A"}},
      {R"(\p{greek}+|\p{Letter}+)", "abαβ", {"abαβ"}},
      {R"(\xC3\xA9)", "é", {"é"}},
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
       {"(",         ")",         "(a",        "a)",       "[a",
        "[]",        "[z-a]",     "[a-\\d]",   "[[:no:]]", "*a",
        "+",         "{2}",       "^*",        "(?=a)*",   "\\",
        "\\1",       "\\k<n>",    "\\g<n>",    "\\X",      "\\K",
        "\\cA",      "\\M-a",     "\\p{Nope}", "\\p{L",    "\\x{110000}",
        "\\x{D800}", "\\xE9",     "\\u12",     "(?s)a",    "(?P<n>a)",
        "(?~a)",     "(?(1)a|b)", "(?<1>a)",   "(?",       "(?i",
        "(?#a",      "a{100001}", "(?W)a",     "[[a]",     "a**********?+*"}) {
    const auto regex = Regex::Create(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(base::MessageOf(regex.status()).find("regular expression, offset "),
              std::string::npos);
  }
}

TEST(Regex, HostilePatternsAreErrors) {
  EXPECT_FALSE(Regex::Create(std::string(100'000, '(')).ok());
  EXPECT_FALSE(Regex::Create(std::string(100'000, '[')).ok());
  EXPECT_FALSE(Regex::Create("((((a{1000}b){1000}){1000}){1000})").ok());
  EXPECT_FALSE(Regex::Create(std::string(500'000, '|')).ok());
  EXPECT_FALSE(Regex::Create(std::string(2'000'000, 'a')).ok());
  EXPECT_FALSE(Regex::Create(base::StrCat("[", std::string(2'000'000, 'a'), "]")).ok());
  std::string many_repeats = "a{1000}{10}";
  for (int i = 0; i < 100'000; ++i) many_repeats += "{1}";
  EXPECT_FALSE(Regex::Create(many_repeats).ok());
  std::string many_ranges;
  for (char32_t c = 0x100; c < 0xD000; c += 2) AppendUtf8(c, many_ranges);
  EXPECT_FALSE(Regex::Create(base::StrCat("[", many_ranges, "]")).ok());
  std::string many_classes;
  for (char32_t c = 0x100; c < 0x1000; ++c) {
    many_classes += "[a";
    AppendUtf8(c, many_classes);
    many_classes += "]";
  }
  EXPECT_FALSE(Regex::Create(many_classes).ok());
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

TEST(Regex, HostilePatternsThatAreSmallInside) {
  std::string lookbehinds = "a";
  for (int i = 0; i < 40; ++i) lookbehinds = "(?<=" + lookbehinds + ")";
  EXPECT_TRUE(Regex::Create(lookbehinds).ok());
  EXPECT_TRUE(Regex::Create("(?:(?:(?:){100000}){100000}){100000}").ok());
  std::string many_sets;  // more than one classifier holds
  for (char32_t c = 0x100; c < 0x180; ++c) {
    many_sets += "[a";
    AppendUtf8(c, many_sets);
    many_sets += "]";
  }
  std::vector<base::ByteRange> matches;
  ASSERT_TRUE(Regex::Create(many_sets)->FindAll(std::string(128, 'a'), matches).ok());
  EXPECT_EQ(matches.size(), 1u);
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
