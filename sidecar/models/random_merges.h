// What the tests of merging share: random merges, and the definition of what they do to symbols.
#ifndef SIDECAR_MODELS_RANDOM_MERGES_H_
#define SIDECAR_MODELS_RANDOM_MERGES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/merge_table.h"
#include "models/symbol_merger.h"

namespace triptych::models {

// Merges of some letters, the first of which is `first`, in any order: a merge may use a token that
// only a later one makes. Where `in_order`, a later merge makes a higher id, as ranks like best.
inline MergeTable RandomMerges(std::mt19937& random, uint32_t first, uint32_t letters,
                               uint32_t count, bool in_order = false) {
  std::vector<Merge> merges;
  uint32_t limit = letters;
  for (uint32_t i = 0; i < count; ++i) {
    const auto any = [&] { return first + static_cast<uint32_t>(random()) % limit; };
    const uint32_t left = any(), right = any();
    // Some make the token that the one before made.
    if (i == 0 || random() % 4 != 0) ++limit;
    merges.push_back({left, right, first + limit - 1});
  }
  if (!in_order) std::shuffle(merges.begin(), merges.end(), random);
  return MergeTable(merges, first + limit);
}

// As many of some characters, in a row.
inline std::string RandomText(std::mt19937& random, const std::vector<std::string>& characters,
                              size_t count) {
  std::string text;
  for (; count > 0; --count) text += characters[random() % characters.size()];
  return text;
}

// Merges of bytes that stand beside each other in texts of these characters, at most `count`, each
// of parts that are a byte or made by another one. In any order, and mostly not that in which parts
// come before what is made of them.
inline std::vector<std::pair<std::string, std::string>> RandomByteMerges(
    std::mt19937& random, const std::vector<std::string>& characters, size_t count) {
  std::vector<std::pair<std::string, std::string>> merges;
  std::set<std::string> tokens;
  const auto is_token = [&](const std::string& part) {
    return part.size() == 1 || tokens.contains(part);
  };
  for (size_t i = 0; i < 20 * count && merges.size() < count; ++i) {
    const std::string text = RandomText(random, characters, 4);
    const std::string whole = text.substr(random() % (text.size() - 1), 2 + random() % 5);
    const size_t cut = 1 + random() % (whole.size() - 1);
    const std::pair merge(whole.substr(0, cut), whole.substr(cut));
    if (!is_token(merge.first) || !is_token(merge.second)) continue;
    merges.push_back(merge);
    tokens.insert(whole);
  }
  if (random() % 4 != 0) std::shuffle(merges.begin(), merges.end(), random);
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
