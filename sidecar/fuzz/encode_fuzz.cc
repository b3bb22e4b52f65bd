// Encoding: any text or pair of texts with any literal spans, by one of the samples.
//
// Input: the sample's letter; flags (below); the number of spans; for each two bytes (from and to,
// or gap and length); the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_range.h"
#include "base/encoding.h"
#include "base/str_cat.h"
#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "fuzz/sample_tokenizers.h"
#include "tokenizer/tokenizer.h"
#include "unicode/char_set.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::fuzz {
namespace {

using base::ByteRange;

constexpr uint8_t kAddSpecialTokens = 1;
constexpr uint8_t kRawSpans = 2;  // as they come, else sorted and on boundaries
constexpr uint8_t kPair = 4;
constexpr uint8_t kMaxSpans = 6;

bool Continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
}

// The size of the character at `at`, 0 where there is none: table 3-7 of the Unicode standard,
// written plainly.
size_t CharacterSize(std::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  const auto second = at + 1 < text.size() ? static_cast<uint8_t>(text[at + 1]) : uint8_t{0};
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !Continues(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if (!Continues(text, at + 2)) return 0;
  if (first < 0xF0) return 3;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return Continues(text, at + 3) ? 4 : 0;
}

std::optional<size_t> FirstInvalidByte(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t size = CharacterSize(text, at);
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

std::vector<ByteRange> TakeSpans(ByteSource& source, bool raw) {
  std::vector<ByteRange> spans(source.TakeByte() % (kMaxSpans + 1));
  uint32_t end = 0;
  for (ByteRange& span : spans) {
    const uint32_t first = source.TakeByte(), second = source.TakeByte();
    span = raw ? ByteRange{first, second} : ByteRange{end + first, end + first + second};
    end = span.end;
  }
  return spans;
}

void MoveToBoundaries(std::string_view text, std::vector<ByteRange>& spans) {
  const auto move = [text](uint32_t at) {
    at = std::min<uint32_t>(at, text.size());
    while (Continues(text, at)) ++at;
    return at;
  };
  for (ByteRange& span : spans) span = {move(span.begin), move(span.end)};
}

bool AreWellFormed(std::string_view text, const std::vector<ByteRange>& spans) {
  uint32_t end = 0;
  for (const ByteRange span : spans) {
    if (span.begin < end || span.end < span.begin || span.end > text.size()) return false;
    if (Continues(text, span.begin) || Continues(text, span.end)) return false;
    end = span.end;
  }
  return true;
}

// What a failure may be, where text and spans are well formed: the two that tokenizer.h names.
bool MayFail(const absl::Status& status, std::string_view field) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         (status.code() == absl::StatusCode::kInvalidArgument &&
          base::MessageOf(status).starts_with(base::StrCat(field, ": ")));
}

// Byte-level samples that change nothing: what was encoded comes back.
bool IsLossless(const SampleTokenizer& sample) {
  return std::string_view("acl").find(sample.name.front()) != std::string_view::npos;
}

void RequireSoundRanges(const tokenizer::EncodeInput& input, const base::Encoding& encoding) {
  Require(encoding.ids.size() == encoding.ranges.size(), "each id has a range");
  for (size_t i = 0; i < encoding.ranges.size(); ++i) {
    using Source = base::Encoding::Source;
    const Source source = encoding.sources.empty() ? Source::kFirstText : encoding.sources[i];
    const ByteRange range = encoding.ranges[i];
    Require(range.begin <= range.end, "a range begins before its end");
    if (source == Source::kSpecialToken) {
      Require(range.empty(), "what no text stands for has no range");
    } else {
      const bool is_second = source == Source::kSecondText;
      const size_t size = is_second ? input.pair->size() : input.text.size();
      Require(range.end <= size, "a range lies in its text");
    }
  }
}

// Where nothing changes the text, the ranges lie one behind the other and leave nothing out.
void RequireTiling(std::string_view text, const base::Encoding& encoding) {
  uint32_t end = 0;
  for (const ByteRange range : encoding.ranges) {
    if (range.empty()) continue;
    Require(range.begin == end, "a range begins where the one before it ends");
    end = range.end;
  }
  Require(end == text.size(), "the ranges reach to the end");
}

void RequireReadable(const SampleTokenizer& sample, const tokenizer::EncodeInput& input,
                     const base::Encoding& encoding) {
  const absl::StatusOr<std::string> text = sample.tokenizer.Decode(encoding.ids, {});
  Require(text.ok(), "what was encoded can be decoded");
  Require(!FirstInvalidByte(*text).has_value(), "decoded text is UTF-8");
  if (!IsLossless(sample) || input.pair.has_value()) return;
  RequireTiling(input.text, encoding);
  const bool is_plain = std::all_of(encoding.ids.begin(), encoding.ids.end(),
                                    [&](uint32_t id) { return id < sample.first_only_added; });
  Require(!is_plain || *text == input.text, "a byte-level tokenizer gives the text back");
}

// Samples whose normalizer drops marks before it looks for tokens.
bool DropsMarks(const SampleTokenizer& sample) {
  return std::string_view("ijn").find(sample.name.front()) != std::string_view::npos;
}

// Without what an added token may swallow at its ends: white space, and marks between it that were
// dropped.
ByteRange WithoutSwallowed(const SampleTokenizer& sample, std::string_view text, ByteRange range) {
  static const auto spaces =
      unicode::CharSet::FromTable(unicode::kAddedTokenSpace, unicode::kAddedTokenSpaceSize);
  static const auto marks = *unicode::CharSet::FromProperty("Mn");
  const auto may_be = [&](size_t at) {
    const char32_t character = unicode::DecodeAt(text, at).value;
    return spaces.Contains(character) || (DropsMarks(sample) && marks.Contains(character));
  };
  while (!range.empty() && may_be(range.begin)) {
    range.begin += static_cast<uint32_t>(unicode::DecodeAt(text, range.begin).size);
  }
  while (!range.empty() && may_be(unicode::PreviousBoundary(text, range.end))) {
    range.end = static_cast<uint32_t>(unicode::PreviousBoundary(text, range.end));
  }
  return range;
}

// No added token lies over a literal span. What the model can give as well tells nothing.
void RequireLiteral(const SampleTokenizer& sample, const tokenizer::EncodeInput& input,
                    const base::Encoding& encoding) {
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.ids[i] < sample.first_only_added) continue;
    const bool is_second =
        !encoding.sources.empty() && encoding.sources[i] == base::Encoding::Source::kSecondText;
    const ByteRange token =
        WithoutSwallowed(sample, is_second ? *input.pair : input.text, encoding.ranges[i]);
    for (const ByteRange span : is_second ? input.pair_literal_spans : input.literal_spans) {
      Require(!span.Overlaps(token), "no added token in a literal span");
    }
  }
}

void RequireBadInputIsRefused(const tokenizer::EncodeInput& input, const absl::Status& status) {
  const std::string_view message = base::MessageOf(status);
  const std::optional<size_t> invalid = FirstInvalidByte(input.text);
  if (invalid.has_value()) {
    Require(message == base::StrCat("text: not valid UTF-8 at byte ", *invalid),
            "invalid UTF-8 is refused at its first byte");
  } else if (!AreWellFormed(input.text, input.literal_spans)) {
    Require(message.starts_with("literal_spans["), "malformed spans are refused");
  } else if (input.pair.has_value() && FirstInvalidByte(*input.pair).has_value()) {
    Require(message.starts_with("pair: "), "an invalid pair is refused");
  } else {
    Require(status.ok() || MayFail(status, "text") || MayFail(status, "pair"), message);
  }
}

// The second half of the text becomes a text of its own.
void CutPair(tokenizer::EncodeInput& input) {
  size_t middle = input.text.size() / 2;
  while (Continues(input.text, middle)) ++middle;
  input.pair = input.text.substr(middle);
  input.text = input.text.substr(0, middle);
  for (const ByteRange span : input.literal_spans) {
    if (span.begin >= middle && span.end - middle <= input.pair->size()) {
      input.pair_literal_spans.push_back(
          {static_cast<uint32_t>(span.begin - middle), static_cast<uint32_t>(span.end - middle)});
    }
  }
  std::erase_if(input.literal_spans, [&](ByteRange span) { return span.end > middle; });
  if (!AreWellFormed(*input.pair, input.pair_literal_spans)) input.pair_literal_spans.clear();
}

// Ids alone are found on a way of their own, which also remembers words: twice.
void RequireSameIdsAlone(const SampleTokenizer& sample, tokenizer::EncodeInput input,
                         const absl::StatusOr<base::Encoding>& encoding) {
  input.include_ranges = false;
  for (int turn = 0; turn < 2; ++turn) {
    const absl::StatusOr<base::Encoding> alone = sample.tokenizer.Encode(input);
    Require(alone.ok() == encoding.ok(), "ids alone fail where ids with ranges fail");
    if (alone.ok()) Require(alone->ids == encoding->ids, "ids alone are the ids with ranges");
  }
}

void Run(ByteSource source) {
  const SampleTokenizer& sample = ChooseSample(source.TakeByte());
  const uint8_t flags = source.TakeByte();
  tokenizer::EncodeInput input;
  input.add_special_tokens = (flags & kAddSpecialTokens) != 0;
  input.literal_spans = TakeSpans(source, (flags & kRawSpans) != 0);
  input.text = source.TakeRest();
  if ((flags & kRawSpans) == 0) MoveToBoundaries(input.text, input.literal_spans);
  if ((flags & kPair) != 0) CutPair(input);
  input.include_ranges = true;

  const absl::StatusOr<base::Encoding> encoding = sample.tokenizer.Encode(input);
  RequireBadInputIsRefused(input, encoding.status());
  RequireSameIdsAlone(sample, input, encoding);
  if (!encoding.ok()) return;
  RequireSoundRanges(input, *encoding);
  RequireReadable(sample, input, *encoding);
  RequireLiteral(sample, input, *encoding);
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
