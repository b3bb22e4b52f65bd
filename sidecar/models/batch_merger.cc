#include "models/batch_merger.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace triptych::models {
namespace {

void MergeOneByOne(const MergeTable& merges, MergeMemory& memory, std::span<ShortWord> words) {
  Symbols symbols;
  for (ShortWord& word : words) {
    symbols.clear();
    for (size_t i = 0; i < word.size; ++i) symbols.push_back({word.ids[i], 1});
    MergeSymbols(merges, memory, symbols);
    word.size = symbols.size();
    for (size_t i = 0; i < word.size; ++i) word.ids[i] = symbols[i].id;
  }
}

#if defined(__x86_64__)

#define TRIPTYCH_AVX2 __attribute__((target("avx2,bmi,popcnt")))

// Of the symbols of a word, from 1 on; 0 is in front of them, and kPlaces behind.
constexpr uint32_t kPlaces = ShortWord::kMaxSymbols + 1;
constexpr uint32_t kNoRank = MergeTable::kNoRank;
constexpr int kPlaceBits = 6;
constexpr uint32_t kNoKey = kNoRank << kPlaceBits;  // and all above: of a pair that does not merge
static_assert(kPlaces == 1u << kPlaceBits);

// A word that is being merged. A symbol keeps its place; one that was merged into the symbol before
// it is no longer alive.
struct alignas(64) Lane {
  // Of the pair of a symbol and the next that is alive: rank and place in one, so that the
  // smallest tells both.
  uint32_t key[kPlaces];
  uint32_t symbol[kPlaces + 1];
  uint64_t alive;  // a bit for each place
  bool is_long;    // has more than half of all places
  // The two pairs that the last merge made, by the places of their left symbols.
  uint32_t before, at;
  uint64_t pair_before, pair_at;
  const MergeTable::Bucket *bucket_before, *bucket_at;
};

uint32_t KeyOf(uint32_t rank, uint32_t place) { return rank << kPlaceBits | place; }

TRIPTYCH_AVX2 inline __m256i Eight(uint32_t same) {
  return _mm256_set1_epi32(static_cast<int>(same));
}

TRIPTYCH_AVX2 inline __m256i Load(const void* aligned) {
  return _mm256_load_si256(static_cast<const __m256i*>(aligned));
}

// Of four entries a bit for each that is of `pair`.
TRIPTYCH_AVX2 inline uint32_t Equal(const uint64_t* entries, __m128i rank_bits, __m256i pair) {
  const __m256i pairs = _mm256_srl_epi64(Load(entries), rank_bits);
  const __m256i equal = _mm256_cmpeq_epi64(pairs, pair);
  return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(equal)));
}

// The rank of a pair. What follows is written so that no compiler makes a branch of it: whether a
// pair merges is what a processor guesses wrongly.
TRIPTYCH_AVX2 inline uint32_t FindIn(const MergeTable& merges, const MergeTable::Bucket* bucket,
                                     uint64_t pair) {
  const __m256i wanted = _mm256_set1_epi64x(static_cast<int64_t>(pair));
  const __m128i rank_bits = _mm_cvtsi32_si128(merges.rank_bits());
  while (true) {
    const uint64_t* const entries = bucket->entries.data();
    const uint32_t found = Equal(entries, rank_bits, wanted) | Equal(entries + 4, rank_bits, wanted)
                                                                   << 4;
    const uint32_t rank = merges.RankOf(entries[_tzcnt_u32(found | 0x80)]);
    const uint32_t none = -static_cast<uint32_t>(found == 0);
    const bool is_full = entries[7] != MergeTable::kNoEntry;
    if (__builtin_expect((none & static_cast<uint32_t>(is_full)) == 0, 1)) return rank | none;
    bucket = merges.NextBucket(bucket);
  }
}

TRIPTYCH_AVX2 inline __m256i LowestOfHalf(const uint32_t* keys) {
  static_assert(kPlaces == 64);
  return _mm256_min_epu32(_mm256_min_epu32(Load(keys), Load(keys + 8)),
                          _mm256_min_epu32(Load(keys + 16), Load(keys + 24)));
}

TRIPTYCH_AVX2 inline uint32_t Lowest(const Lane& lane) {
  __m256i eight = LowestOfHalf(lane.key);
  if (lane.is_long) eight = _mm256_min_epu32(eight, LowestOfHalf(lane.key + kPlaces / 2));
  const __m128i four =
      _mm_min_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_min_epu32(four, _mm_shuffle_epi32(four, 0b01001110));
  const __m128i one = _mm_min_epu32(two, _mm_shuffle_epi32(two, 0b10110001));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(one));
}

// Where the key of a first pair belongs that is still to be looked up: the number of its lane, and
// below it its place.
using FirstPlace = uint16_t;

// The numbers of the bits that are set in a byte, a byte for each, the first the lowest.
constexpr auto kBitsOf = [] {
  std::array<uint64_t, 256> all{};
  for (uint32_t byte = 0; byte < all.size(); ++byte) {
    for (uint64_t bit = 0, count = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) all[byte] |= bit << 8 * count++;
    }
  }
  return all;
}();

// Copies the symbols, and finds the keys of the pairs of first ids, eight at a time. Writes the
// places of the others, which are left to LookUp, to `out`, and returns their end; up to eight more
// are written.
TRIPTYCH_AVX2 FirstPlace* Start(const MergeTable& merges, const ShortWord& word, size_t number,
                                Lane& lane, FirstPlace* out) {
  const auto size = static_cast<uint32_t>(word.size);
  lane.alive = (~uint64_t{0} >> (kPlaces - 1 - size)) & ~uint64_t{1};
  lane.is_long = size >= kPlaces / 2;
  lane.symbol[kPlaces] = merges.nobody();
  uint64_t pairs = lane.alive & lane.alive >> 1;
  const __m256i none = Eight(kNoRank), zero = _mm256_setzero_si256();
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i one_up = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6);
  const auto* const first_ranks = reinterpret_cast<const int*>(merges.first_ranks());
  __m256i last = Eight(merges.nobody()), places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  uint32_t begin = 0;
  for (; begin <= size; begin += 8, pairs >>= 8) {
    // A place is one above the symbol's number, so these are the right ones of the pairs.
    const __m256i right = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&word.ids[begin]));
    const __m256i rotated = _mm256_permutevar8x32_epi32(right, one_up);
    const __m256i left = _mm256_blend_epi32(rotated, last, 1);
    last = rotated;
    _mm256_store_si256(reinterpret_cast<__m256i*>(lane.symbol + begin), left);

    const __m256i has_pair = _mm256_and_si256(Eight(static_cast<uint32_t>(pairs)), bits);
    const __m256i is_pair = _mm256_cmpeq_epi32(has_pair, bits);
    static_assert(MergeTable::kFirstIds == 1 << 8);
    const __m256i above_first = _mm256_srli_epi32(_mm256_or_si256(left, right), 8);
    const __m256i is_first = _mm256_cmpeq_epi32(above_first, zero);
    const __m256i number_of_pair = _mm256_or_si256(_mm256_slli_epi32(left, 8), right);
    const __m256i rank = _mm256_mask_i32gather_epi32(none, first_ranks, number_of_pair,
                                                     _mm256_and_si256(is_pair, is_first), 4);
    const __m256i key = _mm256_or_si256(_mm256_slli_epi32(rank, kPlaceBits), places);
    places = _mm256_add_epi32(places, Eight(8));
    _mm256_store_si256(reinterpret_cast<__m256i*>(lane.key + begin), key);

    const __m256i is_other = _mm256_andnot_si256(is_first, is_pair);
    const auto others = static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(is_other)));
    const __m128i numbers =
        _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kBitsOf[others])));
    const auto first_place = static_cast<int16_t>(number << kPlaceBits | begin);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi16(numbers, _mm_set1_epi16(first_place)));
    out += _mm_popcnt_u32(others);
  }
  const uint32_t end = lane.is_long ? kPlaces : kPlaces / 2;
  for (; begin < end; begin += 8) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(lane.key + begin), none);
  }
  return out;
}

TRIPTYCH_AVX2 void LookUp(const MergeTable& merges, std::span<const FirstPlace> firsts,
                          Lane* lanes) {
  struct Pair {
    const MergeTable::Bucket* bucket;
    uint64_t pair;
  };
  std::array<Pair, kWordsTogether * kPlaces> pairs;
  for (size_t i = 0; i < firsts.size(); ++i) {
    const uint32_t* const symbols = lanes[firsts[i] >> kPlaceBits].symbol;
    const uint32_t place = firsts[i] % kPlaces;
    const uint64_t pair = merges.PairOf(symbols[place], symbols[place + 1]);
    pairs[i] = {merges.BucketOf(pair), pair};
  }
  // Reads them into the cache, all at once; not by prefetching, which a processor may drop.
  for (const Pair& pair : std::span(pairs).first(firsts.size())) {
    const volatile uint64_t& entry = pair.bucket->entries[0];
    [[maybe_unused]] const uint64_t read = entry;
  }
  for (size_t i = 0; i < firsts.size(); ++i) {
    const uint32_t place = firsts[i] % kPlaces;
    const uint32_t rank = FindIn(merges, pairs[i].bucket, pairs[i].pair);
    lanes[firsts[i] >> kPlaceBits].key[place] = KeyOf(rank, place);
  }
}

// Merges the pair with the lowest key; false where it does not merge.
TRIPTYCH_AVX2 inline bool Merge(const MergeTable& merges, uint32_t lowest, Lane& lane) {
  if (lowest >= kNoKey) return false;
  const uint32_t at = lowest & (kPlaces - 1);
  const uint64_t bit = uint64_t{1} << at;
  const uint64_t in_front = lane.alive & (bit - 1), behind = lane.alive & -(bit << 1);
  const uint64_t rest = behind & (behind - 1);
  const auto before = static_cast<uint32_t>(std::bit_width(in_front | 1) - 1);
  const auto right = static_cast<uint32_t>(_tzcnt_u64(behind));
  const auto after = static_cast<uint32_t>(_tzcnt_u64(rest));  // kPlaces where there is none
  const uint32_t id = merges.IdOf(lowest >> kPlaceBits);
  lane.alive ^= behind ^ rest;
  lane.symbol[at] = id;
  lane.key[before] = lane.key[at] = lane.key[right] = kNoRank;
  lane.before = before;
  lane.at = at;
  lane.pair_before = merges.PairOf(lane.symbol[before], id);
  lane.pair_at = merges.PairOf(id, lane.symbol[after]);
  lane.bucket_before = merges.BucketOf(lane.pair_before, /*is_pair=*/in_front != 0);
  lane.bucket_at = merges.BucketOf(lane.pair_at, /*is_pair=*/rest != 0);
  __builtin_prefetch(lane.bucket_before);
  __builtin_prefetch(lane.bucket_at);
  return true;
}

// Looks up the two pairs that the last merge made, and merges the next; false where none is left.
TRIPTYCH_AVX2 inline bool Step(const MergeTable& merges, Lane& lane) {
  // What the last merge has changed here is not ready to be read as a vector; but it changed it to
  // what merges with none, and the two new pairs come from the side.
  const uint32_t lowest = Lowest(lane);
  const uint32_t rank_before = FindIn(merges, lane.bucket_before, lane.pair_before);
  const uint32_t rank_at = FindIn(merges, lane.bucket_at, lane.pair_at);
  merges.PrefetchIdOf(rank_before);
  merges.PrefetchIdOf(rank_at);
  const uint32_t key_before = KeyOf(rank_before, lane.before);
  const uint32_t key_at = KeyOf(rank_at, lane.at);
  lane.key[lane.before] = key_before;
  lane.key[lane.at] = key_at;
  return Merge(merges, std::min(lowest, std::min(key_before, key_at)), lane);
}

TRIPTYCH_AVX2 void Finish(const Lane& lane, ShortWord& word) {
  word.size = static_cast<size_t>(_mm_popcnt_u64(lane.alive));
  // Mostly these are all, and to copy so many is faster than to look how many there are.
  constexpr size_t kFew = 8;
  uint64_t left = lane.alive;
  for (size_t i = 0; i < kFew; ++i, left &= left - 1) {
    word.ids[i] = lane.symbol[_tzcnt_u64(left)];  // of nobody, where none is left
  }
  for (size_t i = kFew; i < word.size; ++i, left &= left - 1) {
    word.ids[i] = lane.symbol[_tzcnt_u64(left)];
  }
}

TRIPTYCH_AVX2 void MergeTogether(const MergeTable& merges, std::span<ShortWord> words) {
  std::array<Lane, kWordsTogether> lanes;
  std::array<FirstPlace, kWordsTogether * kPlaces> firsts;
  FirstPlace* end = firsts.data();
  for (size_t i = 0; i < words.size(); ++i) end = Start(merges, words[i], i, lanes[i], end);
  LookUp(merges, {firsts.data(), end}, lanes.data());
  std::array<Lane*, kWordsTogether> live;
  size_t count = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    live[count] = &lanes[i];
    count += Merge(merges, Lowest(lanes[i]), lanes[i]);
  }
  while (count > 0) {
    for (size_t i = 0; i < count;) {
      if (Step(merges, *live[i])) {
        ++i;
      } else {
        live[i] = live[--count];
      }
    }
  }
  for (size_t i = 0; i < words.size(); ++i) Finish(lanes[i], words[i]);
}

void MergeAvx2(const MergeTable& merges, MergeMemory& memory, std::span<ShortWord> words) {
  if (!merges.always_grow()) return MergeOneByOne(merges, memory, words);
  for (size_t begin = 0; begin < words.size(); begin += kWordsTogether) {
    MergeTogether(merges, words.subspan(begin, std::min(kWordsTogether, words.size() - begin)));
  }
}

#endif  // defined(__x86_64__)

std::vector<BatchMerger> FindBatchMergers() {
  std::vector<BatchMerger> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("popcnt")) {
    found.push_back({"avx2", MergeAvx2});
  }
#endif
  found.push_back({"scalar", MergeOneByOne});
  return found;
}

}  // namespace

const std::vector<BatchMerger>& BatchMergers() {
  static const std::vector<BatchMerger> mergers = FindBatchMergers();
  return mergers;
}

void MergeWords(const MergeTable& merges, MergeMemory& memory, std::span<ShortWord> words) {
  BatchMergers().front().merge(merges, memory, words);
}

}  // namespace triptych::models
