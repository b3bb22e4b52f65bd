// MergeSymbols: the heart of BPE, from the symbols of a word to its tokens.
#ifndef SIDECAR_MODELS_SYMBOL_MERGER_H_
#define SIDECAR_MODELS_SYMBOL_MERGER_H_

#include <cstdint>
#include <vector>

#include "models/merge_table.h"

namespace triptych::models {

// A part of a piece that is one token so far.
struct Symbol {
  uint32_t id;
  uint32_t written_size;  // bytes of the text it stands for, as tokens are written

  friend bool operator==(const Symbol&, const Symbol&) = default;
};

// Merges, again and again, the pair of neighbours with the lowest rank, the leftmost of equals,
// until no pair is in `merges`. `symbols` then holds what is left. Time O(n^2) with a tiny constant
// up to 64 symbols, O(n log n) beyond; nothing recurses.
//
// Tested by symbol_merger_test.cc against a plain encoder.
void MergeSymbols(const MergeTable& merges, std::vector<Symbol>& symbols);

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SYMBOL_MERGER_H_
