#include "models/merge_table.h"

#include <algorithm>
#include <bit>

namespace triptych::models {
namespace {

// The bits that tell merges of the same id apart; -1 where a later merge makes a lower id.
int OrderBits(std::span<const Merge> merges) {
  size_t most = 0, same = 0;
  for (size_t i = 0; i < merges.size(); ++i) {
    if (i > 0 && merges[i].whole < merges[i - 1].whole) return -1;
    same = i > 0 && merges[i].whole == merges[i - 1].whole ? same + 1 : 0;
    most = std::max(most, same);
  }
  return std::bit_width(most);
}

}  // namespace

MergeTable::MergeTable(std::span<const Merge> merges, uint32_t id_limit, bool always_grow)
    : id_bits_(IdBits(id_limit)),
      rank_bits_(RankBits(id_limit)),
      buckets_(std::bit_ceil(std::max<size_t>(16, merges.size() / 4))),
      shift_(64 - std::countr_zero(buckets_.size() * kPlaces)),
      filter_(buckets_.size() * kPlaces / 8),
      always_grow_(always_grow),
      rank_limit_(static_cast<uint32_t>(merges.size())) {
  const int order_bits = OrderBits(merges);
  const bool ids_are_in_ranks =
      order_bits >= 0 && uint64_t{id_limit} << order_bits <= MaxSize(id_limit);
  if (ids_are_in_ranks) {
    order_bits_ = order_bits;
    rank_limit_ = id_limit << order_bits;
  } else {
    ids_.reserve(merges.size());
    for (const Merge& merge : merges) ids_.push_back(merge.whole);
  }
  uint32_t order = 0;
  for (uint32_t i = 0; i < merges.size(); ++i) {
    // The table is larger than the cache, so the places of the next are read meanwhile.
    constexpr size_t kAhead = 8;
    const Merge& ahead = merges[std::min(i + kAhead, merges.size() - 1)];
    PrefetchPlace(ahead.left, ahead.right);
    const auto& [left, right, whole] = merges[i];
    order = i > 0 && merges[i - 1].whole == whole ? order + 1 : 0;
    Insert(left, right, ids_are_in_ranks ? whole << order_bits | order : i);
  }
}

void MergeTable::Insert(uint32_t left, uint32_t right, uint32_t rank) {
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
  entry() = pair << rank_bits_ | (rank + 1);
  if (left < kFirstIds && right < kFirstIds) first_[left * kFirstIds + right] = rank;
}

}  // namespace triptych::models
