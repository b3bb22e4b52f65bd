// Ids alone go another way than ids with ranges (tokenizer/text_encoder.h). For every shape of
// tokenizer.json that has a fast form, and some that have none, the ids are the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "loader/tokenizer_loader.h"
#include "tokenizer/tokenizer.h"
#include "unicode/byte_level_alphabet.h"

namespace triptych::loader {
namespace {

using tokenizer::Tokenizer;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// A BPE over `letters` with random merges, as JSON.
std::string RandomBpe(std::vector<std::string> tokens, const std::vector<std::string>& letters,
                      const std::vector<std::string>& crossing, const std::string& options) {
  std::mt19937 random(11);
  std::vector<std::string> parts = letters;
  std::string merges;
  const auto add = [&](const std::string& left, const std::string& right) {
    const std::string whole = left + right;
    if (std::find(tokens.begin(), tokens.end(), whole) != tokens.end()) return;
    tokens.push_back(whole);
    parts.push_back(whole);
    merges += (merges.empty() ? "[" : ",[") + Quoted(left) + "," + Quoted(right) + "]";
  };
  for (int i = 0; i < 400; ++i) {
    const std::string& left = parts[random() % parts.size()];
    const std::string& right = parts[random() % parts.size()];
    const std::string mark = "▁";
    // As in real vocabularies a mark stands only in front.
    if (right.find(mark) != std::string::npos &&
        left.find_first_not_of(mark) != std::string::npos) {
      continue;
    }
    if (left.size() + right.size() <= 12) add(std::string(left), std::string(right));
  }
  for (size_t i = 0; i + 1 < crossing.size(); i += 2) add(crossing[i], crossing[i + 1]);
  std::string vocab;
  for (size_t id = 0; id < tokens.size(); ++id) {
    vocab += (id == 0 ? "" : ",") + Quoted(tokens[id]) + ":" + std::to_string(id);
  }
  return R"({"type":"BPE",)" + options + R"("vocab":{)" + vocab + R"(},"merges":[)" + merges + "]}";
}

std::string ByteLevelBpe(const std::string& options) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) {
    tokens.emplace_back(unicode::ByteLevelCharacter(static_cast<uint8_t>(byte)));
  }
  const std::vector<std::string> letters = {"h", "e", "l", "o", "Ġ", "Ġ",
                                            "t", "s", "'", "Ċ", "Ã", "©"};
  return RandomBpe(tokens, letters, {}, options);
}

std::string MarkedBpe(const std::vector<std::string>& crossing) {
  std::vector<std::string> tokens = {"<unk>", "▁", "\n", "x", ">", "<", "é", "世"};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    tokens.push_back({'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'});
  }
  const std::vector<std::string> letters = {"h", "e", "l", "o", "▁", "▁", "t", "s"};
  tokens.insert(tokens.end(), {"h", "e", "l", "o", "t", "s"});
  return RandomBpe(tokens, letters, crossing,
                   R"("unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,)");
}

std::string Document(const std::string& normalizer, const std::string& pre_tokenizer,
                     const std::string& model, bool has_normalized_token) {
  const std::string token = R"({"id":9000,"content":"<|end|>","single_word":false,"lstrip":false,)"
                            R"("rstrip":false,"normalized":)" +
                            std::string(has_normalized_token ? "true" : "false") +
                            R"(,"special":true})";
  return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + token +
         R"(],"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer +
         R"(,"post_processor":null,"decoder":null,"model":)" + model + "}";
}

const char* const kNfc = R"({"type":"NFC"})";
const char* const kReplace = R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})";
const std::string kPrependReplace =
    R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)" +
    std::string(kReplace) + "]}";

std::string SplitThenBytes(const std::string& pattern) {
  return R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)" +
         Quoted(pattern) +
         R"(},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,)"
         R"("trim_offsets":false,"use_regex":false}]})";
}

std::string Metaspace(const std::string& scheme) {
  return R"({"type":"Metaspace","replacement":"▁","prepend_scheme":")" + scheme +
         R"(","split":false})";
}

const char* const kQwen =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kGpt2 =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";

// The id that `tokenizers` would give the added token: one more than the model's last.
std::string WithAddedId(std::string document) {
  const size_t vocab = document.rfind("\":", document.find("},\"merges\""));
  const int last = std::stoi(document.substr(vocab + 2));
  const size_t at = document.find("9000");
  return document.replace(at, 4, std::to_string(last + 1));
}

std::string RandomText(std::mt19937& random) {
  static const std::string pieces[] = {
      "hello",  "hell",     "shell",   "tests",
      "x",      " ",        "  ",      "   ",
      "\n",     "\n\n",     "\t",      "▁",
      "▁▁",     "é",        "e\u0301", "世界",
      ">",      "<",        "> <",     "'s",
      "'T",     "12345",    "<|end|>", "<|en",
      "🤯",     "\r\n",     "\u00A0",  "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooo",
      "his ",   "lots of ", "the ",    "(",
      "\u0958", "\u0301"};
  std::string text;
  for (size_t i = 0, n = random() % 24; i < n; ++i) text += pieces[random() % std::size(pieces)];
  return text;
}

struct Shape {
  const char* name;
  std::string document;
};

std::vector<Shape> Shapes() {
  const std::string bytes = ByteLevelBpe(""), whole = ByteLevelBpe(R"("ignore_merges":true,)");
  const std::string marked = MarkedBpe({}), crossing = MarkedBpe({">", "▁", ">▁", "<", "\n", "\n"});
  const std::string gemma_split =
      R"({"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false})";
  return {
      {"qwen", Document(kNfc, SplitThenBytes(kQwen), bytes, false)},
      {"qwen with a normalized token", Document(kNfc, SplitThenBytes(kQwen), bytes, true)},
      {"llama 3", Document("null", SplitThenBytes(kQwen), whole, false)},
      {"gpt 2", Document("null", kGpt2, bytes, false)},
      {"another pattern", Document(kNfc, SplitThenBytes(R"(\s?\S+|\s+)"), bytes, false)},
      {"llama 2", Document(kPrependReplace, "null", marked, false)},
      {"llama 2 with a normalized token", Document(kPrependReplace, "null", marked, true)},
      {"gemma", Document(kReplace, gemma_split, crossing, false)},
      {"metaspace first", Document("null", Metaspace("first"), marked, false)},
      {"metaspace always", Document("null", Metaspace("always"), crossing, false)},
      {"metaspace never", Document("null", Metaspace("never"), crossing, false)},
  };
}

class IdsOnly : public testing::TestWithParam<Shape> {};

TEST_P(IdsOnly, AreTheIdsWithRanges) {
  const auto loaded = ParseTokenizer(WithAddedId(GetParam().document));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  std::mt19937 random(13);
  for (int round = 0; round < 6'000; ++round) {
    const std::string text = RandomText(random);
    tokenizer::EncodeInput input{.text = text};
    if (round % 3 == 0 && !text.empty()) {
      uint32_t cuts[2];
      for (uint32_t& cut : cuts) {
        cut = static_cast<uint32_t>(random() % (text.size() + 1));
        while (cut < text.size() && (static_cast<uint8_t>(text[cut]) & 0xC0) == 0x80) ++cut;
      }
      input.literal_spans = {{std::min(cuts[0], cuts[1]), std::max(cuts[0], cuts[1])}};
    }
    const auto alone = loaded->Encode(input);
    input.include_ranges = true;
    const auto with_ranges = loaded->Encode(input);
    ASSERT_TRUE(alone.ok() && with_ranges.ok());
    ASSERT_EQ(alone->ids, with_ranges->ids) << testing::PrintToString(text);
    ASSERT_TRUE(alone->ranges.empty());
    ASSERT_EQ(with_ranges->ranges.size(), with_ranges->ids.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, IdsOnly, testing::ValuesIn(Shapes()), [](const auto& shape) {
  std::string name = shape.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

}  // namespace
}  // namespace triptych::loader
