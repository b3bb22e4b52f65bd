#include "models/bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "models/random_merges.h"
#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

// The oracle: byte pair encoding as one would explain it. ASCII only, so that bytes are their own
// letters.
std::vector<std::string> PlainBpe(const std::string& piece, const Merges& merges) {
  std::vector<std::string> parts;
  for (const char c : piece) parts.emplace_back(1, c);
  std::map<std::pair<std::string, std::string>, size_t> rank_of;
  for (size_t rank = 0; rank < merges.size(); ++rank) rank_of[merges[rank]] = rank;
  while (true) {
    size_t best = 0, best_rank = merges.size();
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = rank_of.find({parts[i], parts[i + 1]});
      if (found != rank_of.end() && found->second < best_rank) {
        best = i;
        best_rank = found->second;
      }
    }
    if (best_rank == merges.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

Vocabulary VocabularyOf(const std::vector<std::string>& tokens) {
  std::vector<std::pair<std::string, uint32_t>> entries;
  for (const std::string& token : tokens) {
    entries.emplace_back(token, static_cast<uint32_t>(entries.size()));
  }
  return *Vocabulary::Create(std::move(entries));
}

std::vector<std::string> TokensOf(const Bpe& bpe, std::string_view piece) {
  std::vector<Token> tokens;
  EXPECT_TRUE(bpe.Tokenize(piece, tokens).ok());
  std::vector<std::string> strings;
  for (const Token& token : tokens) strings.emplace_back(*bpe.vocabulary().TokenOf(token.id));
  return strings;
}

struct RandomBpe {
  std::vector<std::string> tokens;
  Merges merges;
};

RandomBpe MakeRandomBpe(std::mt19937& random, size_t letters, size_t merge_count) {
  RandomBpe made;
  for (size_t i = 0; i < letters; ++i) made.tokens.emplace_back(1, static_cast<char>('a' + i));
  for (size_t i = 0; i < merge_count; ++i) {
    const auto any = [&] { return made.tokens[random() % made.tokens.size()]; };
    std::pair<std::string, std::string> merge(any(), any());
    if (std::find(made.merges.begin(), made.merges.end(), merge) != made.merges.end()) continue;
    const std::string joined = merge.first + merge.second;
    if (std::find(made.tokens.begin(), made.tokens.end(), joined) == made.tokens.end()) {
      made.tokens.push_back(joined);
    }
    made.merges.push_back(std::move(merge));
  }
  // Training gives merges in an order where parts come before wholes; encoders must not rely on it.
  std::shuffle(made.merges.begin(), made.merges.end(), random);
  return made;
}

TEST(Bpe, AgreesWithThePlainEncoder) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const RandomBpe made = MakeRandomBpe(random, 1 + random() % 4, random() % 30);
    const auto bpe = Bpe::Create(VocabularyOf(made.tokens), {.merges = made.merges});
    ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
    for (int i = 0; i < 50; ++i) {
      std::string piece(random() % 120,
                        ' ');  // both below and above the size where the heap takes over
      for (char& c : piece) c = made.tokens[random() % made.tokens.size()][0];
      ASSERT_EQ(TokensOf(**bpe, piece), PlainBpe(piece, made.merges)) << piece;
    }
  }
}

TEST(Bpe, MergesLowestRankFirstAndLeftmostOfEquals) {
  const auto bpe =
      Bpe::Create(VocabularyOf({"a", "b", "aa", "ab"}), {.merges = {{"a", "a"}, {"a", "b"}}});
  EXPECT_EQ(TokensOf(**bpe, "aaa"), (std::vector<std::string>{"aa", "a"}));
  EXPECT_EQ(TokensOf(**bpe, "aaab"), (std::vector<std::string>{"aa", "ab"}));
}

TEST(Bpe, RangesCoverThePiece) {
  const auto bpe = Bpe::Create(VocabularyOf({"a", "b", "ab"}), {.merges = {{"a", "b"}}});
  std::vector<Token> tokens;
  EXPECT_TRUE((*bpe)->Tokenize("bab", tokens).ok());
  EXPECT_EQ(tokens, (std::vector<Token>{{1, {0, 1}}, {2, {1, 3}}}));
}

TEST(Bpe, IgnoreMergesTakesAWholePiece) {
  const auto plain = Bpe::Create(VocabularyOf({"a", "b", "Ġ", "Ġab"}), {});
  const auto ignoring = Bpe::Create(VocabularyOf({"a", "b", "Ġ", "Ġab"}), {.ignore_merges = true});
  EXPECT_EQ(TokensOf(**plain, " ab"), (std::vector<std::string>{"Ġ", "a", "b"}));
  EXPECT_EQ(TokensOf(**ignoring, " ab"), std::vector<std::string>{"Ġab"});
}

TEST(Bpe, MissingBytes) {
  const std::vector<std::string> tokens = {"a", "<unk>"};
  EXPECT_EQ(TokensOf(**Bpe::Create(VocabularyOf(tokens), {}), "xxa"),
            std::vector<std::string>{"a"});
  EXPECT_EQ(TokensOf(**Bpe::Create(VocabularyOf(tokens), {.unk_token = "<unk>"}), "xxa"),
            (std::vector<std::string>{"<unk>", "<unk>", "a"}));
  EXPECT_EQ(TokensOf(**Bpe::Create(VocabularyOf(tokens), {.unk_token = "<unk>", .fuse_unk = true}),
                     "xxa"),
            (std::vector<std::string>{"<unk>", "a"}));
}

// The second oracle: every option, over text as tokens are written. Each part is a token and the
// size of the text it stands for.
struct Part {
  std::string token;
  size_t size;
};

std::vector<Part> FirstParts(const std::string& text, const Vocabulary& vocabulary,
                             const BpeOptions& options) {
  std::vector<Part> parts, unknown;
  for (size_t at = 0, end; at < text.size(); at = end) {
    end = at + unicode::DecodeAt(text, at).size;
    std::string spelled = text.substr(at, end - at);
    if (at > 0) spelled = options.continuing_subword_prefix + spelled;
    if (end == text.size()) spelled += options.end_of_word_suffix;
    if (vocabulary.IdOf(spelled).has_value()) {
      parts.insert(parts.end(), unknown.begin(), unknown.end());
      unknown.clear();
      parts.push_back({spelled, end - at});
      continue;
    }
    std::vector<Part> bytes;
    for (const unsigned char byte : spelled) {
      char token[8];
      snprintf(token, sizeof(token), "<0x%02X>", byte);
      if (vocabulary.IdOf(token).has_value()) bytes.push_back({token, 1});
    }
    if (options.byte_fallback && bytes.size() == spelled.size()) {
      parts.insert(parts.end(), bytes.begin(), bytes.end());
    } else if (options.unk_token.has_value() && options.fuse_unk && !unknown.empty()) {
      unknown[0].size += end - at;
    } else if (options.unk_token.has_value()) {
      parts.insert(parts.end(), unknown.begin(), unknown.end());
      unknown = {{*options.unk_token, end - at}};
    }
  }
  parts.insert(parts.end(), unknown.begin(), unknown.end());
  return parts;
}

std::vector<Token> PlainTokens(const std::string& text, const Vocabulary& vocabulary,
                               const BpeOptions& options) {
  std::vector<Part> parts = FirstParts(text, vocabulary, options);
  while (true) {
    size_t best = 0, best_rank = options.merges.size();
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (options.merges[rank] == std::pair(parts[i].token, parts[i + 1].token)) {
          best = i;
          best_rank = rank;
        }
      }
    }
    if (best_rank == options.merges.size()) break;
    parts[best].token += parts[best + 1].token.substr(options.continuing_subword_prefix.size());
    parts[best].size += parts[best + 1].size;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<Token> tokens;
  uint32_t end = 0;
  const auto clamped = [&](size_t at) { return static_cast<uint32_t>(std::min(at, text.size())); };
  for (const Part& part : parts) {
    const auto size = static_cast<uint32_t>(part.size);
    tokens.push_back({*vocabulary.IdOf(part.token), {clamped(end), clamped(end + size)}});
    end += size;
  }
  return tokens;
}

// A vocabulary over some letters, with random holes, affixes and merges.
BpeOptions MakeRandomOptions(std::mt19937& random, const std::vector<std::string>& letters,
                             std::vector<std::string>& tokens) {
  const auto coin = [&] { return random() % 2 == 0; };
  BpeOptions options;
  options.fuse_unk = coin();
  options.byte_fallback = coin();
  if (coin()) options.unk_token = "<unk>";
  if (coin()) options.continuing_subword_prefix = coin() ? "##" : "é";
  if (coin()) options.end_of_word_suffix = "</w>";
  const std::string prefix = options.continuing_subword_prefix;
  tokens = {"<unk>"};
  std::vector<std::string> rights;
  for (const std::string& letter : letters) {
    for (const std::string& spelled :
         {letter, prefix + letter, prefix + letter + options.end_of_word_suffix}) {
      if (random() % 5 == 0) continue;
      tokens.push_back(spelled);
      if (spelled.starts_with(prefix) && spelled.size() > prefix.size()) rights.push_back(spelled);
    }
  }
  for (int i = random() % 25; i > 0 && !rights.empty(); --i) {
    std::pair merge(tokens[random() % tokens.size()], rights[random() % rights.size()]);
    if (std::find(options.merges.begin(), options.merges.end(), merge) != options.merges.end())
      continue;
    const std::string joined = merge.first + merge.second.substr(prefix.size());
    tokens.push_back(joined);
    if (joined.starts_with(prefix)) rights.push_back(joined);
    options.merges.push_back(std::move(merge));
  }
  for (int byte = 0; byte < 256; ++byte) {
    char token[8];
    snprintf(token, sizeof(token), "<0x%02X>", byte);
    if (random() % 20 != 0) tokens.emplace_back(token);
  }
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  std::shuffle(options.merges.begin(), options.merges.end(), random);
  return options;
}

TEST(Bpe, AgreesWithThePlainEncoderOnEveryOption) {
  const std::vector<std::string> letters = {"a", "b", "é", "한", "😀"};
  std::mt19937 random(3);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> names;
    BpeOptions options = MakeRandomOptions(random, letters, names);
    options.is_byte_level = false;
    const auto bpe = Bpe::Create(VocabularyOf(names), options);
    ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
    std::string text;
    std::vector<uint32_t> ends, expected;
    for (int i = 0; i < 90; ++i) {
      std::string piece;
      for (size_t n = random() % (i % 6 != 0 ? 10 : 80); n > 0; --n) {
        piece += letters[random() % letters.size()];
      }
      std::vector<Token> tokens;
      ASSERT_TRUE((*bpe)->Tokenize(piece, tokens).ok());
      ASSERT_EQ(tokens, PlainTokens(piece, VocabularyOf(names), options)) << piece;
      if (piece.empty()) continue;
      text += piece;
      ends.push_back(static_cast<uint32_t>(text.size()));
      for (const Token& token : tokens) expected.push_back(token.id);
    }
    // As the words of one text, which are looked up and merged together.
    std::vector<uint32_t> ids;
    ASSERT_TRUE((*bpe)->AppendIds(text, 0, ends, ids).ok());
    ASSERT_EQ(ids, expected) << text;
  }
}

// The byte form is the character form over text in the byte-level alphabet, with ranges that are
// widened to whole bytes of the piece.
TEST(Bpe, TheByteFormIsTheCharacterFormOfWrittenBytes) {
  const std::string bytes = std::string("a \xC3\xA9") + '\0' + "\xFF";
  std::vector<std::string> letters;
  for (const unsigned char byte : bytes) letters.emplace_back(unicode::ByteLevelCharacter(byte));
  std::mt19937 random(4);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> names;
    BpeOptions options = MakeRandomOptions(random, letters, names);
    const auto bpe = Bpe::Create(VocabularyOf(names), options);
    ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
    for (int i = 0; i < 30; ++i) {
      std::string piece, written;
      std::vector<uint32_t> byte_of;  // the byte of the piece that a byte of `written` belongs to
      for (size_t n = random() % 10; n > 0; --n) {
        const size_t letter = random() % letters.size();
        byte_of.insert(byte_of.end(), letters[letter].size(), static_cast<uint32_t>(piece.size()));
        piece += bytes[letter];
        written += letters[letter];
      }
      byte_of.push_back(static_cast<uint32_t>(piece.size()));
      std::vector<Token> expected = PlainTokens(written, VocabularyOf(names), options);
      for (Token& token : expected) {
        const bool is_empty = token.range.empty();
        token.range.begin = byte_of[token.range.begin];
        token.range.end = is_empty ? token.range.begin : byte_of[token.range.end - 1] + 1;
      }
      std::vector<Token> tokens;
      ASSERT_TRUE((*bpe)->Tokenize(piece, tokens).ok());
      ASSERT_EQ(tokens, expected) << written;
    }
  }
}

// A vocabulary may have tokens with a true blank too, which no text reaches: the normalizer has
// made every blank a "▁".
TEST(Bpe, AWordOfATextIsNeverATokenWithATrueBlank) {
  const auto bpe =
      Bpe::Create(VocabularyOf({" ", "x", " x", "\n", "▁", "▁x"}),
                  {.merges = {{" ", "x"}, {"▁", "x"}}, .is_byte_level = false, .unk_token = "x"});
  ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
  ASSERT_NE((*bpe)->splitter(), nullptr);
  std::vector<uint32_t> ids;
  const uint32_t end = 2;
  EXPECT_TRUE((*bpe)->AppendIds(" x", 0, {&end, 1}, ids).ok());
  EXPECT_EQ(ids, (std::vector<uint32_t>{5}));
}

// The ids of the words of a text, each by itself.
std::vector<uint32_t> IdsOfEach(const Bpe& bpe, const std::vector<std::string>& words) {
  std::vector<Token> tokens;
  for (const std::string& word : words) EXPECT_TRUE(bpe.Tokenize(word, tokens).ok());
  std::vector<uint32_t> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  return ids;
}

// New words wait for each other, known ones and long ones do not: all ids come in order.
TEST(Bpe, ManyNewWordsOfATextAreMergedAsEachAlone) {
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    const RandomBpe made = MakeRandomBpe(random, 1 + random() % 4, random() % 30);
    const auto bpe = Bpe::Create(VocabularyOf(made.tokens), {.merges = made.merges});
    ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
    for (int text_number = 0; text_number < 5; ++text_number) {
      std::vector<std::string> words(random() % 300);
      std::string text;
      std::vector<uint32_t> ends;
      for (std::string& word : words) {
        word.resize(1 + random() % (random() % 10 == 0 ? 100 : 12));
        // Some characters are unknown, and are dropped.
        for (char& c : word) c = static_cast<char>('a' + random() % 5);
        text += word;
        ends.push_back(static_cast<uint32_t>(text.size()));
      }
      std::vector<uint32_t> ids = {7, 7};
      ASSERT_TRUE((*bpe)->AppendIds(text, 0, ends, ids).ok());
      std::vector<uint32_t> expected = IdsOfEach(**bpe, words);
      expected.insert(expected.begin(), {7, 7});
      ASSERT_EQ(ids, expected) << text;
    }
  }
}

// A word of a text does not begin as its bytes where a character of it is a token, a piece does.
TEST(Bpe, WordsInManyScriptsAreMergedAsTheirBytesAre) {
  const std::vector<std::string> letters = {"a", " ", "é", "д", "स", "र", "語", "語", "🙂"};
  std::mt19937 random(10);
  for (int round = 0; round < 200; ++round) {
    std::set<std::string> tokens;
    for (const std::string& letter : letters) {
      for (const char byte : letter) tokens.insert(unicode::ToByteLevel({&byte, 1}));
    }
    Merges merges;
    for (const auto& [left, right] : RandomByteMerges(random, letters, 1 + random() % 60)) {
      merges.emplace_back(unicode::ToByteLevel(left), unicode::ToByteLevel(right));
      tokens.insert(unicode::ToByteLevel(left + right));
    }
    const auto bpe = Bpe::Create(VocabularyOf({tokens.begin(), tokens.end()}), {.merges = merges});
    ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
    std::vector<std::string> words(40);
    std::string text;
    std::vector<uint32_t> ends;
    for (std::string& word : words) {
      word = RandomText(random, letters, 1 + random() % (random() % 10 == 0 ? 70 : 12));
      text += word;
      ends.push_back(static_cast<uint32_t>(text.size()));
    }
    std::vector<uint32_t> ids;
    ASSERT_TRUE((*bpe)->AppendIds(text, 0, ends, ids).ok());
    ASSERT_EQ(ids, IdsOfEach(**bpe, words)) << text;
  }
}

// Long ones are told from other words by a filter (word_filter.h).
TEST(Bpe, IgnoreMergesTakesAWholeWordOfATextHoweverLong) {
  const std::string known(40, 'a'), unknown(41, 'a');
  const auto bpe = Bpe::Create(VocabularyOf({"a", "aa", known}), {.ignore_merges = true});
  const std::string text = known + unknown + "aa" + known;
  const std::vector<uint32_t> ends = {40, 81, 83, 123};
  std::vector<uint32_t> ids, expected = {2};
  expected.insert(expected.end(), 41, 0);
  expected.insert(expected.end(), {1, 2});
  ASSERT_TRUE((*bpe)->AppendIds(text, 0, ends, ids).ok());
  EXPECT_EQ(ids, expected);
}

TEST(Bpe, CharactersOfEverySizeAreFound) {
  const std::vector<std::string> characters = {"a", "é", "€", "🙂", "\u00bf", "\u00c0"};
  std::vector<std::string> tokens = characters;
  tokens.push_back("é€");
  const auto bpe = Bpe::Create(VocabularyOf(tokens),
                               {.merges = {{"é", "€"}}, .is_byte_level = false, .unk_token = "a"});
  ASSERT_TRUE(bpe.ok()) << base::MessageOf(bpe.status());
  for (const std::string& character : characters) {
    EXPECT_EQ(TokensOf(**bpe, character), std::vector<std::string>{character});
  }
  EXPECT_EQ(TokensOf(**bpe, "é€🙂\u00c1"), (std::vector<std::string>{"é€", "🙂", "a"}));
}

TEST(Bpe, AMissingUnknownTokenFailsOnlyWhereItIsNeeded) {
  const auto bpe = Bpe::Create(VocabularyOf({"a"}), {.is_byte_level = false, .unk_token = "<unk>"});
  EXPECT_EQ(TokensOf(**bpe, "aa"), (std::vector<std::string>{"a", "a"}));
  std::vector<Token> tokens;
  EXPECT_EQ((*bpe)->Tokenize("ab", tokens).code(), absl::StatusCode::kInvalidArgument);
}

// A merge whose right part is only the prefix gives its left part again. A candidate then outlives
// a change of its pair, as in `tokenizers`.
TEST(Bpe, MergesThatDoNotGrowEnd) {
  const auto bpe =
      Bpe::Create(VocabularyOf({"a", "b", "#", "##", "##b"}), {.merges = {{"a", "#"}, {"#", "##"}},
                                                               .is_byte_level = false,
                                                               .unk_token = "#",
                                                               .continuing_subword_prefix = "#"});
  EXPECT_EQ(TokensOf(**bpe, "axxx"), std::vector<std::string>{"a"});
  EXPECT_EQ(TokensOf(**bpe, "xa#"), std::vector<std::string>{"##"});
}

TEST(Bpe, BadMergesAreErrors) {
  const auto missing = Bpe::Create(VocabularyOf({"a", "b"}), {.merges = {{"a", "b"}}});
  EXPECT_EQ(base::MessageOf(missing.status()),
            "merges[0]: \"ab\" is not a token of the vocabulary");
}

TEST(Bpe, ALongRunIsNotQuadratic) {
  std::vector<std::string> tokens = {"a"};
  Merges merges;
  for (int i = 0; i < 10; ++i) {
    merges.emplace_back(tokens.back(), tokens.back());
    tokens.push_back(tokens.back() + tokens.back());
  }
  const auto bpe = Bpe::Create(VocabularyOf(tokens), {.merges = merges});
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(TokensOf(**bpe, std::string(1'024 * 1'000, 'a')).size(), 1'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(Bpe, ManyThreadsShareTheCache) {
  std::mt19937 random(2);
  const RandomBpe made = MakeRandomBpe(random, 4, 20);
  const auto bpe = Bpe::Create(VocabularyOf(made.tokens), {.merges = made.merges});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 own(t);
      for (int i = 0; i < 2'000; ++i) {
        std::string piece(own() % 8, ' ');
        for (char& c : piece) c = static_cast<char>('a' + own() % 4);
        EXPECT_EQ(TokensOf(**bpe, piece), PlainBpe(piece, made.merges));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Vocabulary, RefusesHostileIds) {
  EXPECT_FALSE(Vocabulary::Create({{"a", 4'000'000'000u}}).ok());
  EXPECT_FALSE(Vocabulary::Create({{"a", 1}, {"b", 1}}).ok());
}

TEST(Vocabulary, KnowsGaps) {
  const auto vocabulary = Vocabulary::Create({{"a", 1}, {"b", 5}});
  EXPECT_EQ(vocabulary->size(), 2u);
  EXPECT_EQ(vocabulary->id_limit(), 6u);
  EXPECT_FALSE(vocabulary->TokenOf(3).has_value());
  EXPECT_EQ(vocabulary->TokenOf(5), "b");
  EXPECT_EQ(vocabulary->IdOf("a"), 1u);
}

}  // namespace
}  // namespace triptych::models
