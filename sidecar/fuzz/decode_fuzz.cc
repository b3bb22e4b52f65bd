// Decoding: any ids by one of the samples, at once and as a stream that is cut anywhere.
//
// Input: the sample's letter; flags (1: skip special tokens, 2: also ids that are no tokens); a
// seed for the cuts; ids of two bytes each, the higher first.
#include <cstddef>
#include <cstdint>
#include <string>
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
constexpr uint8_t kAnyIds = 2;

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

std::string Streamed(const SampleTokenizer& sample, const std::vector<uint32_t>& ids, bool skip,
                     Cuts cuts) {
  tokenizer::DecodeStream stream(sample.tokenizer, {.skip_special_tokens = skip});
  std::string joined;
  for (size_t at = 0; at < ids.size();) {
    const size_t count = std::min(cuts.Next(), ids.size() - at);
    const std::vector<uint32_t> part(ids.begin() + at, ids.begin() + at + count);
    const absl::StatusOr<tokenizer::StreamText> added = stream.Append(part);
    Require(added.ok(), "a stream takes what Decode takes");
    Require(!unicode::FindInvalidUtf8(added->text).has_value(), "a stream gives whole characters");
    joined += added->text;
    at += count;
  }
  return joined + stream.Flush()->text;
}

void RequireUnknownIdIsRefused(const SampleTokenizer& sample, const std::vector<uint32_t>& ids,
                               bool skip, const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kInvalidArgument &&
              base::MessageOf(status).starts_with("token_ids["),
          base::MessageOf(status));
  tokenizer::DecodeStream stream(sample.tokenizer, {.skip_special_tokens = skip});
  Require(!stream.Append(ids).ok(), "a stream refuses what Decode refuses");
  Require(stream.Flush()->text.empty(), "a refused append changes nothing");
}

void Run(ByteSource source) {
  const SampleTokenizer& sample = ChooseSample(source.TakeByte());
  const uint8_t flags = source.TakeByte();
  const bool skip = (flags & kSkipSpecialTokens) != 0;
  const Cuts cuts(source.TakeByte());
  const auto limit = static_cast<uint32_t>(sample.tokenizer.id_limit());
  std::vector<uint32_t> ids;
  while (!source.empty()) {
    const uint32_t id = source.TakeNumber();
    ids.push_back((flags & kAnyIds) != 0 ? id : id % limit);
  }

  const absl::StatusOr<std::string> whole =
      sample.tokenizer.Decode(ids, {.skip_special_tokens = skip});
  if (!whole.ok()) return RequireUnknownIdIsRefused(sample, ids, skip, whole.status());
  Require(!unicode::FindInvalidUtf8(*whole).has_value(), "decoded text is UTF-8");
  Require(Streamed(sample, ids, skip, cuts) == *whole, "a stream gives what Decode gives");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
