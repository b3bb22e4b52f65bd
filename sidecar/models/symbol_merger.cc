// Two ways to the same result.
//
// A short word, which is nearly every word, keeps the rank of each pair of neighbours in an array
// and scans it for the smallest: for a dozen symbols that is less than any bookkeeping.
//
// A long one ("aaaa...", 50 KB) keeps its symbols in a linked list and its pairs in a queue ordered
// by (rank, place). A heap of all pairs would miss the cache at every step. But ranks are small
// integers, and a merge mostly makes pairs of higher ranks. So the queue is an array of buckets,
// each for a span of ranks, and only the bucket that is being emptied is a heap. A pair that
// belongs to a bucket that was emptied already joins the heap: it is the next to come, as it must
// be. A pair is not removed when one of its symbols merges elsewhere; it is recognised as stale,
// since the rank of the pair that stands at its place is then another.
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

namespace triptych::models {
namespace {

constexpr size_t kFewSymbols = 64;
constexpr int kPlaceBits = 6;  // of the number of a symbol, of few
constexpr uint32_t kNoRank = MergeTable::kNoRank;
constexpr uint32_t kNone = UINT32_MAX;

// Nothing branches on whether there is a neighbour: behind the last symbol stands one that merges
// with none, which is the neighbour of both ends.
void MergeFew(const MergeTable& merges, std::vector<Symbol>& symbols) {
  constexpr size_t kTogether = 4;
  constexpr size_t kRoom = kFewSymbols + kTogether;
  const size_t size = symbols.size(), nobody = size;
  std::array<uint32_t, kRoom> symbol;
  // Of the pair of i and what follows it: rank and i in one, so that the smallest tells both; what
  // it becomes; where to look it up. A symbol that was merged away keeps its place, without a rank.
  std::array<uint32_t, kRoom> key, becomes;
  std::array<uint64_t, kRoom> place;
  std::array<uint8_t, kRoom> previous, next;
  const auto prefetch = [&](size_t left, size_t right) {
    place[left] = merges.Prefetch(symbol[left], symbol[right]);
  };
  const auto look_up = [&](size_t left, size_t right) {
    const Merge merge = merges.FindAt(symbol[left], symbol[right], place[left]);
    const auto ranked = static_cast<uint32_t>(merge.rank << kPlaceBits | left);
    key[left] = merge.rank == kNoRank ? kNoRank : ranked;
    becomes[left] = merge.id;
  };
  // One by one: as a vector they could not be read before what was just written as one is in the
  // cache, which takes longer than all else here.
  const auto read = [&](size_t i) { return const_cast<const volatile uint32_t&>(key[i]); };

  for (size_t i = 0; i < size; ++i) {
    symbol[i] = symbols[i].id;
    previous[i] = static_cast<uint8_t>(i - 1);
    next[i] = static_cast<uint8_t>(i + 1);
  }
  previous[0] = static_cast<uint8_t>(nobody);
  symbol[nobody] = kNone;
  for (size_t i = 0; i < kTogether; ++i) key[nobody + i] = kNoRank;
  for (size_t i = 0; i < size; ++i) prefetch(i, i + 1);
  for (size_t i = 0; i < size; ++i) look_up(i, i + 1);
  while (true) {
    std::array<uint32_t, kTogether> lowest = {read(0), read(1), read(2), read(3)};
    for (size_t i = kTogether; i < size; i += kTogether) {
      for (size_t j = 0; j < kTogether; ++j) lowest[j] = std::min(lowest[j], read(i + j));
    }
    const uint32_t best = std::min(std::min(lowest[0], lowest[1]), std::min(lowest[2], lowest[3]));
    if (best == kNoRank) break;
    const size_t at = best & (kFewSymbols - 1), right = next[at];
    const size_t before = previous[at], after = next[right];
    symbol[at] = becomes[at];
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
  symbols.resize(kept);
}

// The pairs that may merge, taken out in the order of (rank, place).
class PairQueue {
 public:
  PairQueue(uint32_t rank_limit, size_t expected_pairs) {
    // About as many buckets as pairs: few pairs then come to a bucket whose turn has come already.
    constexpr int kMinBits = 8, kMaxBits = 16;
    const int bits =
        std::clamp(static_cast<int>(std::bit_width(expected_pairs)), kMinBits, kMaxBits);
    shift_ = std::max(0, static_cast<int>(std::bit_width(rank_limit)) - bits);
    buckets_.assign((rank_limit >> shift_) + 1, Bucket());
    nodes_.reserve(expected_pairs);
  }

  void Push(uint32_t rank, uint32_t place) {
    const uint64_t pair = uint64_t{rank} << 32 | place;
    const uint32_t number = rank >> shift_;
    if (number < next_bucket_) {
      late_.push_back(pair);
      std::push_heap(late_.begin(), late_.end(), std::greater<>());
      return;
    }
    const auto node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({pair, kNone});
    Bucket& bucket = buckets_[number];
    (bucket.first == kNone ? bucket.first : nodes_[bucket.last].next) = node;
    bucket.last = node;
  }

  // False where the queue is empty.
  bool Pop(uint32_t& rank, uint32_t& place) {
    while (sorted_at_ == sorted_.size() && late_.empty()) {
      if (next_bucket_ == buckets_.size()) return false;
      Open(buckets_[next_bucket_++]);
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
  // A list of nodes, in the order in which they came: for one rank that is mostly from left to
  // right.
  struct Bucket {
    uint32_t first = kNone, last = kNone;
  };
  struct Node {
    uint64_t pair;  // rank << 32 | place
    uint32_t next;
  };

  void Open(const Bucket& bucket) {
    sorted_.clear();
    sorted_at_ = 0;
    for (uint32_t i = bucket.first; i != kNone; i = nodes_[i].next)
      sorted_.push_back(nodes_[i].pair);
    if (!std::is_sorted(sorted_.begin(), sorted_.end())) std::sort(sorted_.begin(), sorted_.end());
  }

  int shift_;
  uint32_t next_bucket_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<Node> nodes_;
  std::vector<uint64_t> sorted_;  // the bucket that is being emptied, from sorted_at_ on
  size_t sorted_at_ = 0;
  std::vector<uint64_t> late_;  // a heap: the pairs that came to a bucket when it was open or empty
};

void MergeMany(const MergeTable& merges, std::vector<Symbol>& symbols) {
  struct Link {
    uint32_t previous, next;
    uint32_t rank, id;  // of the pair of this symbol and the next
  };
  const auto size = static_cast<uint32_t>(symbols.size());
  std::vector<Link> links(size);
  PairQueue queue(merges.rank_limit(), size_t{size} * 2);
  const auto look_up = [&](uint32_t left) {
    Link& link = links[left];
    link.rank = kNoRank;
    if (link.next == kNone) return;
    const Merge merge = merges.Find(symbols[left].id, symbols[link.next].id);
    link.rank = merge.rank;
    link.id = merge.id;
    if (merge.rank != kNoRank) queue.Push(merge.rank, left);
  };
  for (uint32_t i = 0; i < size; ++i) {
    links[i].previous = i == 0 ? kNone : i - 1;
    links[i].next = i + 1 == size ? kNone : i + 1;
  }
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i < size; ++i) {
    if (i + kAhead + 1 < size) {
      static_cast<void>(merges.Prefetch(symbols[i + kAhead].id, symbols[i + kAhead + 1].id));
    }
    look_up(i);
  }

  uint32_t rank, place;
  while (queue.Pop(rank, place)) {
    Link& link = links[place];
    if (link.rank != rank && !merges.IsTakenFor(link.rank, link.id, rank)) continue;  // stale
    const uint32_t right = link.next;
    symbols[place].id = link.id;
    symbols[place].written_size += symbols[right].written_size;
    link.next = links[right].next;
    links[right].rank = kNoRank;
    if (link.next != kNone) links[link.next].previous = place;
    if (link.next != kNone) static_cast<void>(merges.Prefetch(link.id, symbols[link.next].id));
    if (link.previous != kNone) look_up(link.previous);
    look_up(place);
  }

  size_t kept = 0;
  for (uint32_t i = 0; i != kNone; i = links[i].next) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace

void MergeSymbols(const MergeTable& merges, std::vector<Symbol>& symbols) {
  if (symbols.size() <= 1) return;
  constexpr uint32_t kMaxRank = (UINT32_MAX >> kPlaceBits) - 1;
  if (symbols.size() <= kFewSymbols && merges.always_grow() && merges.rank_limit() <= kMaxRank) {
    MergeFew(merges, symbols);
  } else {
    MergeMany(merges, symbols);
  }
}

}  // namespace triptych::models
