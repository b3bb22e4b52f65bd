// MergeSymbols: the heart of BPE, from the symbols of a word to its tokens.
#ifndef SIDECAR_MODELS_SYMBOL_MERGER_H_
#define SIDECAR_MODELS_SYMBOL_MERGER_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "models/merge_table.h"

namespace triptych::models {

// A part of a piece that is one token so far.
struct Symbol {
  uint32_t id;
  uint32_t written_size;  // bytes of the text it stands for, as tokens are written

  friend bool operator==(const Symbol&, const Symbol&) = default;
};

// Those of a word; of nearly every word they take no memory of their own.
using Symbols = absl::InlinedVector<Symbol, 32>;

// What long words take while they merge. To get it from the system anew for each would take as long
// as merging, so one word at a time may use this; another that comes meanwhile does get its own.
struct MergeMemory {
  static constexpr size_t kMaxBytes = size_t{4} << 20;  // for words of up to 70,000 symbols

  // For a model with so many merges: a small one hardly needs it.
  explicit MergeMemory(size_t merges);

  std::mutex mutex;
  std::vector<std::byte> bytes;
};

// Merges, again and again, the pair of neighbours with the lowest rank, the leftmost of equals,
// until no pair is in `merges`. `symbols` then holds what is left. Time O(n^2) with a tiny constant
// up to 64 symbols, O(n log n) beyond; nothing recurses.
//
// Tested by symbol_merger_test.cc against a plain encoder.
void MergeSymbols(const MergeTable& merges, MergeMemory& memory, Symbols& symbols);

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SYMBOL_MERGER_H_
