// Encoding: any text with any literal spans, by one of the samples.
//
// Input: the sample's letter; flags (1: add special tokens, 2: the spans as they come, else sorted
// and on boundaries); the number of spans; for each two bytes (from and to, or gap and length); the
// text.
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

namespace triptych::fuzz {
namespace {

using base::ByteRange;

constexpr uint8_t kAddSpecialTokens = 1;
constexpr uint8_t kRawSpans = 2;
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
bool MayFail(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         (status.code() == absl::StatusCode::kInvalidArgument &&
          base::MessageOf(status).starts_with("text: "));
}

void RequireSoundEncoding(const SampleTokenizer& sample, const tokenizer::EncodeInput& input,
                          const base::Encoding& encoding) {
  Require(encoding.ids.size() == encoding.ranges.size(), "each id has a range");
  for (const ByteRange range : encoding.ranges) {
    Require(range.begin <= range.end && range.end <= input.text.size(), "a range lies in the text");
  }
  const absl::StatusOr<std::string> text = sample.tokenizer.Decode(encoding.ids, {});
  Require(text.ok(), "what was encoded can be decoded");
  Require(!FirstInvalidByte(*text).has_value(), "decoded text is UTF-8");
}

// No added token lies over a literal span. What the model can give as well tells nothing.
void RequireLiteral(const SampleTokenizer& sample, const tokenizer::EncodeInput& input,
                    const base::Encoding& encoding) {
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.ids[i] < sample.first_only_added) continue;
    for (const ByteRange span : input.literal_spans) {
      Require(!span.Overlaps(encoding.ranges[i]), "no added token in a literal span");
    }
  }
}

void RequireBadInputIsRefused(std::string_view text, const std::vector<ByteRange>& spans,
                              const absl::Status& status) {
  const std::optional<size_t> invalid = FirstInvalidByte(text);
  if (invalid.has_value()) {
    Require(base::MessageOf(status) == base::StrCat("text: not valid UTF-8 at byte ", *invalid),
            "invalid UTF-8 is refused at its first byte");
  } else if (!AreWellFormed(text, spans)) {
    Require(base::MessageOf(status).starts_with("literal_spans["), "malformed spans are refused");
  } else {
    Require(status.ok() || MayFail(status), base::MessageOf(status));
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

  const absl::StatusOr<base::Encoding> encoding = sample.tokenizer.Encode(input);
  RequireBadInputIsRefused(input.text, input.literal_spans, encoding.status());
  if (!encoding.ok()) return;
  RequireSoundEncoding(sample, input, *encoding);
  RequireLiteral(sample, input, *encoding);
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
