// Decoding: any ids by one of the samples, at once and as a stream that is cut anywhere and may end
// at a stop string.
//
// Input: the sample's letter; flags (below); a seed for the cuts; the number of stop strings; for
// each two bytes (where it lies in the whole text, its length); min_tokens; how many of the ids are
// the context; ids of two bytes each, the higher first.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "decoders/space_cleanup.h"
#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "fuzz/sample_tokenizers.h"
#include "tokenizer/decode_stream.h"
#include "tokenizer/detokenizer.h"
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

// DecodeStream of `tokenizers` and what vLLM does where it fails, in the plainest way: all is
// decoded again for each id.
class PlainStream {
 public:
  PlainStream(const tokenizer::Detokenizer& detokenizer, bool skip_special_tokens,
              const Ids& context)
      : detokenizer_(detokenizer), skip_special_tokens_(skip_special_tokens) {
    for (const uint32_t id : context) Add(id);
  }

  std::string Step(uint32_t id) {
    if (prefix_.empty()) Settle();
    Add(id);
    std::string text = Decoded();
    if (text.size() <= prefix_.size() || text.ends_with(kBroken)) return "";
    if (!text.starts_with(prefix_)) {
      *this = PlainStream(detokenizer_, skip_special_tokens_, {});
      return Step(id);
    }
    const std::string added = text.substr(prefix_.size());
    window_.erase(window_.begin(), window_.begin() + static_cast<ptrdiff_t>(settled_));
    settled_ = window_.size();
    prefix_ = Decoded();
    return added;
  }

  // Whether the text so far may end in half a character.
  [[nodiscard]] bool may_be_unfinished() const { return Decoded().ends_with(kBroken); }

  PlainStream& operator=(const PlainStream& other) {
    window_ = other.window_;
    prefix_ = other.prefix_;
    settled_ = other.settled_;
    return *this;
  }

 private:
  static constexpr std::string_view kBroken = "\uFFFD";

  void Add(uint32_t id) {
    if (detokenizer_.Check({&id, 1}).ok()) window_.push_back(id);
  }

  void Settle() {
    std::string text = Decoded();
    if (text.ends_with(kBroken)) return;
    prefix_ = std::move(text);
    settled_ = window_.size();
  }

  [[nodiscard]] std::string Decoded() const {
    return detokenizer_.Decode(window_, {.skip_special_tokens = skip_special_tokens_}).value();
  }

  const tokenizer::Detokenizer& detokenizer_;
  const bool skip_special_tokens_;
  Ids window_;
  std::string prefix_;
  size_t settled_ = 0;  // the ids of the window that prefix_ is the text of
};

// What a stream must come to.
struct Ending {
  std::string text;
  std::optional<uint32_t> stop_index;
  size_t used = 0;

  friend bool operator==(const Ending&, const Ending&) = default;
};

// The texts of all steps up to the stop string that is complete first; of several the first in the
// list. There may be a step more than ids: what only the end makes certain.
Ending ExpectedEnding(const std::vector<std::string>& steps, size_t id_count,
                      const tokenizer::StreamOptions& options) {
  std::string text;
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const char byte : steps[i]) {
      text.push_back(byte);
      for (uint32_t index = 0; i >= options.min_tokens && index < options.stop_strings.size();
           ++index) {
        const std::string& stop = options.stop_strings[index];
        if (stop.empty() || !text.ends_with(stop)) continue;
        if (!options.include_stop_string) text.resize(text.size() - stop.size());
        return {text, index, std::min(i + 1, id_count)};
      }
    }
  }
  return {text, std::nullopt, id_count};
}

void RequireWhole(std::string_view piece) {
  Require(!unicode::FindInvalidUtf8(piece).has_value(), "a stream gives whole characters");
}

// What the stream gives, and that none of its pieces is past what it may give.
Ending Streamed(const SampleTokenizer& sample, const Ids& ids,
                const tokenizer::StreamOptions& options, Cuts cuts) {
  auto stream = tokenizer::DecodeStream::Create(sample.tokenizer, options);
  Require(stream.ok(), "a stream begins behind any context");
  Ending ending;
  for (size_t at = 0; at < ids.size();) {
    const size_t count = std::min(cuts.Next(), ids.size() - at);
    const Ids part(ids.begin() + at, ids.begin() + at + count);
    const absl::StatusOr<tokenizer::StreamText> added = stream->Append(part);
    Require(added.ok(), "a stream takes any ids");
    RequireWhole(added->text);
    Require(!ending.stop_index.has_value() || added->text.empty(), "nothing follows a stop string");
    Require(added->tokens_used <= count, "a stream uses what it was given");
    ending.used += added->tokens_used;
    ending.text += added->text;
    ending.stop_index = added->stop_index;
    at += count;
  }
  const tokenizer::StreamText rest = stream->Flush();
  RequireWhole(rest.text);
  ending.text += rest.text;
  ending.stop_index = rest.stop_index;
  return ending;
}

void RequireRefusal(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kInvalidArgument &&
              base::MessageOf(status).starts_with("token_ids["),
          base::MessageOf(status));
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

// Cuts the first `size` of `ids` off, as context of the others. Where that is unfinished,
// `tokenizers` gives out all of it, which nobody wants: then there is none.
Ids TakeContext(Ids& ids, size_t size, const tokenizer::Detokenizer& detokenizer, bool skip) {
  const auto end = ids.begin() + static_cast<ptrdiff_t>(std::min(size, ids.size()));
  auto begin = ids.begin();
  while (begin != end && detokenizer.ContinuesCharacter(*begin)) ++begin;
  Ids context(begin, end);
  ids.erase(ids.begin(), end);
  if (PlainStream(detokenizer, skip, context).may_be_unfinished()) context.clear();
  return context;
}

std::vector<std::string> Steps(const tokenizer::Detokenizer& detokenizer, const Ids& ids,
                               const tokenizer::StreamOptions& options, const Ids& context) {
  PlainStream plain(detokenizer, options.skip_special_tokens, context);
  std::vector<std::string> steps;
  for (const uint32_t id : ids) steps.push_back(plain.Step(id));
  if (!options.clean_up_spaces) return steps;
  auto cleanup = decoders::SpaceCleanup::OfTransformers();
  std::vector<std::string> cleaned;
  for (const std::string& step : steps) cleanup.Append(step, cleaned.emplace_back());
  cleanup.Flush(cleaned.emplace_back());
  return cleaned;
}

void Run(ByteSource source) {
  const SampleTokenizer& sample = ChooseSample(source.TakeByte());
  const tokenizer::Detokenizer& detokenizer = sample.tokenizer.detokenizer();
  const uint8_t flags = source.TakeByte();
  const Cuts cuts(source.TakeByte());
  std::vector<std::pair<uint8_t, uint8_t>> places(source.TakeByte() % (kMaxStopStrings + 1));
  for (auto& [from, size] : places) {
    from = source.TakeByte();
    size = source.TakeByte();
  }
  tokenizer::StreamOptions options;
  options.skip_special_tokens = (flags & kSkipSpecialTokens) != 0;
  options.include_stop_string = (flags & kIncludeStopString) != 0;
  options.clean_up_spaces = (flags & kCleanUpSpaces) != 0;
  options.min_tokens = source.TakeByte();
  const size_t context_size = source.TakeByte();
  const auto limit = static_cast<uint32_t>(sample.tokenizer.id_limit());
  Ids ids = TakeIds(source, (flags & kAnyIds) != 0 ? 0 : limit);

  const absl::StatusOr<std::string> whole =
      sample.tokenizer.Decode(ids, {.skip_special_tokens = options.skip_special_tokens,
                                    .clean_up_spaces = options.clean_up_spaces});
  if (!whole.ok()) {
    RequireRefusal(whole.status());
  } else {
    Require(!unicode::FindInvalidUtf8(*whole).has_value(), "decoded text is UTF-8");
  }
  const Ids context = TakeContext(ids, context_size, detokenizer, options.skip_special_tokens);
  options.context = context;
  const std::vector<std::string> steps = Steps(detokenizer, ids, options, context);
  std::string text;
  for (const std::string& step : steps) text += step;
  if (whole.ok() && context_size == 0 && detokenizer.only_joins() && !options.clean_up_spaces) {
    Require(whole->starts_with(text),
            "a stream gives what Decode gives, but for an unfinished end");
  }
  options.stop_strings = StopStrings(places, text);
  Require(Streamed(sample, ids, options, cuts) == ExpectedEnding(steps, ids.size(), options),
          "a stream gives what vLLM gives, up to the stop string");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
