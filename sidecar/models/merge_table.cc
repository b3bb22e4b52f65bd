#include "models/merge_table.h"

#include <algorithm>
#include <bit>

namespace triptych::models {

MergeTable::MergeTable(size_t size, uint32_t id_limit)
    : id_bits_(IdBits(id_limit)),
      rank_bits_(RankBits(id_limit)),
      buckets_(std::bit_ceil(std::max<size_t>(16, size / 4))),
      shift_(64 - std::countr_zero(buckets_.size() * kPlaces)),
      filter_(buckets_.size() * kPlaces / 8),
      ids_(size) {}

void MergeTable::Insert(uint32_t left, uint32_t right, Merge merge) {
  const uint64_t pair = PairOf(left, right);
  const uint64_t place = PlaceOf(pair);
  filter_[place / 8] |= static_cast<uint8_t>(1 << place % 8);
  size_t number = place / kPlaces, i = 0;
  const auto entry = [&]() -> uint64_t& { return buckets_[number].entries[i]; };
  while (entry() != kNoEntry && entry() >> rank_bits_ != pair) {
    if (++i < buckets_[number].entries.size()) continue;
    number = (number + 1) % buckets_.size();
    i = 0;
  }
  entry() = pair << rank_bits_ | (merge.rank + 1);
  ids_[merge.rank] = merge.id;
  if (left < kFirstIds && right < kFirstIds) first_[left * kFirstIds + right] = merge.rank;
}

}  // namespace triptych::models
