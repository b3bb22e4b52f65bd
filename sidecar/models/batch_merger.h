// MergeWords: several short words, merged side by side.
//
// To merge a pair is a chain: find the lowest rank, look up what the new token makes with its
// neighbours, which is a hash and a read of a table larger than the cache, and only then find the
// lowest rank again. A processor that follows one word waits most of the time, and guesses wrongly
// at many turns whether a pair merges. Here each of some words takes a step, then each takes the
// next, so what one waits for the others hide, and a step has no branch but that which ends a word.
//
// That needs vectors that look at all pairs of a word, and at all of a bucket, at once: AVX2.
// Other processors merge word by word (symbol_merger.h).
#ifndef SIDECAR_MODELS_BATCH_MERGER_H_
#define SIDECAR_MODELS_BATCH_MERGER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/merge_table.h"
#include "models/symbol_merger.h"

namespace triptych::models {

// The ids of a word's symbols, and then of its tokens.
struct ShortWord {
  static constexpr size_t kMaxSymbols = 63;

  std::array<uint32_t, kMaxSymbols + 1> ids;  // one more, so that eight at a time fit
  size_t size;
};

// As many words as are worth waiting for.
inline constexpr size_t kWordsTogether = 64;

// Merges each word as MergeSymbols does.
//
// Tested by batch_merger_test.cc.
void MergeWords(const MergeTable& merges, MergeMemory& memory, std::span<ShortWord> words);

// A way to do that, for tests: "scalar" or "avx2".
struct BatchMerger {
  std::string_view name;
  void (*merge)(const MergeTable& merges, MergeMemory& memory, std::span<ShortWord> words);
};

// All that this processor can run for any merges, the best first.
[[nodiscard]] const std::vector<BatchMerger>& BatchMergers();

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BATCH_MERGER_H_
