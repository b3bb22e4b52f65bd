// MergeTable: the merges of a BPE model, by the pair that merges.
#ifndef SIDECAR_MODELS_MERGE_TABLE_H_
#define SIDECAR_MODELS_MERGE_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/huge_array.h"

namespace triptych::models {

// What a pair of tokens becomes.
struct Merge {
  uint32_t left, right, whole;
};

// BPE does little else than ask for pairs, so this is what a word costs that was not seen before.
//
// Pairs are in buckets of one cache line, eight to each, as 64 bits: the two ids and the rank. One
// that finds its bucket full goes to the next. A rank says only which of two merges is applied
// first, so where later merges make higher ids, as in most vocabularies, a rank begins with the id
// that its merge makes. Elsewhere ranks count the merges, and the ids are in a table of their own.
//
// One who asks for a pair at a time first asks a filter, of which each pair sets one bit: most
// pairs do not merge, and the filter, which fits into the cache as the buckets do not, knows that
// of all but one in sixteen. One who looks at a whole bucket at once (batch_merger.h) needs none.
//
// Immutable, so safe to share between threads.
class MergeTable {
 public:
  // The rank of pairs that do not merge.
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr uint32_t kFirstIds = 256;
  // Ranks below this leave room for a place beside them (symbol_merger.cc).
  static constexpr int kMaxRankBits = 25;

  // The most merges that there may be of ids below `id_limit`: more than any vocabulary has.
  [[nodiscard]] static size_t MaxSize(uint32_t id_limit) {
    return (size_t{1} << RankBits(id_limit)) - 1;
  }

  // Of merges that are applied in this order. Of two of the same pair the last is taken, as in
  // `tokenizers`. `always_grow` is false where one does not make its left part longer; see
  // symbol_merger.cc. REQUIRES: merges.size() <= MaxSize(id_limit), all ids are below `id_limit`,
  // and that is below 2^22.
  MergeTable(std::span<const Merge> merges, uint32_t id_limit, bool always_grow = true);

  // What stands for a neighbour that is none: an id that no token has.
  [[nodiscard]] uint32_t nobody() const { return (1u << id_bits_) - 1; }

  // Starts to read what there is of a pair.
  void PrefetchPlace(uint32_t left, uint32_t right) const {
    __builtin_prefetch(BucketOf(PairOf(left, right)));
  }

  // The rank of a pair.
  [[nodiscard]] uint32_t Find(uint32_t left, uint32_t right) const {
    return FindAt(left, right, PlaceOf(PairOf(left, right)));
  }

  // Find in two steps, for a caller who has several pairs: starts to read what there is of a pair.
  [[nodiscard]] uint64_t Prefetch(uint32_t left, uint32_t right) const {
    const uint64_t place = PlaceOf(PairOf(left, right));
    __builtin_prefetch(&buckets_[MayHold(place) ? place / kPlaces : 0]);
    return place;
  }
  // REQUIRES: `place` is what Prefetch gave for the pair.
  [[nodiscard]] uint32_t FindAt(uint32_t left, uint32_t right, uint64_t place) const {
    if (!MayHold(place)) return kNoRank;
    const uint64_t pair = PairOf(left, right);
    for (const Bucket* bucket = &buckets_[place / kPlaces];; bucket = NextBucket(bucket)) {
      for (const uint64_t entry : bucket->entries) {
        if (entry >> rank_bits_ == pair) return RankOf(entry);
        if (entry == kNoEntry) return kNoRank;
      }
    }
  }

  // Find for two ids below kFirstIds, which in most vocabularies are the bytes: no hash, no search.
  [[nodiscard]] uint32_t FindFirst(uint32_t left, uint32_t right) const {
    return first_[left * kFirstIds + right];
  }
  // The same for one who looks up several at once: that of a pair is at left * kFirstIds + right.
  [[nodiscard]] const uint32_t* first_ranks() const { return first_.data(); }

  // The id of what the pair with this rank becomes. REQUIRES: Find has returned the rank.
  [[nodiscard]] uint32_t IdOf(uint32_t rank) const {
    return ids_.empty() ? rank >> order_bits_ : ids_[rank];
  }
  // Starts to read that, where it is not kNoRank.
  void PrefetchIdOf(uint32_t rank) const {
    if (!ids_.empty()) __builtin_prefetch(ids_.data() + (rank == kNoRank ? 0 : rank));
  }

  // A rank that is not above that of `merge`, the one with this number, and above those of all
  // before it that make another token.
  [[nodiscard]] uint32_t LowestRankOf(uint32_t number, const Merge& merge) const {
    return ids_.empty() ? merge.whole << order_bits_ : number;
  }

  // All ranks are below it.
  [[nodiscard]] uint32_t rank_limit() const { return rank_limit_; }

  [[nodiscard]] bool always_grow() const { return always_grow_; }

  // Whether a pair of the rank `now` is taken when the rank `queued` is due at its place.
  // REQUIRES: the two ranks differ.
  [[nodiscard]] bool IsTakenFor(uint32_t now, uint32_t queued) const {
    return !always_grow_ && now != kNoRank && IdOf(now) == IdOf(queued);
  }

  // For one who looks at a whole bucket: an entry of a pair is the pair and behind it, in the lower
  // rank_bits(), its rank and one. It is in the pair's bucket or, where that has no empty entry, in
  // the next.
  struct alignas(64) Bucket {
    std::array<uint64_t, 8> entries;
  };
  static constexpr uint64_t kNoEntry = 0;
  [[nodiscard]] int rank_bits() const { return rank_bits_; }
  [[nodiscard]] uint64_t PairOf(uint32_t left, uint32_t right) const {
    return uint64_t{left} << id_bits_ | right;
  }
  [[nodiscard]] uint32_t RankOf(uint64_t entry) const {
    return (static_cast<uint32_t>(entry) & ((1u << rank_bits_) - 1)) - 1;
  }
  // Where `is_pair` is false, any bucket, the same each time: for one who looks for nothing there.
  [[nodiscard]] const Bucket* BucketOf(uint64_t pair, bool is_pair = true) const {
    return &buckets_[PlaceOf(pair) / kPlaces & -uint64_t{is_pair}];
  }
  [[nodiscard]] const Bucket* NextBucket(const Bucket* bucket) const {
    const auto number = static_cast<size_t>(bucket - &buckets_[0]);
    return &buckets_[number + 1 == buckets_.size() ? 0 : number + 1];
  }

 private:
  void Insert(uint32_t left, uint32_t right, uint32_t rank);
  static int IdBits(uint32_t id_limit) { return std::bit_width(id_limit); }
  static int RankBits(uint32_t id_limit) {
    return std::min(kMaxRankBits, 64 - 2 * IdBits(id_limit));
  }

  // Bits of the filter for each bucket.
  static constexpr uint64_t kPlaces = 32;

  // Where a pair belongs: the number of its bucket, and below it that of its bit of the filter.
  [[nodiscard]] uint64_t PlaceOf(uint64_t pair) const {
    return (pair ^ pair >> id_bits_) * 0x9E3779B97F4A7C15u >> shift_;
  }
  [[nodiscard]] bool MayHold(uint64_t place) const {
    return (filter_[place / 8] >> place % 8 & 1) != 0;
  }

  int id_bits_, rank_bits_;
  // Of pairs of the first ids.
  std::vector<uint32_t> first_ = std::vector<uint32_t>(size_t{kFirstIds} * kFirstIds, kNoRank);
  base::HugeArray<Bucket> buckets_;
  int shift_;
  std::vector<uint8_t> filter_;
  bool always_grow_;
  uint32_t rank_limit_;
  int order_bits_ = 0;         // of a rank, below an id
  std::vector<uint32_t> ids_;  // or by rank; then these
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_MERGE_TABLE_H_
