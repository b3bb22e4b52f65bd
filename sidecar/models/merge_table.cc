#include "models/merge_table.h"

#include <algorithm>
#include <bit>

namespace triptych::models {

MergeTable::MergeTable(size_t size) {
  const size_t slots = std::bit_ceil(std::max<size_t>(16, size + size / 2));
  slots_.assign(slots, Slot{0, {kNoRank, 0}});
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
}

void MergeTable::Insert(uint32_t left, uint32_t right, Merge merge) {
  const uint64_t key = KeyOf(left, right);
  size_t at = PlaceOf(key);
  while (slots_[at].merge.rank != kNoRank && slots_[at].key != key) at = (at + 1) & mask_;
  slots_[at] = {key, merge};
  rank_limit_ = std::max(rank_limit_, merge.rank + 1);
  if (!id_of_rank_.has_value()) return;
  if (id_of_rank_->size() < rank_limit_) id_of_rank_->resize(rank_limit_);
  (*id_of_rank_)[merge.rank] = merge.id;
}

}  // namespace triptych::models
