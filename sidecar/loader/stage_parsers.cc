#include "loader/stage_parsers.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/str_cat.h"
#include "decoders/byte_level.h"
#include "loader/status_macros.h"
#include "models/bpe.h"
#include "models/vocabulary.h"
#include "normalizers/nfc.h"
#include "normalizers/sequence.h"
#include "post_processors/sequence.h"
#include "post_processors/template_processing.h"
#include "pre_tokenizers/byte_level.h"
#include "pre_tokenizers/digits.h"
#include "pre_tokenizers/sequence.h"
#include "pre_tokenizers/split.h"

namespace triptych::loader {
namespace {

using pre_tokenizers::PreTokenizer;
using pre_tokenizers::SplitBehavior;

constexpr int kMaxNesting = 20;

// A failure below `node`: `path.merges[17]: ...`.
absl::Status Below(const JsonNode& node, const absl::Status& status) {
  return absl::Status(status.code(), base::StrCat(node.path(), ".", base::MessageOf(status)));
}

// `value` as a unique_ptr to its interface.
template <typename Interface, typename T>
absl::StatusOr<std::unique_ptr<Interface>> Owned(absl::StatusOr<T> value, const JsonNode& node) {
  if (!value.ok()) return node.Error(base::MessageOf(value.status()));
  return std::unique_ptr<Interface>(std::make_unique<T>(*std::move(value)));
}

// The steps of a Sequence, of whatever kind, flattened: a Sequence in a Sequence is as good as its
// steps.
absl::Status Flatten(const JsonNode& node, std::string_view key, int depth,
                     std::vector<JsonNode>& steps) {
  if (depth > kMaxNesting) return node.Error("Sequences are nested too deeply");
  ASSIGN_OR_RETURN(const std::string type, node["type"].String());
  if (type != "Sequence") {
    steps.push_back(node);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(node.ExpectOnly({"type", key}));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> inner, node[key].Array());
  for (const JsonNode& step : inner) RETURN_IF_ERROR(Flatten(step, key, depth + 1, steps));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JsonNode>> StepsOf(const JsonNode& node, std::string_view key) {
  std::vector<JsonNode> steps;
  if (node.is_null()) return steps;
  RETURN_IF_ERROR(Flatten(node, key, 0, steps));
  return steps;
}

absl::StatusOr<SplitBehavior> ParseBehavior(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string name, node.String());
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return node.Unsupported("Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseSplit(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "pattern", "behavior", "invert"}));
  ASSIGN_OR_RETURN(const SplitBehavior behavior, ParseBehavior(node["behavior"]));
  ASSIGN_OR_RETURN(const bool invert, node["invert"].Bool());
  const JsonNode pattern = node["pattern"];
  RETURN_IF_ERROR(pattern.ExpectOnly({"Regex", "String"}));
  if (!pattern["String"].is_null()) {
    if (!pattern["Regex"].is_null()) return pattern.Error("has both a Regex and a String");
    ASSIGN_OR_RETURN(const std::string literal, pattern["String"].String());
    return Owned<PreTokenizer>(pre_tokenizers::Split::CreateFromString(literal, behavior, invert),
                               pattern["String"]);
  }
  ASSIGN_OR_RETURN(const std::string regex, pattern["Regex"].String());
  return Owned<PreTokenizer>(pre_tokenizers::Split::CreateFromRegex(regex, behavior, invert),
                             pattern["Regex"]);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseByteLevelPreTokenizer(const JsonNode& node) {
  // trim_offsets changes no ids.
  RETURN_IF_ERROR(node.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  ASSIGN_OR_RETURN(const bool add_prefix_space, node["add_prefix_space"].Bool());
  ASSIGN_OR_RETURN(const bool use_regex, node["use_regex"].BoolOr(true));
  return Owned<PreTokenizer>(pre_tokenizers::ByteLevel::Create(add_prefix_space, use_regex), node);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseDigits(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "individual_digits"}));
  ASSIGN_OR_RETURN(const bool individual_digits, node["individual_digits"].Bool());
  return Owned<PreTokenizer>(pre_tokenizers::Digits::Create(individual_digits), node);
}

// "a b" or ["a", "b"].
absl::StatusOr<std::pair<std::string, std::string>> ParseMerge(const JsonNode& node) {
  if (node.is_string()) {
    ASSIGN_OR_RETURN(const std::string both, node.String());
    const size_t space = both.find(' ');
    if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos) {
      return node.Error(base::StrCat("\"", both, "\" is not two tokens with a space between"));
    }
    return std::pair(both.substr(0, space), both.substr(space + 1));
  }
  ASSIGN_OR_RETURN(const std::vector<JsonNode> parts, node.Array());
  if (parts.size() != 2)
    return node.Error(base::StrCat("has ", parts.size(), " tokens instead of 2"));
  ASSIGN_OR_RETURN(std::string left, parts[0].String());
  ASSIGN_OR_RETURN(std::string right, parts[1].String());
  return std::pair(std::move(left), std::move(right));
}

absl::StatusOr<models::Vocabulary> ParseVocabulary(const JsonNode& node) {
  ASSIGN_OR_RETURN(const auto* object, node.Object());
  std::vector<std::pair<std::string, uint32_t>> entries;
  entries.reserve(object->size());
  for (const auto& [token, id] : *object) {
    ASSIGN_OR_RETURN(const uint32_t number,
                     JsonNode(&id, base::StrCat(node.path(), ".", token)).Id());
    entries.emplace_back(token, number);
  }
  auto vocabulary = models::Vocabulary::Create(std::move(entries));
  if (!vocabulary.ok()) return node.Error(base::MessageOf(vocabulary.status()));
  return vocabulary;
}

// Options of BPE that would change ids and that we do not have.
absl::Status RefuseOtherBpeForms(const JsonNode& node) {
  if (!node["dropout"].is_null()) return node["dropout"].Unsupported("null");
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (node[key].is_null()) continue;
    ASSIGN_OR_RETURN(const std::string affix, node[key].String());
    if (!affix.empty()) return node[key].Unsupported("null, \"\"");
  }
  ASSIGN_OR_RETURN(const bool byte_fallback, node["byte_fallback"].BoolOr(false));
  return byte_fallback ? node["byte_fallback"].Unsupported("false") : absl::OkStatus();
}

absl::StatusOr<uint32_t> ParseOnlyId(const JsonNode& special_tokens, const JsonNode& reference,
                                     std::vector<uint32_t>& ids) {
  ASSIGN_OR_RETURN(const std::string name, reference["id"].String());
  const JsonNode token = special_tokens[name];
  RETURN_IF_ERROR(token.ExpectOnly({"id", "ids", "tokens"}));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, token["ids"].Array());
  for (const JsonNode& item : items) {
    ASSIGN_OR_RETURN(const uint32_t id, item.Id());
    ids.push_back(id);
  }
  return static_cast<uint32_t>(items.size());
}

absl::StatusOr<std::unique_ptr<post_processors::PostProcessor>> ParseTemplate(
    const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "single", "pair", "special_tokens"}));
  std::vector<uint32_t> before, after;
  bool seen_text = false;
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, node["single"].Array());
  for (const JsonNode& item : items) {
    RETURN_IF_ERROR(item.ExpectOnly({"Sequence", "SpecialToken"}));
    if (!item["SpecialToken"].is_null()) {
      const auto added =
          ParseOnlyId(node["special_tokens"], item["SpecialToken"], seen_text ? after : before);
      if (!added.ok()) return added.status();
      continue;
    }
    ASSIGN_OR_RETURN(const std::string sequence, item["Sequence"]["id"].String());
    if (sequence != "A" || seen_text)
      return item.Error("a template must have the sequence A once, and no other");
    seen_text = true;
  }
  if (!seen_text) return node["single"].Error("the template lacks the sequence A");
  return std::unique_ptr<post_processors::PostProcessor>(
      std::make_unique<post_processors::TemplateProcessing>(std::move(before), std::move(after)));
}

}  // namespace

absl::StatusOr<std::vector<tokenizer::AddedToken>> ParseAddedTokens(const JsonNode& node) {
  std::vector<tokenizer::AddedToken> tokens;
  if (node.is_null()) return tokens;
  ASSIGN_OR_RETURN(const std::vector<JsonNode> items, node.Array());
  for (const JsonNode& item : items) {
    RETURN_IF_ERROR(item.ExpectOnly(
        {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
    tokenizer::AddedToken token;
    ASSIGN_OR_RETURN(token.id, item["id"].Id());
    if (token.id > models::Vocabulary::kMaxId) return item["id"].Error("the id is too high");
    ASSIGN_OR_RETURN(token.content, item["content"].String());
    ASSIGN_OR_RETURN(token.single_word, item["single_word"].Bool());
    ASSIGN_OR_RETURN(token.lstrip, item["lstrip"].Bool());
    ASSIGN_OR_RETURN(token.rstrip, item["rstrip"].Bool());
    ASSIGN_OR_RETURN(token.normalized, item["normalized"].Bool());
    ASSIGN_OR_RETURN(token.special, item["special"].Bool());
    tokens.push_back(std::move(token));
  }
  return tokens;
}

absl::StatusOr<std::unique_ptr<normalizers::Normalizer>> ParseNormalizer(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "normalizers"));
  std::vector<std::unique_ptr<normalizers::Normalizer>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type != "NFC") return step["type"].Unsupported("NFC, Sequence");
    RETURN_IF_ERROR(step.ExpectOnly({"type"}));
    parsed.push_back(std::make_unique<normalizers::Nfc>());
  }
  std::unique_ptr<normalizers::Normalizer> result;
  if (parsed.size() == 1) {
    result = std::move(parsed[0]);
  } else if (!parsed.empty()) {
    result = std::make_unique<normalizers::Sequence>(std::move(parsed));
  }
  return result;
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParsePreTokenizer(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "pretokenizers"));
  std::vector<std::unique_ptr<PreTokenizer>> parsed;
  std::string type;
  for (const JsonNode& step : steps) {
    if (type == "ByteLevel") return step.Error("a step behind ByteLevel is not supported yet");
    ASSIGN_OR_RETURN(type, step["type"].String());
    std::unique_ptr<PreTokenizer> one;
    if (type == "Split") {
      ASSIGN_OR_RETURN(one, ParseSplit(step));
    } else if (type == "Digits") {
      ASSIGN_OR_RETURN(one, ParseDigits(step));
    } else if (type == "ByteLevel") {
      ASSIGN_OR_RETURN(one, ParseByteLevelPreTokenizer(step));
    } else {
      return step["type"].Unsupported("ByteLevel, Digits, Sequence, Split");
    }
    parsed.push_back(std::move(one));
  }
  if (type != "ByteLevel") {
    return node.Error("a pre-tokenizer without ByteLevel as its last step is not supported yet");
  }
  return std::unique_ptr<PreTokenizer>(
      std::make_unique<pre_tokenizers::Sequence>(std::move(parsed)));
}

absl::StatusOr<std::unique_ptr<models::Model>> ParseModel(const JsonNode& node) {
  // Files from before `type` existed have BPE's members without it; `tokenizers` reads them as BPE.
  if (!node["type"].is_null() || node["merges"].is_null()) {
    ASSIGN_OR_RETURN(const std::string type, node["type"].String());
    if (type != "BPE") return node["type"].Unsupported("BPE");
  }
  RETURN_IF_ERROR(node.ExpectOnly({"type", "dropout", "unk_token", "continuing_subword_prefix",
                                   "end_of_word_suffix", "fuse_unk", "byte_fallback",
                                   "ignore_merges", "vocab", "merges"}));
  RETURN_IF_ERROR(RefuseOtherBpeForms(node));
  models::BpeOptions options;
  ASSIGN_OR_RETURN(options.fuse_unk, node["fuse_unk"].BoolOr(false));
  ASSIGN_OR_RETURN(options.ignore_merges, node["ignore_merges"].BoolOr(false));
  if (!node["unk_token"].is_null()) {
    ASSIGN_OR_RETURN(options.unk_token, node["unk_token"].String());
  }
  ASSIGN_OR_RETURN(models::Vocabulary vocabulary, ParseVocabulary(node["vocab"]));
  ASSIGN_OR_RETURN(const std::vector<JsonNode> merges, node["merges"].Array());
  options.merges.reserve(merges.size());
  for (const JsonNode& merge : merges) {
    ASSIGN_OR_RETURN(auto pair, ParseMerge(merge));
    options.merges.push_back(std::move(pair));
  }
  auto bpe = models::Bpe::Create(std::move(vocabulary), std::move(options));
  if (!bpe.ok()) return Below(node, bpe.status());
  return std::unique_ptr<models::Model>(*std::move(bpe));
}

absl::StatusOr<std::unique_ptr<post_processors::PostProcessor>> ParsePostProcessor(
    const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "processors"));
  std::vector<std::unique_ptr<post_processors::PostProcessor>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type == "TemplateProcessing") {
      ASSIGN_OR_RETURN(auto one, ParseTemplate(step));
      parsed.push_back(std::move(one));
    } else if (type == "ByteLevel") {
      RETURN_IF_ERROR(step.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    } else {
      return step["type"].Unsupported("ByteLevel, Sequence, TemplateProcessing");
    }
  }
  std::unique_ptr<post_processors::PostProcessor> result;
  if (!parsed.empty()) result = std::make_unique<post_processors::Sequence>(std::move(parsed));
  return result;
}

absl::StatusOr<std::unique_ptr<decoders::Decoder>> ParseDecoder(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "decoders"));
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(const std::string type, step["type"].String());
    if (type != "ByteLevel") return step["type"].Unsupported("ByteLevel, Sequence");
    RETURN_IF_ERROR(step.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  }
  if (steps.size() != 1) return node.Error("expected exactly one decoder, ByteLevel");
  return std::unique_ptr<decoders::Decoder>(std::make_unique<decoders::ByteLevel>());
}

}  // namespace triptych::loader
