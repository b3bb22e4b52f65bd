// MergeTable: the merges of a BPE model, by the pair that merges.
#ifndef SIDECAR_MODELS_MERGE_TABLE_H_
#define SIDECAR_MODELS_MERGE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace triptych::models {

// What a pair becomes. The merge with the lowest rank is applied first.
struct Merge {
  uint32_t rank;
  uint32_t id;
};

// An open-addressing table: a lookup is one multiplication and, nearly always, one cache line. BPE
// does little else, so this is what a word costs that was not seen before.
//
// Immutable once filled, so safe to share between threads.
class MergeTable {
 public:
  // The rank of pairs that do not merge.
  static constexpr uint32_t kNoRank = UINT32_MAX;

  // Room for `size` pairs.
  explicit MergeTable(size_t size);

  // REQUIRES: AllowMergesThatDoNotGrow() was called before, if ever.
  // A pair that is there already gets the new merge, as in `tokenizers`.
  // REQUIRES: at most as many pairs as there is room for; merge.rank is not kNoRank.
  void Insert(uint32_t left, uint32_t right, Merge merge);

  // The merge of a pair; its rank is kNoRank where there is none.
  [[nodiscard]] Merge Find(uint32_t left, uint32_t right) const {
    const uint64_t key = KeyOf(left, right);
    for (size_t at = PlaceOf(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key || slot.merge.rank == kNoRank) return slot.merge;
    }
  }

  // Starts to read the slot of a pair into the cache.
  void Prefetch(uint32_t left, uint32_t right) const {
    __builtin_prefetch(&slots_[PlaceOf(KeyOf(left, right))]);
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
  struct Slot {
    uint64_t key;
    Merge merge;  // rank kNoRank: the slot is empty
  };

  static uint64_t KeyOf(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
  [[nodiscard]] size_t PlaceOf(uint64_t key) const {
    return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> shift_;
  }

  std::vector<Slot> slots_;
  size_t mask_;
  int shift_;
  uint32_t rank_limit_ = 0;
  std::optional<std::vector<uint32_t>> id_of_rank_;  // only where it may be asked for
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_MERGE_TABLE_H_
