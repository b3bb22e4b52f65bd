#include "pre_tokenizers/word_splitter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/aligned_text.h"
#include "pre_tokenizers/split.h"

namespace triptych::pre_tokenizers {
namespace {

const char* const kPatterns[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
};

// One pattern, both ways.
class Cutter {
 public:
  explicit Cutter(const char* pattern)
      : split_(*Split::CreateFromRegex(pattern, SplitBehavior::kIsolated, false)),
        splitter_(*WordSplitter::ForPattern(pattern)) {}

  std::vector<uint32_t> ByRegex(const std::string& text) const {
    PreTokenizedText pieces(base::AlignedText(text, 0));
    EXPECT_TRUE(split_.PreTokenize(pieces).ok());
    std::vector<uint32_t> ends;
    for (const base::ByteRange& piece : pieces.pieces) ends.push_back(piece.end);
    return ends;
  }

  std::vector<uint32_t> ByMasks(const std::string& text) const {
    std::vector<uint32_t> ends;
    uint32_t some[WordSplitter::kMinCapacity + 3];
    for (size_t begin = 0; begin < text.size(); begin = ends.back()) {
      const size_t count = splitter_.Split(text, begin, some, std::size(some));
      ends.insert(ends.end(), some, some + count);
    }
    return ends;
  }

  std::vector<uint32_t> ByCharacters(const std::string& text) const {
    std::vector<uint32_t> ends;
    for (size_t begin = 0; begin < text.size(); begin = ends.back()) {
      ends.push_back(static_cast<uint32_t>(splitter_.EndOfWord(text, begin)));
    }
    return ends;
  }

  void ExpectAgreement(const std::string& text) const {
    const std::vector<uint32_t> expected = ByRegex(text);
    ASSERT_EQ(expected, ByMasks(text)) << "'" << text << "'";
    ASSERT_EQ(expected, ByCharacters(text)) << "'" << text << "'";
  }

 private:
  Split split_;
  WordSplitter splitter_;
};

TEST(WordSplitter, AgreesOnAllShortTextsOfAllClasses) {
  const std::string alphabet[] = {"s",  "L", "e", "1", " ",      "\n",
                                  "\t", "'", "(", "é", "\u3000", "“"};
  for (const char* pattern : kPatterns) {
    const Cutter cutter(pattern);
    for (size_t length = 1; length <= 5; ++length) {
      std::vector<size_t> digits(length, 0);
      while (true) {
        std::string text;
        for (const size_t digit : digits) text += alphabet[digit];
        cutter.ExpectAgreement(text);
        if (testing::Test::HasFatalFailure()) return;
        size_t i = 0;
        while (i < length && ++digits[i] == std::size(alphabet)) digits[i++] = 0;
        if (i == length) break;
      }
    }
  }
}

TEST(WordSplitter, AgreesOnRandomTexts) {
  const std::string pieces[] = {
      "word",  "I'm", "'LL",     "'ve",    " ",      "  ",        "\n",      "\r\n",    "\t",
      "12345", "(",   ")",       "--",     "“",      "é",         "\u017F",  "'\u017F", "世界",
      "Ⅷ",     "½",   "\u00A0",  "\u3000", "\u2003", "🤯",        "e\u0301", "مرحبا",   "нет",
      "'",     "\0x", "       ", "\n\n\n", "a_b",    "\U000E0041"};
  std::mt19937 random(7);
  for (const char* pattern : kPatterns) {
    const Cutter cutter(pattern);
    for (int round = 0; round < 20'000; ++round) {
      std::string text;
      for (size_t i = 0, n = random() % 60; i < n; ++i)
        text += pieces[random() % std::size(pieces)];
      cutter.ExpectAgreement(text);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(WordSplitter, LongRunsAreOneWord) {
  for (const char* pattern : kPatterns) {
    const Cutter cutter(pattern);
    for (const char* one : {"a", " ", "\n", "1", "!", "世", "\u3000", "'", "“", "½"}) {
      std::string run;
      for (int i = 0; i < 300; ++i) run += one;
      for (const char* before : {"", " ", "x", "!", "\n"}) {
        for (const char* behind : {"", " ", "x", "!", "\n", "7"}) {
          cutter.ExpectAgreement(before + run + behind);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(WordSplitter, OtherPatternsAreNotKnown) {
  EXPECT_FALSE(WordSplitter::ForPattern(R"(\s+)").has_value());
}

}  // namespace
}  // namespace triptych::pre_tokenizers
