#include "fuzz/sample_tokenizers.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/str_cat.h"
#include "fuzz/require.h"
#include "loader/tokenizer_loader.h"

namespace triptych::fuzz {
namespace {

// The samples number their added tokens behind the vocabulary's.
uint32_t FirstOnlyAdded(const tokenizer::Tokenizer& tokenizer) {
  const auto is_added = [&](uint32_t id) {
    return std::any_of(tokenizer.added_tokens().begin(), tokenizer.added_tokens().end(),
                       [id](const tokenizer::AddedToken& token) { return token.id == id; });
  };
  auto first = static_cast<uint32_t>(tokenizer.id_limit());
  while (first > 0 && is_added(first - 1)) --first;
  return first;
}

std::vector<SampleTokenizer> ReadAll() {
  std::vector<SampleTokenizer> samples;
  for (const auto& entry : std::filesystem::directory_iterator(TRIPTYCH_FUZZ_SAMPLES)) {
    absl::StatusOr<tokenizer::Tokenizer> tokenizer = loader::LoadTokenizer(entry.path().string());
    Require(tokenizer.ok(), base::MessageOf(tokenizer.status()));
    const uint32_t first_only_added = FirstOnlyAdded(*tokenizer);
    samples.push_back({entry.path().stem().string(), *std::move(tokenizer), first_only_added});
  }
  std::sort(samples.begin(), samples.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  Require(!samples.empty(), "there are no samples in " TRIPTYCH_FUZZ_SAMPLES);
  return samples;
}

}  // namespace

const std::vector<SampleTokenizer>& SampleTokenizers() {
  static const auto& samples = *new std::vector<SampleTokenizer>(ReadAll());
  return samples;
}

const SampleTokenizer& ChooseSample(uint8_t letter) {
  const std::vector<SampleTokenizer>& samples = SampleTokenizers();
  for (const SampleTokenizer& sample : samples) {
    if (static_cast<uint8_t>(sample.name.front()) == letter) return sample;
  }
  return samples[letter % samples.size()];
}

}  // namespace triptych::fuzz

// libFuzzer's hook: reads the samples before the time of the first input begins.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  return triptych::fuzz::SampleTokenizers().empty();
}
