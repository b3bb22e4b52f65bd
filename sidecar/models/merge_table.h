// MergeTable: the merges of a BPE model, by the pair that merges.
#ifndef SIDECAR_MODELS_MERGE_TABLE_H_
#define SIDECAR_MODELS_MERGE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/huge_array.h"

namespace triptych::models {

// What a pair becomes. The merge with the lowest rank is applied first.
struct Merge {
  uint32_t rank;
  uint32_t id;
};

// An open-addressing table, and before it a filter: eight bits for each slot, of which a pair sets
// one. BPE does little else than ask for pairs, so this is what a word costs that was not seen
// before. Most pairs do not merge, and the filter, which fits into the cache as the slots do not,
// knows that of all but one in sixteen.
//
// Immutable once filled, so safe to share between threads.
class MergeTable {
 public:
  // The rank of pairs that do not merge.
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr uint32_t kFirstIds = 256;

  // Room for `size` pairs.
  explicit MergeTable(size_t size);

  // REQUIRES: AllowMergesThatDoNotGrow() was called before, if ever.
  // A pair that is there already gets the new merge, as in `tokenizers`.
  // REQUIRES: at most as many pairs as there is room for; merge.rank is not kNoRank.
  void Insert(uint32_t left, uint32_t right, Merge merge);

  // Starts to read what Insert will need.
  void PrefetchPlace(uint32_t left, uint32_t right) const {
    __builtin_prefetch(&slots_[PlaceOf(left, right) / 8]);
  }

  // The merge of a pair; its rank is kNoRank where there is none.
  [[nodiscard]] Merge Find(uint32_t left, uint32_t right) const {
    return FindAt(left, right, PlaceOf(left, right));
  }

  // Find in two steps, for a caller who has several pairs: starts to read what there is of a pair.
  [[nodiscard]] uint64_t Prefetch(uint32_t left, uint32_t right) const {
    const uint64_t place = PlaceOf(left, right);
    __builtin_prefetch(&slots_[MayHold(place) ? place / 8 : 0]);
    return place;
  }
  // REQUIRES: `place` is what Prefetch gave for the pair.
  [[nodiscard]] Merge FindAt(uint32_t left, uint32_t right, uint64_t place) const {
    if (!MayHold(place)) return {kNoRank, 0};
    const uint64_t key = KeyOf(left, right);
    size_t at = place / 8;
    while (slots_[at].key != key && slots_[at].key != kNoKey) at = (at + 1) & mask_;
    const Slot& slot = slots_[at];
    return {slot.key == key ? slot.merge.rank : kNoRank, slot.merge.id};
  }

  // Find for two ids below kFirstIds, which in most vocabularies are the bytes: no hash, no search.
  [[nodiscard]] Merge FindFirst(uint32_t left, uint32_t right) const {
    return first_[left * kFirstIds + right];
  }

  // One more than the highest rank.
  [[nodiscard]] uint32_t rank_limit() const { return rank_limit_; }

  // Says that some merge does not make its left part longer; see symbol_merger.cc.
  void AllowMergesThatDoNotGrow() { id_of_rank_.emplace(); }
  [[nodiscard]] bool always_grow() const { return !id_of_rank_.has_value(); }

  // Whether a pair of the rank `now` that becomes the token `id` is taken when the rank `queued` is
  // due at its place. REQUIRES: the two ranks differ.
  [[nodiscard]] bool IsTakenFor(uint32_t now, uint32_t id, uint32_t queued) const {
    return !always_grow() && now != kNoRank && (*id_of_rank_)[queued] == id;
  }

 private:
  static constexpr uint64_t kNoKey = 0;  // the slot is empty

  struct Slot {
    uint64_t key;
    Merge merge;
  };

  static uint64_t KeyOf(uint32_t left, uint32_t right) {
    return (uint64_t{left} << 32 | right) + 1;
  }
  // Where a pair belongs: the number of its slot, and below it three bits for its bit of the
  // filter.
  [[nodiscard]] uint64_t PlaceOf(uint32_t left, uint32_t right) const {
    const uint64_t key = KeyOf(left, right);
    return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> shift_;
  }
  [[nodiscard]] bool MayHold(uint64_t place) const {
    return (filter_[place / 8] >> place % 8 & 1) != 0;
  }

  std::vector<Merge> first_ = std::vector<Merge>(size_t{kFirstIds} * kFirstIds, {kNoRank, 0});
  size_t mask_;
  int shift_;
  base::HugeArray<Slot> slots_;
  std::vector<uint8_t> filter_;
  uint32_t rank_limit_ = 0;
  std::optional<std::vector<uint32_t>> id_of_rank_;  // only where it may be asked for
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_MERGE_TABLE_H_
