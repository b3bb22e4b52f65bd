// Two ways to the same result.
//
// A short word, which is nearly every word, keeps the rank of each pair of neighbours in an array
// and scans it for the smallest: for a dozen symbols that is less than any bookkeeping.
//
// A long one ("aaaa...", 50 KB) keeps its symbols in a linked list and its pairs in a queue ordered
// by (rank, place). A heap of all pairs would miss the cache at every step. But ranks are small
// integers, and a merge mostly makes pairs of higher ranks. So the queue is an array of buckets,
// each for a span of ranks. The pairs that are there from the beginning are put into them by a
// counting sort, those that come later into a list for each; and a bucket is sorted when its turn
// comes. A pair that belongs to a bucket whose turn was already goes to the end of the open one
// where that keeps it sorted (of a run of spaces nearly all do), else into a heap. A pair is not
// removed when one of its symbols merges elsewhere; it is recognised as stale, since the rank of
// the pair that stands at its place is then another.
//
// That question has a twist. `tokenizers` takes a pair from its queue if the pair that now stands
// at its place becomes the same token, though it be another pair of another rank. That can only
// happen where a merge does not make its token longer, which takes a right part that is nothing but
// the continuing_subword_prefix; such merges go through the queue, which asks the same question.
//
// Why leftmost first among equal ranks: `tokenizers` orders its heap so, and "aaa" shows the
// difference: with the merge (a, a) it is [aa, a], not [a, aa].
#include "models/symbol_merger.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <span>
#include <vector>

namespace triptych::models {
namespace {

constexpr size_t kFewSymbols = 64;
constexpr int kPlaceBits = 6;  // of the number of a symbol, of few
constexpr uint32_t kNoRank = MergeTable::kNoRank;
constexpr uint32_t kNone = UINT32_MAX;

// Nothing branches on whether there is a neighbour: behind the last symbol stands one that merges
// with none, which is the neighbour of both ends.
void MergeFew(const MergeTable& merges, Symbols& word) {
  const std::span<Symbol> symbols(word.data(), word.size());
  constexpr size_t kTogether = 4;
  constexpr size_t kRoom = kFewSymbols + kTogether;
  const size_t size = symbols.size(), nobody = size;
  std::array<uint32_t, kRoom> symbol;
  // Of the pair of i and what follows it: rank and i in one, so that the smallest tells both; where
  // to look it up. A symbol that was merged away keeps its place, without a rank.
  std::array<uint32_t, kRoom> key;
  std::array<uint64_t, kRoom> place;
  std::array<uint8_t, kRoom> previous, next;
  const auto prefetch = [&](size_t left, size_t right) {
    place[left] = merges.Prefetch(symbol[left], symbol[right]);
  };
  const auto keep = [&](size_t left, uint32_t rank) {
    merges.PrefetchIdOf(rank);
    const auto ranked = static_cast<uint32_t>(rank << kPlaceBits | left);
    key[left] = rank == kNoRank ? kNoRank : ranked;
  };
  const auto look_up = [&](size_t left, size_t right) {
    keep(left, merges.FindAt(symbol[left], symbol[right], place[left]));
  };
  // One by one: as a vector they could not be read before what was just written as one is in the
  // cache, which takes longer than all else here.
  const auto read = [&](size_t i) { return const_cast<const volatile uint32_t&>(key[i]); };

  uint32_t bits = 0;
  for (size_t i = 0; i < size; ++i) {
    bits |= symbol[i] = symbols[i].id;
    previous[i] = static_cast<uint8_t>(i - 1);
    next[i] = static_cast<uint8_t>(i + 1);
  }
  previous[0] = static_cast<uint8_t>(nobody);
  symbol[nobody] = merges.nobody();
  for (size_t i = 0; i < kTogether; ++i) key[nobody + i] = kNoRank;
  key[size - 1] = kNoRank;
  if (bits < MergeTable::kFirstIds) {
    for (size_t i = 0; i + 1 < size; ++i) keep(i, merges.FindFirst(symbol[i], symbol[i + 1]));
  } else {
    for (size_t i = 0; i + 1 < size; ++i) prefetch(i, i + 1);
    for (size_t i = 0; i + 1 < size; ++i) look_up(i, i + 1);
  }
  while (true) {
    std::array<uint32_t, kTogether> lowest = {read(0), read(1), read(2), read(3)};
    for (size_t i = kTogether; i < size; i += kTogether) {
      for (size_t j = 0; j < kTogether; ++j) lowest[j] = std::min(lowest[j], read(i + j));
    }
    const uint32_t best = std::min(std::min(lowest[0], lowest[1]), std::min(lowest[2], lowest[3]));
    if (best == kNoRank) break;
    const size_t at = best & (kFewSymbols - 1), right = next[at];
    const size_t before = previous[at], after = next[right];
    symbol[at] = merges.IdOf(best >> kPlaceBits);
    prefetch(before, at);
    prefetch(at, after);
    symbols[at].written_size += symbols[right].written_size;
    key[right] = kNoRank;
    next[at] = static_cast<uint8_t>(after);
    previous[after] = static_cast<uint8_t>(at);
    look_up(before, at);
    look_up(at, after);
  }
  size_t kept = 0;
  for (size_t i = 0; i < size; i = next[i]) symbols[kept++] = {symbol[i], symbols[i].written_size};
  word.resize(kept);
}

// The pairs that may merge, taken out in the order of (rank, place).
class PairQueue {
 public:
  // `rank_of(place)` is the rank of the pair at each place below `places`, or kNoRank.
  template <typename RankOf>
  PairQueue(uint32_t rank_limit, uint32_t places, RankOf rank_of, std::pmr::memory_resource* memory)
      : buckets_(memory), initial_(memory), nodes_(memory), sorted_(memory), late_(memory) {
    // About as many buckets as pairs: few pairs then come to a bucket whose turn has come already.
    constexpr int kMinBits = 8, kMaxBits = 16;
    const int bits = std::clamp(static_cast<int>(std::bit_width(places)), kMinBits, kMaxBits);
    shift_ = std::max(0, static_cast<int>(std::bit_width(rank_limit)) - bits);
    buckets_.assign((rank_limit >> shift_) + 1, Bucket());
    // What is there from the beginning is sorted at once: to follow lists through the memory, from
    // each pair to the next of its rank, would take longer.
    for (uint32_t place = 0; place < places; ++place) {
      const uint32_t rank = rank_of(place);
      if (rank != kNoRank) ++buckets_[rank >> shift_].initial_end;
    }
    uint32_t end = 0;
    for (Bucket& bucket : buckets_) end += std::exchange(bucket.initial_end, end);
    initial_.resize(end);
    for (uint32_t place = 0; place < places; ++place) {
      const uint32_t rank = rank_of(place);
      if (rank != kNoRank) initial_[buckets_[rank >> shift_].initial_end++] = PairOf(rank, place);
    }
    nodes_.reserve(places);
  }

  void Push(uint32_t rank, uint32_t place) {
    const uint64_t pair = PairOf(rank, place);
    const uint32_t number = rank >> shift_;
    if (number < next_bucket_) return PushLate(pair);
    const auto node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({pair, kNone});
    Bucket& bucket = buckets_[number];
    (bucket.first == kNone ? bucket.first : nodes_[bucket.last].next) = node;
    bucket.last = node;
  }

  // A place that is due soon, or another.
  [[nodiscard]] uint32_t LaterPlace() const {
    constexpr size_t kAhead = 4;
    if (sorted_.empty()) return 0;
    return static_cast<uint32_t>(sorted_[std::min(sorted_at_ + kAhead, sorted_.size() - 1)]);
  }

  // False where the queue is empty.
  bool Pop(uint32_t& rank, uint32_t& place) {
    while (sorted_at_ == sorted_.size() && late_.empty()) {
      if (next_bucket_ == buckets_.size()) return false;
      OpenNext();
    }
    uint64_t pair;
    if (late_.empty() || (sorted_at_ < sorted_.size() && sorted_[sorted_at_] < late_.front())) {
      pair = sorted_[sorted_at_++];
    } else {
      std::pop_heap(late_.begin(), late_.end(), std::greater<>());
      pair = late_.back();
      late_.pop_back();
    }
    rank = static_cast<uint32_t>(pair >> 32);
    place = static_cast<uint32_t>(pair);
    return true;
  }

 private:
  // Where its part of initial_ ends; and the list of the nodes that came later, in their order: for
  // one rank that is mostly from left to right.
  struct Bucket {
    uint32_t initial_end = 0;
    uint32_t first = kNone, last = kNone;
  };
  struct Node {
    uint64_t pair;
    uint32_t next;
  };

  static uint64_t PairOf(uint32_t rank, uint32_t place) { return uint64_t{rank} << 32 | place; }

  void PushLate(uint64_t pair) {
    // Mostly from left to right, too.
    if (sorted_at_ < sorted_.size() && sorted_.back() < pair) return sorted_.push_back(pair);
    late_.push_back(pair);
    std::push_heap(late_.begin(), late_.end(), std::greater<>());
  }

  void OpenNext() {
    constexpr size_t kAhead = 8;
    const uint32_t later = buckets_[std::min(next_bucket_ + kAhead, buckets_.size() - 1)].first;
    __builtin_prefetch(nodes_.data() + (later == kNone ? 0 : later));

    const uint32_t begin = next_bucket_ == 0 ? 0 : buckets_[next_bucket_ - 1].initial_end;
    const Bucket& bucket = buckets_[next_bucket_++];
    sorted_.assign(initial_.data() + begin, initial_.data() + bucket.initial_end);
    sorted_at_ = 0;
    for (uint32_t i = bucket.first; i != kNone; i = nodes_[i].next)
      sorted_.push_back(nodes_[i].pair);
    if (!std::is_sorted(sorted_.begin(), sorted_.end())) std::sort(sorted_.begin(), sorted_.end());
  }

  int shift_;
  uint32_t next_bucket_ = 0;
  std::pmr::vector<Bucket> buckets_;
  std::pmr::vector<uint64_t> initial_;  // by bucket, as rank << 32 | place, as all pairs are
  std::pmr::vector<Node> nodes_;
  std::pmr::vector<uint64_t> sorted_;  // the bucket that is being emptied, from sorted_at_ on
  size_t sorted_at_ = 0;
  // A heap: the pairs that came to a bucket when it was open or empty.
  std::pmr::vector<uint64_t> late_;
};

void MergeMany(const MergeTable& merges, MergeMemory& memory, Symbols& all) {
  const std::span<Symbol> symbols(all.data(), all.size());
  struct Link {
    uint32_t previous, next;
    uint32_t rank;  // of the pair of this symbol and the next
  };
  const auto size = static_cast<uint32_t>(symbols.size());
  const std::unique_lock lock(memory.mutex, std::try_to_lock);
  std::pmr::monotonic_buffer_resource arena(lock ? memory.bytes.data() : nullptr,
                                            lock ? memory.bytes.size() : 0);
  std::pmr::vector<Link> links(size, &arena);
  uint32_t bits = 0;
  for (uint32_t i = 0; i < size; ++i) {
    links[i] = {i == 0 ? kNone : i - 1, i + 1 == size ? kNone : i + 1, kNoRank};
    bits |= symbols[i].id;
  }
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i + 1 < size; ++i) {
    const uint32_t left = symbols[i].id, right = symbols[i + 1].id;
    if (bits < MergeTable::kFirstIds) {
      links[i].rank = merges.FindFirst(left, right);
      continue;
    }
    if (i + kAhead + 1 < size) {
      static_cast<void>(merges.Prefetch(symbols[i + kAhead].id, symbols[i + kAhead + 1].id));
    }
    links[i].rank = merges.Find(left, right);
  }
  PairQueue queue(merges.rank_limit(), size, [&](uint32_t i) { return links[i].rank; }, &arena);

  const auto put = [&](uint32_t left, uint32_t rank) {
    links[left].rank = rank;
    if (rank != kNoRank) queue.Push(rank, left);
  };
  uint32_t rank, place;
  while (queue.Pop(rank, place)) {
    __builtin_prefetch(links.data() + queue.LaterPlace());
    Link& link = links[place];
    if (link.rank != rank && !merges.IsTakenFor(link.rank, rank)) continue;  // stale
    const uint32_t right = link.next, before = link.previous, after = links[right].next;
    const uint32_t id = merges.IdOf(link.rank);
    uint64_t place_before = 0, place_after = 0;
    if (before != kNone) place_before = merges.Prefetch(symbols[before].id, id);
    if (after != kNone) place_after = merges.Prefetch(id, symbols[after].id);
    symbols[place].id = id;
    symbols[place].written_size += symbols[right].written_size;
    link.next = after;
    link.rank = kNoRank;
    links[right].rank = kNoRank;
    if (before != kNone) put(before, merges.FindAt(symbols[before].id, id, place_before));
    if (after == kNone) continue;
    links[after].previous = place;
    put(place, merges.FindAt(id, symbols[after].id, place_after));
  }

  size_t kept = 0;
  for (uint32_t i = 0; i != kNone; i = links[i].next) symbols[kept++] = symbols[i];
  all.resize(kept);
}

}  // namespace

MergeMemory::MergeMemory(size_t merges) : bytes(std::min(merges * 64, kMaxBytes)) {}

void MergeSymbols(const MergeTable& merges, MergeMemory& memory, Symbols& symbols) {
  if (symbols.size() <= 1) return;
  static_assert(MergeTable::kMaxRankBits + kPlaceBits < 32);
  if (symbols.size() <= kFewSymbols && merges.always_grow()) {
    MergeFew(merges, symbols);
  } else {
    MergeMany(merges, memory, symbols);
  }
}

}  // namespace triptych::models
