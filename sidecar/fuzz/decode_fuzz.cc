// Decoding: any ids by one of the samples, at once and as a stream that is cut anywhere and may end
// at a stop string.
//
// Input: the sample's letter; flags (below); a seed for the cuts; the number of stop strings; for
// each two bytes (where it lies in the whole text, its length); ids of two bytes each, the higher
// first.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "fuzz/sample_tokenizers.h"
#include "tokenizer/decode_stream.h"
#include "tokenizer/tokenizer.h"
#include "unicode/utf8.h"

namespace triptych::fuzz {
namespace {

constexpr uint8_t kSkipSpecialTokens = 1;
constexpr uint8_t kAnyIds = 2;  // also ids that are no tokens
constexpr uint8_t kIncludeStopString = 4;
constexpr uint8_t kCleanUpSpaces = 8;
constexpr uint8_t kMaxStopStrings = 4;

using Ids = std::vector<uint32_t>;

// A few bits that decide where a stream is cut.
class Cuts {
 public:
  explicit Cuts(uint8_t seed) : state_(seed) {}

  // From 0 to 3.
  size_t Next() {
    state_ = state_ * 1103515245u + 12345u;
    return state_ >> 16 & 3;
  }

 private:
  uint32_t state_;
};

// What a stream must come to.
struct Ending {
  std::string text;
  std::optional<uint32_t> stop_index;

  friend bool operator==(const Ending&, const Ending&) = default;
};

// The whole text up to the stop string that is complete first; of several the first in the list.
Ending ExpectedEnding(const std::string& whole, const tokenizer::StreamOptions& options) {
  Ending ending{whole, std::nullopt};
  size_t first_end = whole.size() + 1;
  for (uint32_t i = 0; i < options.stop_strings.size(); ++i) {
    const std::string& stop = options.stop_strings[i];
    const size_t begin = stop.empty() ? std::string::npos : whole.find(stop);
    if (begin == std::string::npos || begin + stop.size() >= first_end) continue;
    first_end = begin + stop.size();
    ending = {whole.substr(0, options.include_stop_string ? first_end : begin), i};
  }
  return ending;
}

void RequireWhole(std::string_view piece) {
  Require(!unicode::FindInvalidUtf8(piece).has_value(), "a stream gives whole characters");
}

// What the stream gives, and that none of its pieces is past what it may give.
Ending Streamed(const SampleTokenizer& sample, const Ids& ids,
                const tokenizer::StreamOptions& options, Cuts cuts) {
  tokenizer::DecodeStream stream(sample.tokenizer, options);
  Ending ending;
  size_t used = 0;
  for (size_t at = 0; at < ids.size();) {
    const size_t count = std::min(cuts.Next(), ids.size() - at);
    const Ids part(ids.begin() + at, ids.begin() + at + count);
    if (count == 0 && !ending.stop_index.has_value()) {
      const Ids unknown = {static_cast<uint32_t>(sample.tokenizer.id_limit())};
      Require(!stream.Append(unknown).ok(), "an unknown id is refused, and changes nothing");
    }
    const absl::StatusOr<tokenizer::StreamText> added = stream.Append(part);
    Require(added.ok(), "a stream takes what Decode takes");
    RequireWhole(added->text);
    Require(!ending.stop_index.has_value() || added->text.empty(), "nothing follows a stop string");
    Require(added->tokens_used <= count, "a stream uses what it was given");
    used += added->tokens_used;
    ending.text += added->text;
    ending.stop_index = added->stop_index;
    at += count;
  }
  const absl::StatusOr<tokenizer::StreamText> rest = stream.Flush();
  Require(rest.ok(), "a stream ends as Decode does");
  RequireWhole(rest->text);
  ending.text += rest->text;
  ending.stop_index = rest->stop_index;
  Require(ending.stop_index.has_value() || used == ids.size(), "every token is used");
  return ending;
}

void RequireRefusal(const SampleTokenizer& sample, const Ids& ids, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kResourceExhausted) return;
  Require(status.code() == absl::StatusCode::kInvalidArgument &&
              base::MessageOf(status).starts_with("token_ids["),
          base::MessageOf(status));
  tokenizer::DecodeStream stream(sample.tokenizer, {});
  Require(!stream.Append(ids).ok(), "a stream refuses what Decode refuses");
  Require(stream.Flush()->text.empty(), "a refused append changes nothing");
}

// Parts of `whole`, which are thus found, on boundaries; every third is changed so as not to be.
std::vector<std::string> StopStrings(const std::vector<std::pair<uint8_t, uint8_t>>& places,
                                     std::string_view whole) {
  constexpr size_t kMaxSize = 12;
  std::vector<std::string> stops;
  for (const auto& [from, size] : places) {
    size_t begin = whole.empty() ? 0 : from * 7 % whole.size();
    while (!unicode::IsBoundary(whole, begin)) --begin;
    size_t end = std::min(whole.size(), begin + size % kMaxSize);
    while (!unicode::IsBoundary(whole, end)) --end;
    stops.emplace_back(whole.substr(begin, end - begin));
    if (size % 3 == 0) stops.back() += 'a';
  }
  return stops;
}

Ids TakeIds(ByteSource& source, uint32_t limit) {
  Ids ids;
  while (!source.empty()) {
    const uint32_t id = source.TakeNumber();
    ids.push_back(limit == 0 ? id : id % limit);
  }
  return ids;
}

void Run(ByteSource source) {
  const SampleTokenizer& sample = ChooseSample(source.TakeByte());
  const uint8_t flags = source.TakeByte();
  const Cuts cuts(source.TakeByte());
  std::vector<std::pair<uint8_t, uint8_t>> places(source.TakeByte() % (kMaxStopStrings + 1));
  for (auto& [from, size] : places) {
    from = source.TakeByte();
    size = source.TakeByte();
  }
  const auto limit = static_cast<uint32_t>(sample.tokenizer.id_limit());
  const Ids ids = TakeIds(source, (flags & kAnyIds) != 0 ? 0 : limit);
  tokenizer::StreamOptions options;
  options.skip_special_tokens = (flags & kSkipSpecialTokens) != 0;
  options.include_stop_string = (flags & kIncludeStopString) != 0;
  options.clean_up_spaces = (flags & kCleanUpSpaces) != 0;

  const absl::StatusOr<std::string> whole =
      sample.tokenizer.Decode(ids, {.skip_special_tokens = options.skip_special_tokens,
                                    .clean_up_spaces = options.clean_up_spaces});
  if (!whole.ok()) return RequireRefusal(sample, ids, whole.status());
  Require(!unicode::FindInvalidUtf8(*whole).has_value(), "decoded text is UTF-8");
  options.stop_strings = StopStrings(places, *whole);
  Require(Streamed(sample, ids, options, cuts) == ExpectedEnding(*whole, options),
          "a stream gives what Decode gives, up to the stop string");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
