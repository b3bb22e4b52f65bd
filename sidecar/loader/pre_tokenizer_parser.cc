#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "loader/steps.h"
#include "pre_tokenizers/bert.h"
#include "pre_tokenizers/byte_level.h"
#include "pre_tokenizers/char_delimiter_split.h"
#include "pre_tokenizers/digits.h"
#include "pre_tokenizers/fixed_length.h"
#include "pre_tokenizers/metaspace.h"
#include "pre_tokenizers/punctuation.h"
#include "pre_tokenizers/sequence.h"
#include "pre_tokenizers/split.h"
#include "pre_tokenizers/unicode_scripts.h"
#include "pre_tokenizers/whitespace.h"
#include "pre_tokenizers/whitespace_split.h"
#include "unicode/utf8.h"

namespace triptych::loader {
namespace {

using pre_tokenizers::PrependScheme;
using pre_tokenizers::PreTokenizer;
using pre_tokenizers::SplitBehavior;

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

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseByteLevelPreTokenizer(
    const JsonNode& node, pre_tokenizers::ByteLevel::Output output) {
  // trim_offsets changes no ids.
  RETURN_IF_ERROR(node.ExpectOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  ASSIGN_OR_RETURN(const bool add_prefix_space, node["add_prefix_space"].Bool());
  RETURN_IF_ERROR(node["trim_offsets"].Bool().status());
  bool use_regex = true;
  if (!node["use_regex"].is_absent()) {
    ASSIGN_OR_RETURN(use_regex, node["use_regex"].Bool());
  }
  return Owned<PreTokenizer>(pre_tokenizers::ByteLevel::Create(add_prefix_space, use_regex, output),
                             node);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseDigits(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "individual_digits"}));
  ASSIGN_OR_RETURN(const bool individual_digits, node["individual_digits"].Bool());
  return std::make_unique<pre_tokenizers::Digits>(individual_digits);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParsePunctuation(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "behavior"}));
  SplitBehavior behavior = SplitBehavior::kIsolated;
  if (!node["behavior"].is_null()) {
    ASSIGN_OR_RETURN(behavior, ParseBehavior(node["behavior"]));
  }
  return std::make_unique<pre_tokenizers::Punctuation>(behavior);
}

absl::StatusOr<char32_t> ParseCharacter(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string text, node.String());
  if (text.empty() || unicode::DecodeAt(text, 0).size != text.size()) {
    return node.Error("expected a string of one character");
  }
  return unicode::DecodeAt(text, 0).value;
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseCharDelimiterSplit(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type", "delimiter"}));
  ASSIGN_OR_RETURN(const char32_t delimiter, ParseCharacter(node["delimiter"]));
  return std::make_unique<pre_tokenizers::CharDelimiterSplit>(delimiter);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseFixedLength(const JsonNode& node) {
  constexpr uint32_t kDefaultLength = 5;
  RETURN_IF_ERROR(node.ExpectOnly({"type", "length"}));
  uint32_t length = kDefaultLength;
  if (!node["length"].is_null()) {
    ASSIGN_OR_RETURN(length, node["length"].Id());
  }
  return Owned<PreTokenizer>(pre_tokenizers::FixedLength::Create(length), node["length"]);
}

absl::StatusOr<PrependScheme> ParsePrependScheme(const JsonNode& node) {
  if (node.is_null()) return PrependScheme::kAlways;
  ASSIGN_OR_RETURN(const std::string name, node.String());
  if (name == "first") return PrependScheme::kFirst;
  if (name == "never") return PrependScheme::kNever;
  if (name == "always") return PrependScheme::kAlways;
  return node.Unsupported("first, never, always");
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseMetaspace(const JsonNode& node) {
  // str_rep and add_prefix_space are what older versions wrote: the first repeats `replacement`,
  // and the second says nothing that `prepend_scheme` must not say as well.
  RETURN_IF_ERROR(node.ExpectOnly(
      {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"}));
  ASSIGN_OR_RETURN(const char32_t replacement, ParseCharacter(node["replacement"]));
  if (!node["str_rep"].is_null()) {
    RETURN_IF_ERROR(node["str_rep"].String().status());
  }
  ASSIGN_OR_RETURN(const PrependScheme scheme, ParsePrependScheme(node["prepend_scheme"]));
  ASSIGN_OR_RETURN(const bool add_prefix_space, node["add_prefix_space"].BoolOr(true));
  if (!add_prefix_space && scheme != PrependScheme::kNever) {
    return node["add_prefix_space"].Error("false needs a prepend_scheme of \"never\"");
  }
  ASSIGN_OR_RETURN(const bool split, node["split"].BoolOr(true));
  return std::make_unique<pre_tokenizers::Metaspace>(replacement, scheme, split);
}

// A pre-tokenizer that has no options.
template <typename T>
absl::StatusOr<std::unique_ptr<PreTokenizer>> ParsePlain(const JsonNode& node) {
  RETURN_IF_ERROR(node.ExpectOnly({"type"}));
  return std::make_unique<T>();
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseStep(const JsonNode& node,
                                                        pre_tokenizers::ByteLevel::Output output) {
  ASSIGN_OR_RETURN(const std::string type, node["type"].String());
  if (type == "BertPreTokenizer") return ParsePlain<pre_tokenizers::Bert>(node);
  if (type == "ByteLevel") return ParseByteLevelPreTokenizer(node, output);
  if (type == "CharDelimiterSplit") return ParseCharDelimiterSplit(node);
  if (type == "Digits") return ParseDigits(node);
  if (type == "FixedLength") return ParseFixedLength(node);
  if (type == "Metaspace") return ParseMetaspace(node);
  if (type == "Punctuation") return ParsePunctuation(node);
  if (type == "Split") return ParseSplit(node);
  if (type == "UnicodeScripts") return ParsePlain<pre_tokenizers::UnicodeScripts>(node);
  if (type == "Whitespace") return ParsePlain<pre_tokenizers::Whitespace>(node);
  if (type == "WhitespaceSplit") return ParsePlain<pre_tokenizers::WhitespaceSplit>(node);
  return node["type"].Unsupported(
      "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace, "
      "Punctuation, Sequence, Split, UnicodeScripts, Whitespace, WhitespaceSplit");
}

// Whether ByteLevel is the last of the steps and stands nowhere else: nobody but the model sees its
// output then.
bool EndsInOneByteLevel(const std::vector<JsonNode>& steps) {
  const auto is_byte_level = [](const JsonNode& step) {
    const absl::StatusOr<std::string> type = step["type"].String();
    return type.ok() && *type == "ByteLevel";
  };
  return std::find_if(steps.begin(), steps.end(), is_byte_level) + 1 == steps.end();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParsePreTokenizer(const JsonNode& node,
                                                                bool model_knows_bytes) {
  using Output = pre_tokenizers::ByteLevel::Output;
  ASSIGN_OR_RETURN(const std::vector<JsonNode> steps, StepsOf(node, "pretokenizers"));
  const bool as_bytes = model_knows_bytes && !steps.empty() && EndsInOneByteLevel(steps);
  std::vector<std::unique_ptr<PreTokenizer>> parsed;
  for (const JsonNode& step : steps) {
    ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> one,
                     ParseStep(step, as_bytes ? Output::kBytes : Output::kAlphabet));
    parsed.push_back(std::move(one));
  }
  return std::make_unique<pre_tokenizers::Sequence>(std::move(parsed));
}

}  // namespace triptych::loader
