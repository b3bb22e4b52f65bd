// What the tests of merging share: random merges, and the definition of what they do to symbols.
#ifndef SIDECAR_MODELS_RANDOM_MERGES_H_
#define SIDECAR_MODELS_RANDOM_MERGES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "models/merge_table.h"
#include "models/symbol_merger.h"

namespace triptych::models {

// Merges of some letters, the first of which is `first`, in any order: a merge may use a token that
// only a later one makes.
inline MergeTable RandomMerges(std::mt19937& random, uint32_t first, uint32_t letters,
                               uint32_t count) {
  MergeTable merges(count, first + letters + count);
  std::vector<uint32_t> ranks(count);
  for (uint32_t i = 0; i < count; ++i) ranks[i] = i;
  std::shuffle(ranks.begin(), ranks.end(), random);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t limit = letters + i;
    const uint32_t left = random() % limit, right = random() % limit;
    merges.Insert(first + left, first + right, {ranks[i], first + limit});
  }
  return merges;
}

// The definition, and nothing else.
inline Symbols MergePlainly(const MergeTable& merges, Symbols symbols) {
  while (true) {
    uint32_t best = MergeTable::kNoRank;
    size_t at = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const uint32_t rank = merges.Find(symbols[i].id, symbols[i + 1].id);
      if (rank < best) {
        best = rank;
        at = i;
      }
    }
    if (best == MergeTable::kNoRank) return symbols;
    symbols[at] = {merges.IdOf(best), symbols[at].written_size + symbols[at + 1].written_size};
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_RANDOM_MERGES_H_
