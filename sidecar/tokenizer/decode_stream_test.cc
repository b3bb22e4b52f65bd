#include "tokenizer/decode_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "decoders/bpe_decoder.h"
#include "decoders/byte_fallback.h"
#include "decoders/byte_level.h"
#include "decoders/fuse.h"
#include "decoders/sequence.h"
#include "decoders/strip.h"

namespace triptych::tokenizer {
namespace {

using Ids = std::vector<uint32_t>;

template <typename... Decoders>
Detokenizer Make(const std::vector<std::string>& tokens, Decoders... decoders) {
  std::vector<std::unique_ptr<const decoders::Decoder>> steps;
  (steps.push_back(std::make_unique<const Decoders>(std::move(decoders))), ...);
  std::vector<Detokenizer::Token> table;
  for (const std::string& token : tokens) {
    table.push_back({static_cast<uint32_t>(table.size()), token, token == "<special>"});
  }
  return Detokenizer::Create(table, decoders::Sequence(std::move(steps))).value();
}

// What a stream gives for each of `calls`, and for Flush.
std::vector<std::string> PiecesOf(const Detokenizer& detokenizer, const std::vector<Ids>& calls,
                                  const StreamOptions& options = {}) {
  DecodeStream stream = DecodeStream::Create(detokenizer, options).value();
  std::vector<std::string> pieces;
  for (const Ids& ids : calls) pieces.push_back(stream.Append(ids)->text);
  pieces.push_back(stream.Flush().text);
  return pieces;
}

std::vector<Ids> OneByOne(const Ids& ids) {
  std::vector<Ids> calls;
  for (const uint32_t id : ids) calls.push_back({id});
  return calls;
}

// The first stop string by the rule of decode_stream.h, found by trying every end. Here every
// letter is a token.
struct Stop {
  std::string text;
  std::optional<uint32_t> index;
};

Stop SlowStop(std::string_view text, const StreamOptions& options) {
  for (size_t end = options.min_tokens + 1; end <= text.size(); ++end) {
    for (uint32_t i = 0; i < options.stop_strings.size(); ++i) {
      const std::string& stop = options.stop_strings[i];
      if (stop.empty() || !text.substr(0, end).ends_with(stop)) continue;
      return {std::string(text.substr(0, options.include_stop_string ? end : end - stop.size())),
              i};
    }
  }
  return {std::string(text), std::nullopt};
}

TEST(DecodeStream, GivesATokenOutBeforeItIsKnownNotToBeTheLast) {
  const Detokenizer detokenizer = Make({"a</w>", "b"}, decoders::BpeDecoder("</w>"));
  EXPECT_EQ(PiecesOf(detokenizer, {{0}, {1}, {0}, {}}),
            (std::vector<std::string>{"a", " b", "a", "", ""}));
}

TEST(DecodeStream, GivesACharacterOutWhereItsLastByteComes) {
  const Detokenizer detokenizer =
      Make({"<0xC3>", "<0xA9>", "a"}, decoders::ByteFallback(), decoders::Fuse());
  EXPECT_EQ(PiecesOf(detokenizer, {{0}, {1}, {2}}), (std::vector<std::string>{"", "é", "a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, {{0}, {0}, {2}}),
            (std::vector<std::string>{"", "", "\uFFFD\uFFFDa", ""}));
}

TEST(DecodeStream, LeavesOutAnUnfinishedCharacterAtTheEnd) {
  const Detokenizer fallback =
      Make({"<0xC3>", "<0xA9>", "a"}, decoders::ByteFallback(), decoders::Fuse());
  EXPECT_EQ(PiecesOf(fallback, OneByOne({2, 0})), (std::vector<std::string>{"a", "", ""}));
  const Detokenizer joined = Make({"Ã", "a", "bÃ"}, decoders::ByteLevel());
  EXPECT_EQ(PiecesOf(joined, {{1, 0}}), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(PiecesOf(joined, {{1, 2}}), (std::vector<std::string>{"a", ""}));
}

// As vLLM does where `tokenizers` tells of an invalid prefix.
TEST(DecodeStream, BeginsAnewWhereBytesThatWereGivenOutBreak) {
  const Detokenizer detokenizer = Make({"<0xC3>", "<0xA9>", "_a"}, decoders::ByteFallback(),
                                       decoders::Fuse(), decoders::Strip("_", 1, 0));
  EXPECT_EQ(PiecesOf(detokenizer, OneByOne({2, 0, 1, 0, 2, 2})),
            (std::vector<std::string>{"a", "", "é", "", "a", "_a", ""}));
}

TEST(DecodeStream, StripsTheBeginningOnly) {
  const Detokenizer detokenizer = Make({"_", "a"}, decoders::Fuse(), decoders::Strip("_", 1, 0));
  EXPECT_EQ(PiecesOf(detokenizer, OneByOne({0, 0, 1, 0, 1})),
            (std::vector<std::string>{"", "_", "a", "_", "a", ""}));
}

// The rule of step_decoder.h, with nothing left out: the window is decoded for every id.
std::vector<std::string> SlowPieces(const Detokenizer& detokenizer, const Ids& ids) {
  std::vector<std::string> pieces;
  Ids window;
  std::string prefix;
  size_t prefix_count = 0;
  const auto is_unfinished = [](const std::string& text) { return text.ends_with("\uFFFD"); };
  for (const uint32_t id : ids) {
    pieces.emplace_back();
    if (prefix.empty() && !is_unfinished(*detokenizer.Decode(window, {}))) {
      prefix = *detokenizer.Decode(window, {});
      prefix_count = window.size();
    }
    window.push_back(id);
    std::string text = *detokenizer.Decode(window, {});
    if (text.size() <= prefix.size() || is_unfinished(text)) continue;
    if (!text.starts_with(prefix)) {
      window = {id};
      prefix.clear();
      prefix_count = 0;
      text = *detokenizer.Decode(window, {});
      if (text.empty() || is_unfinished(text)) continue;
    }
    pieces.back() = text.substr(prefix.size());
    window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(prefix_count));
    prefix = *detokenizer.Decode(window, {});
    prefix_count = window.size();
  }
  return pieces;
}

TEST(DecodeStream, GivesWhatItsRuleGivesWhereTheWindowNeedNotBeDecoded) {
  const std::vector<std::string> tokens = {"_",
                                           "__",
                                           "_a",
                                           "a",
                                           "<0xC3>",
                                           "<0xA9>",
                                           "<0x0A>",
                                           "\uFFFD",
                                           "b\uFFFD",
                                           "",
                                           "a token of more than 15 bytes",
                                           "<special>"};
  std::vector<Detokenizer> detokenizers;
  detokenizers.push_back(
      Make(tokens, decoders::ByteFallback(), decoders::Fuse(), decoders::Strip("_", 1, 0)));
  detokenizers.push_back(
      Make(tokens, decoders::ByteFallback(), decoders::Fuse(), decoders::Strip("_", 3, 0)));
  detokenizers.push_back(Make(tokens, decoders::Fuse(), decoders::Strip("_", 1, 1)));
  detokenizers.push_back(Make(tokens, decoders::BpeDecoder("a"), decoders::ByteFallback()));
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Detokenizer& detokenizer = detokenizers[round % detokenizers.size()];
    Ids ids(random() % 30);
    for (uint32_t& id : ids) id = random() % tokens.size();
    std::vector<std::string> expected = SlowPieces(detokenizer, ids);
    expected.emplace_back();
    ASSERT_EQ(PiecesOf(detokenizer, OneByOne(ids)), expected) << round;
  }
}

TEST(DecodeStream, BeginsBehindItsContext) {
  const Detokenizer detokenizer =
      Make({"_", "_a", "<special>"}, decoders::Fuse(), decoders::Strip("_", 1, 0));
  EXPECT_EQ(PiecesOf(detokenizer, {{1}, {1}}, {.context = Ids{}}),
            (std::vector<std::string>{"a", "_a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, {{1}, {1}}, {.context = Ids{1}}),
            (std::vector<std::string>{"_a", "_a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, {{1}}, {.context = Ids{0}}),
            (std::vector<std::string>{"_a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, {{1}}, {.skip_special_tokens = true, .context = Ids{2, 99}}),
            (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, {{1}}, {.context = Ids{2, 99}}),
            (std::vector<std::string>{"_a", ""}));
}

TEST(DecodeStream, GivesOutACharacterThatTheContextLeavesUnfinished) {
  const Detokenizer fallback =
      Make({"<0xC3>", "<0xA9>", "a"}, decoders::ByteFallback(), decoders::Fuse());
  EXPECT_EQ(PiecesOf(fallback, {{1}, {2}}, {.context = Ids{2, 0}}),
            (std::vector<std::string>{"é", "a", ""}));
  const Detokenizer joined = Make({"Ã", "©", "a"}, decoders::ByteLevel());
  EXPECT_EQ(PiecesOf(joined, {{1}, {2}}, {.context = Ids{2, 0}}),
            (std::vector<std::string>{"é", "a", ""}));
}

TEST(DecodeStream, PassesOverBytesThatGoOnWithACharacterBeforeTheContext) {
  const Detokenizer detokenizer =
      Make({"<0xC3>", "<0xA9>", "a"}, decoders::ByteFallback(), decoders::Fuse());
  EXPECT_EQ(PiecesOf(detokenizer, {{2}}, {.context = Ids{1, 0, 1}}),
            (std::vector<std::string>{"a", ""}));
}

TEST(DecodeStream, SkipsSpecialTokens) {
  const Detokenizer detokenizer = Make({"a", "<special>"}, decoders::ByteLevel());
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 0}, {.skip_special_tokens = true}).value(), "aa");
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 0}, {}).value(), "a<special>a");
}

TEST(DecodeStream, AnUnknownIdIsNoText) {
  const Detokenizer detokenizer = Make({"a", "b"}, decoders::ByteLevel());
  DecodeStream stream = DecodeStream::Create(detokenizer, {}).value();
  const StreamText added = stream.Append(Ids{0, 2, 1, 4'000'000'000}).value();
  EXPECT_EQ(added.text, "ab");
  EXPECT_EQ(added.tokens_used, 4u);
}

TEST(DecodeStream, EndsAtAStopString) {
  const Detokenizer detokenizer = Make({"a", "b", "c", "bca"}, decoders::Fuse());
  DecodeStream stream = DecodeStream::Create(detokenizer, {.stop_strings = {"x", "bc"}}).value();
  EXPECT_EQ(stream.Append(Ids{0, 1})->text, "a");
  const StreamText end = stream.Append(Ids{2, 0, 0}).value();
  EXPECT_EQ(end.text, "");
  EXPECT_EQ(end.stop_index, 1u);
  EXPECT_EQ(end.tokens_used, 1u);
  const StreamText after = stream.Append(Ids{0, 0}).value();
  EXPECT_EQ(after.text, "");
  EXPECT_EQ(after.stop_index, 1u);
  EXPECT_EQ(after.tokens_used, 0u);
  EXPECT_EQ(stream.Flush().text, "");
}

TEST(DecodeStream, FindsNoStopStringInItsContext) {
  const Detokenizer detokenizer = Make({"a", "b"}, decoders::Fuse());
  EXPECT_EQ(
      PiecesOf(detokenizer, {{1}, {0}, {1}}, {.stop_strings = {"ab"}, .context = Ids{0, 1, 0}}),
      (std::vector<std::string>{"b", "", "", ""}));
}

TEST(DecodeStream, FindsNoStopStringInTheTextOfMinTokens) {
  const Detokenizer detokenizer = Make({"a", "b", "<special>"}, decoders::Fuse());
  StreamOptions options = {
      .skip_special_tokens = true, .stop_strings = {"aa", "b"}, .min_tokens = 3};
  EXPECT_EQ(PiecesOf(detokenizer, {{1, 1}, {1}, {0, 1}}, options),
            (std::vector<std::string>{"bb", "b", "a", ""}));
  EXPECT_EQ(PiecesOf(detokenizer, OneByOne({1, 99, 2, 1}), options),
            (std::vector<std::string>{"b", "", "", "", ""}));  // no text, but counted
  DecodeStream stream = DecodeStream::Create(detokenizer, options).value();
  const StreamText end = stream.Append(Ids{0, 0, 0, 0, 0}).value();
  EXPECT_EQ(end.text, "aa");  // what has begun before them may count
  EXPECT_EQ(end.stop_index, 0u);
  EXPECT_EQ(end.tokens_used, 4u);
}

TEST(DecodeStream, CleansUpSpacesAcrossTokens) {
  const Detokenizer detokenizer = Make({"do", " n", "'t", " ", "."}, decoders::Fuse());
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 2, 3, 4}, {.clean_up_spaces = true}).value(), "don't.");
  EXPECT_EQ(PiecesOf(detokenizer, OneByOne({0, 1, 2, 3, 4, 3}), {.clean_up_spaces = true}),
            (std::vector<std::string>{"do", "", "n't", "", ".", "", " "}));
}

// Exhaustive: every text of up to seven letters a or b, every pair of short stop strings, every cut
// into two calls and letter by letter, some min_tokens, against the rule spelled out.
TEST(DecodeStream, EveryStopStringInEveryTextHoweverCut) {
  const Detokenizer detokenizer = Make({"a", "b"}, decoders::Fuse());
  const std::vector<std::string> stops = {"", "a", "ab", "ba", "aab", "bb", "abab", "bba"};
  for (const std::string& first : stops) {
    for (const std::string& second : stops) {
      for (uint32_t bits = 0; bits < 1u << 8; ++bits) {
        const StreamOptions options = {.stop_strings = {first, second},
                                       .include_stop_string = (bits & 1) != 0,
                                       .min_tokens = bits >> 7 << 1};
        Ids ids;
        std::string text;
        for (uint32_t i = 0; i < 7; ++i) {
          ids.push_back(bits >> i & 1);
          text.push_back(ids.back() == 0 ? 'a' : 'b');
        }
        const Stop expected = SlowStop(text, options);
        for (size_t cut = 0; cut <= ids.size(); ++cut) {
          std::vector<Ids> calls = {{ids.begin(), ids.begin() + cut},
                                    {ids.begin() + cut, ids.end()}};
          if (cut == ids.size()) calls = OneByOne(ids);
          DecodeStream stream = DecodeStream::Create(detokenizer, options).value();
          std::string joined;
          std::optional<uint32_t> index;
          for (const Ids& call : calls) {
            const StreamText piece = stream.Append(call).value();
            joined += piece.text;
            EXPECT_TRUE(expected.text.starts_with(joined));
            index = piece.stop_index;
          }
          joined += stream.Flush().text;
          EXPECT_EQ(joined, expected.text) << text << " " << first << " " << second;
          EXPECT_EQ(index, expected.index) << text << " " << first << " " << second;
        }
      }
    }
  }
}

}  // namespace
}  // namespace triptych::tokenizer
