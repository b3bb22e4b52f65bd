// Tested by rank_vocabulary_test.cc and tests/unit/tokenizer/test_rank_files.py.
#include "loader/rank_vocabulary.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/str_cat.h"
#include "loader/json_text.h"
#include "loader/status_macros.h"
#include "unicode/byte_level_alphabet.h"

namespace triptych::loader {
namespace {

// The sum over all tokens of the square of their length: encoding one alone is quadratic. The sum
// of the files known is below 20 million.
constexpr uint64_t kMaxWork = 4'000'000'000;

using Merge = std::pair<std::string_view, std::string_view>;

// The two parts that `token` has last when it is encoded alone.
std::optional<Merge> LastMergeOf(const models::Vocabulary& ranks, std::string_view token) {
  std::vector<size_t> begins;     // of the parts, and the end of the last
  std::vector<uint32_t> rank_at;  // of each part joined with the next
  const auto rank_of = [&](size_t part) {
    if (part + 2 >= begins.size()) return UINT32_MAX;
    return ranks.IdOf(token.substr(begins[part], begins[part + 2] - begins[part]))
        .value_or(UINT32_MAX);
  };
  for (size_t i = 0; i <= token.size(); ++i) begins.push_back(i);
  for (size_t i = 0; i < token.size(); ++i) rank_at.push_back(rank_of(i));
  while (rank_at.size() > 2) {
    const auto best = std::min_element(rank_at.begin(), rank_at.end());
    if (*best == UINT32_MAX) return std::nullopt;
    const auto part = static_cast<size_t>(best - rank_at.begin());
    begins.erase(begins.begin() + static_cast<std::ptrdiff_t>(part) + 1);
    rank_at.erase(best);
    rank_at[part] = rank_of(part);
    if (part > 0) rank_at[part - 1] = rank_of(part - 1);
  }
  return Merge(token.substr(0, begins[1]), token.substr(begins[1]));
}

class ByteLevelWriter {
 public:
  ByteLevelWriter() {
    for (int byte = 0; byte < 256; ++byte) {
      characters_[byte] = unicode::ByteLevelCharacter(static_cast<uint8_t>(byte));
    }
  }

  [[nodiscard]] std::string Write(std::string_view bytes) const {
    std::string text;
    for (const char c : bytes) text += characters_[static_cast<uint8_t>(c)];
    return text;
  }

 private:
  std::array<std::string, 256> characters_;
};

std::string AddedTokensJson(const RankFormat& format) {
  std::string json;
  for (const SpecialToken& token : format.special_tokens) {
    json += base::StrCat(
        json.empty() ? "" : ",", "{\"id\":", token.id, ",\"content\":", JsonString(token.content),
        R"(,"single_word":false,"lstrip":false,"rstrip":false,"special":true,"normalized":)",
        // Found in the normalized text where there is a normal form, as if it came first.
        format.nfc ? "true}" : "false}");
  }
  return json;
}

std::string PostProcessorJson(const RankFormat& format) {
  const auto bos = std::find_if(format.special_tokens.begin(), format.special_tokens.end(),
                                [&](const auto& token) { return token.content == format.bos; });
  if (bos == format.special_tokens.end()) return "null";
  const std::string name = JsonString(bos->content);
  const std::string item = base::StrCat(R"({"SpecialToken":{"id":)", name, R"(,"type_id":0}})");
  return base::StrCat(
      R"({"type":"TemplateProcessing","single":[)", item,
      R"(,{"Sequence":{"id":"A","type_id":0}}],"pair":[)", item,
      R"(,{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],)",
      R"("special_tokens":{)", name, R"(:{"id":)", name, R"(,"ids":[)", bos->id, R"(],"tokens":[)",
      name, "]}}}");
}

}  // namespace

absl::StatusOr<std::vector<Merge>> MergesOf(const models::Vocabulary& ranks) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!ranks.IdOf(std::string_view(&c, 1)).has_value()) {
      return absl::InvalidArgumentError(
          base::StrCat("the byte ", byte, " is not a token; all 256 must be"));
    }
  }
  uint64_t work = 0;
  std::vector<Merge> merges;
  for (uint32_t rank = 0; rank < ranks.id_limit(); ++rank) {
    const std::optional<std::string_view> token = ranks.TokenOf(rank);
    if (!token.has_value() || token->size() < 2) continue;
    work += token->size() * token->size();
    if (work > kMaxWork) {
      return absl::InvalidArgumentError(base::StrCat("the tokens are too long; that of rank ", rank,
                                                     " has ", token->size(), " bytes"));
    }
    if (const std::optional<Merge> merge = LastMergeOf(ranks, *token)) merges.push_back(*merge);
  }
  return merges;
}

absl::StatusOr<std::string> ToTokenizerJson(const models::Vocabulary& ranks,
                                            const RankFormat& format) {
  ASSIGN_OR_RETURN(const std::vector<Merge> merges, MergesOf(ranks));
  const ByteLevelWriter writer;
  std::string vocab, pairs;
  const auto add_token = [&](std::string_view token, uint32_t id) {
    vocab += base::StrCat(vocab.empty() ? "" : ",", JsonString(token), ":", id);
  };
  // Those behind the tokens need no entry, and those in front of them do: `tokenizers` gives an
  // added token that the model does not know the next free id.
  for (const SpecialToken& token : format.special_tokens) {
    if (token.id < format.id_offset) add_token(token.content, token.id);
  }
  for (uint32_t rank = 0; rank < ranks.id_limit(); ++rank) {
    const std::optional<std::string_view> token = ranks.TokenOf(rank);
    if (token.has_value()) add_token(writer.Write(*token), rank + format.id_offset);
  }
  for (const auto& [left, right] : merges) {
    pairs += base::StrCat(pairs.empty() ? "[" : ",[", JsonString(writer.Write(left)), ",",
                          JsonString(writer.Write(right)), "]");
  }
  return base::StrCat(
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)",
      AddedTokensJson(format), R"(],"normalizer":)", format.nfc ? R"({"type":"NFC"})" : "null",
      R"(,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)",
      JsonString(format.pattern), R"(},"behavior":"Isolated","invert":false},)",
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})",
      R"(,"post_processor":)", PostProcessorJson(format),
      R"(,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,)",
      R"("use_regex":true},"model":{"type":"BPE","dropout":null,"unk_token":null,)",
      R"("continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,)",
      R"("byte_fallback":false,"ignore_merges":true,"vocab":{)", vocab, R"(},"merges":[)", pairs,
      "]}}");
}

}  // namespace triptych::loader
