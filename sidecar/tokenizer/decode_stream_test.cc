#include "tokenizer/decode_stream.h"

#include <gtest/gtest.h>

#include <memory>
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
std::vector<std::string> PiecesOf(DecodeStream& stream, const std::vector<Ids>& calls) {
  std::vector<std::string> pieces;
  for (const Ids& ids : calls) pieces.push_back(stream.Append(ids)->text);
  pieces.push_back(stream.Flush()->text);
  return pieces;
}

std::vector<Ids> OneByOne(const Ids& ids) {
  std::vector<Ids> calls;
  for (const uint32_t id : ids) calls.push_back({id});
  return calls;
}

// The first stop string by the rule of decode_stream.h, found by trying every end.
struct Stop {
  std::string text;
  std::optional<uint32_t> index;
};

Stop SlowStop(std::string_view text, const StreamOptions& options) {
  for (size_t end = 1; end <= text.size(); ++end) {
    for (uint32_t i = 0; i < options.stop_strings.size(); ++i) {
      const std::string& stop = options.stop_strings[i];
      if (stop.empty() || !text.substr(0, end).ends_with(stop)) continue;
      return {std::string(text.substr(0, options.include_stop_string ? end : end - stop.size())),
              i};
    }
  }
  return {std::string(text), std::nullopt};
}

TEST(DecodeStream, HoldsBackTheTokenThatMayBeTheLast) {
  const Detokenizer detokenizer = Make({"a</w>", "b"}, decoders::BpeDecoder("</w>"));
  DecodeStream stream(detokenizer, {});
  EXPECT_EQ(PiecesOf(stream, {{0}, {1}, {0}, {}}),
            (std::vector<std::string>{"", "a ", "b", "", "a"}));
}

TEST(DecodeStream, HoldsBackARunOfBytesUntilItEnds) {
  const Detokenizer detokenizer =
      Make({"<0xC3>", "<0xA9>", "a"}, decoders::ByteFallback(), decoders::Fuse());
  DecodeStream stream(detokenizer, {});
  EXPECT_EQ(PiecesOf(stream, {{0}, {1}, {2}}), (std::vector<std::string>{"", "", "éa", ""}));
  EXPECT_EQ(PiecesOf(stream, {{0}, {1}, {0}}),
            (std::vector<std::string>{"", "", "", "\uFFFD\uFFFD\uFFFD"}));
}

TEST(DecodeStream, StripsTheBeginningAndTheEndOnly) {
  const Detokenizer detokenizer = Make({"_", "a"}, decoders::Fuse(), decoders::Strip("_", 1, 2));
  DecodeStream stream(detokenizer, {});
  EXPECT_EQ(PiecesOf(stream, OneByOne({0, 0, 1, 0, 0, 0, 1, 0, 0, 0})),
            (std::vector<std::string>{"", "", "_a", "", "", "_", "__a", "", "", "_", ""}));
}

TEST(DecodeStream, SkipsSpecialTokens) {
  const Detokenizer detokenizer = Make({"a", "<special>"}, decoders::ByteLevel());
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 0}, {.skip_special_tokens = true}).value(), "aa");
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 0}, {}).value(), "a<special>a");
}

TEST(DecodeStream, AnUnknownIdChangesNothing) {
  const Detokenizer detokenizer = Make({"a", "b"}, decoders::ByteLevel());
  DecodeStream stream(detokenizer, {});
  EXPECT_EQ(stream.Append(Ids{0, 2}).status().message(),
            "token_ids[1]: 2 is not the id of a token; ids are below 2");
  EXPECT_EQ(stream.Append(Ids{1})->text, "b");
}

TEST(DecodeStream, EndsAtAStopString) {
  const Detokenizer detokenizer = Make({"a", "b", "c", "bca"}, decoders::Fuse());
  DecodeStream stream(detokenizer, {.stop_strings = {"x", "bc"}});
  EXPECT_EQ(stream.Append(Ids{0, 1})->text, "a");
  const StreamText end = stream.Append(Ids{2, 0, 0}).value();
  EXPECT_EQ(end.text, "");
  EXPECT_EQ(end.stop_index, 1u);
  EXPECT_EQ(end.tokens_used, 1u);
  const StreamText after = stream.Append(Ids{0, 0}).value();
  EXPECT_EQ(after.text, "");
  EXPECT_EQ(after.stop_index, 1u);
  EXPECT_EQ(after.tokens_used, 0u);
  EXPECT_EQ(stream.Flush()->text, "");
  EXPECT_EQ(stream.Append(Ids{1})->text, "");  // as new
  EXPECT_EQ(stream.Append(Ids{0})->text, "ba");
}

TEST(DecodeStream, FlushMayCompleteAStopString) {
  const Detokenizer detokenizer = Make({"a</w>"}, decoders::BpeDecoder("</w>"));
  DecodeStream stream(detokenizer, {.stop_strings = {"a a"}});
  EXPECT_EQ(stream.Append(Ids{0, 0})->text, "");
  const StreamText end = stream.Flush().value();
  EXPECT_EQ(end.text, "");
  EXPECT_EQ(end.stop_index, 0u);
}

TEST(DecodeStream, CleansUpSpacesAcrossTokens) {
  const Detokenizer detokenizer = Make({"do", " n", "'t", " ", "."}, decoders::Fuse());
  EXPECT_EQ(detokenizer.Decode(Ids{0, 1, 2, 3, 4}, {.clean_up_spaces = true}).value(), "don't.");
  DecodeStream stream(detokenizer, {.clean_up_spaces = true});
  EXPECT_EQ(PiecesOf(stream, OneByOne({0, 1, 2, 3, 4, 3})),
            (std::vector<std::string>{"do", "", "n't", "", ".", "", " "}));
}

// Exhaustive: every text of up to seven letters a or b, every pair of short stop strings, every cut
// into two calls and letter by letter, against the rule spelled out.
TEST(DecodeStream, EveryStopStringInEveryTextHoweverCut) {
  const Detokenizer detokenizer = Make({"a", "b"}, decoders::Fuse());
  const std::vector<std::string> stops = {"", "a", "ab", "ba", "aab", "bb", "abab", "bba"};
  for (const std::string& first : stops) {
    for (const std::string& second : stops) {
      for (uint32_t bits = 0; bits < 1u << 7; ++bits) {
        const StreamOptions options = {.stop_strings = {first, second},
                                       .include_stop_string = (bits & 1) != 0};
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
          DecodeStream stream(detokenizer, options);
          std::string joined;
          std::optional<uint32_t> index;
          for (const Ids& call : calls) {
            const StreamText piece = stream.Append(call).value();
            joined += piece.text;
            EXPECT_TRUE(expected.text.starts_with(joined));
            index = piece.stop_index;
          }
          joined += stream.Flush()->text;
          EXPECT_EQ(joined, expected.text) << text << " " << first << " " << second;
          EXPECT_EQ(index, expected.index) << text << " " << first << " " << second;
        }
      }
    }
  }
}

}  // namespace
}  // namespace triptych::tokenizer
