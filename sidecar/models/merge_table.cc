#include "models/merge_table.h"

#include <algorithm>
#include <bit>

namespace triptych::models {

MergeTable::MergeTable(size_t size)
    : mask_(std::bit_ceil(std::max<size_t>(16, size + size / 2)) - 1),
      shift_(61 - std::countr_one(mask_)),
      slots_(mask_ + 1),
      filter_(mask_ + 1) {}

void MergeTable::Insert(uint32_t left, uint32_t right, Merge merge) {
  const uint64_t key = KeyOf(left, right);
  const uint64_t place = PlaceOf(left, right);
  filter_[place / 8] |= static_cast<uint8_t>(1 << place % 8);
  size_t at = place / 8;
  while (slots_[at].key != kNoKey && slots_[at].key != key) at = (at + 1) & mask_;
  slots_[at] = {key, merge};
  if (left < kFirstIds && right < kFirstIds) first_[left * kFirstIds + right] = merge;
  rank_limit_ = std::max(rank_limit_, merge.rank + 1);
  if (!id_of_rank_.has_value()) return;
  if (id_of_rank_->size() < rank_limit_) id_of_rank_->resize(rank_limit_);
  (*id_of_rank_)[merge.rank] = merge.id;
}

}  // namespace triptych::models
