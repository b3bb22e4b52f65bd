// SlotTable: words of a bounded size with a bounded number of tokens, in slots that are all alike.
// What WordTable (word_table.h, which says what it is for) is made of.
//
// The bytes of a word are a few integers, with their number in the last byte. So to compare is to
// compare integers, hashing is as many multiplications, independent of each other, and nothing is
// decided by the size of a word.
//
// Entries are only ever added, never changed or removed, so readers need no lock: the last integer
// of the key is written last, with release, and whoever reads it with acquire sees the rest.
//
// Tested by word_table_test.cc.
#ifndef SIDECAR_MODELS_SLOT_TABLE_H_
#define SIDECAR_MODELS_SLOT_TABLE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/huge_array.h"

namespace triptych::models {

// The most that a slot may have.
inline constexpr size_t kMaxIdWords = 12;

// Thread-safe. For words of less than 8 * kKeyWords bytes.
template <size_t kKeyWords>
class SlotTable {
 public:
  static constexpr size_t kMaxBytes = kKeyWords * 8 - 1;
  static constexpr size_t kReadBytes = kMaxBytes + 1;
  // A word of so many ids is found faster than one of more.
  static constexpr size_t kFewIds = kKeyWords * 2;

  using Key = std::array<uint64_t, kKeyWords>;

  // A slot is the words of a key, of which the last is 0 where it is empty, and those of the ids.
  using Word = std::atomic<uint64_t>;

  // For words with at most 2 * `id_words` ids. REQUIRES: `slots` and kKeyWords + id_words are
  // powers of two, slots > 1, and kKeyWords <= id_words <= kMaxIdWords.
  SlotTable(size_t slots, size_t id_words)
      : slot_words_(kKeyWords + id_words),
        mask_(slots * slot_words_ - slot_words_),
        shift_(64 - std::countr_zero(slots * slot_words_)),
        words_(slots * slot_words_) {}

  [[nodiscard]] size_t max_ids() const { return (slot_words_ - kKeyWords) * 2; }

  // REQUIRES: 0 < word.size() <= kMaxBytes. Where `is_readable`, the kReadBytes bytes from its
  // beginning are, which is faster.
  static Key KeyOf(std::string_view word, bool is_readable) {
    Key key;
    for (size_t i = 0; i < kKeyWords; ++i) {
      if (is_readable) {
        key[i] = Load<uint64_t>(word.data() + 8 * i) & kMasks[i][word.size()];
      } else {
        key[i] = LoadUpTo8(word, 8 * i);
      }
    }
    key.back() |= uint64_t{word.size()} << 56;
    return key;
  }

  // What Find returns for a word that Insert was given with this count: its ids are not here.
  static constexpr size_t kElsewhere = 127;

  // Writes the ids of a word to `out`, which has room for max_ids(), and returns their number: 0
  // where it is not known.
  size_t Find(const Key& key, uint32_t* out) const {
    for (size_t at = PlaceOf(key), probes = 0; probes < kMaxProbes;
         at = PlaceAfter(at, probes), ++probes) {
      const Word* const slot = &words_[at];
      const uint64_t last = slot[kKeyWords - 1].load(std::memory_order_acquire);
      if (last == key.back() && HasRest(slot, key)) return CopyIds(slot + kKeyWords, out);
      if (last == 0) return 0;
    }
    return 0;
  }

  // Find for a caller who expects that some words are not known, which is what a processor guesses
  // wrongly: no branch asks for it, and the slots of a pair are compared at once. REQUIRES: `place`
  // is PlaceOf(key).
  size_t FindAt(size_t place, const Key& key, uint32_t* out) const {
    const Word* const one = &words_[place];
    const Word* const two = &words_[place ^ slot_words_];
    const uint64_t last_of_one = one[kKeyWords - 1].load(std::memory_order_acquire);
    const uint64_t last_of_two = two[kKeyWords - 1].load(std::memory_order_acquire);
    const bool is_one = ((last_of_one ^ key.back()) | RestDifference(one, key)) == 0;
    const bool is_two = ((last_of_two ^ key.back()) | RestDifference(two, key)) == 0;
    const bool is_full = (last_of_one != 0) & (last_of_two != 0);
    if (__builtin_expect(is_full & !is_one & !is_two, 0)) return Find(key, out);
    const size_t count = CopyIds((is_two ? two : one) + kKeyWords, out);
    return count & -static_cast<size_t>(is_one | is_two);
  }

  // Starts to read the slot of `key` into the cache.
  void Prefetch(const Key& key) const { __builtin_prefetch(&words_[PlaceOf(key)]); }

  // The number of the first word of the slot where Find looks first.
  [[nodiscard]] size_t PlaceOf(const Key& key) const {
    uint64_t mixed = 0;
    for (size_t i = 0; i < kKeyWords; ++i) mixed ^= key[i] * kFactors[i];
    return (mixed ^ mixed >> 32) * kFactors[0] >> shift_ & mask_;
  }

  // For who reads ahead: writes where Find reads first for a key with this place, each in another
  // cache line, to `out`, and returns their number.
  static constexpr size_t kMaxPlaces = 2;
  size_t PlacesOf(size_t place, const Word** out) const {
    constexpr size_t kLineWords = 8;
    out[0] = &words_[place];
    if (slot_words_ < kLineWords) return 1;
    out[1] = &words_[place ^ kLineWords];  // of the slot too, or of the other one of its pair
    return 2;
  }

  // Remembers a word; false where there is no room near its place. REQUIRES: 0 < count <=
  // max_ids(), or kElsewhere with no ids; the ids are always the same for the same word, and below
  // 2^24; behind them, so much may be read that there are 2 * kMaxIdWords.
  bool Insert(const Key& key, const uint32_t* ids, size_t count, bool is_seed) {
    std::array<uint64_t, kMaxIdWords> packed{};
    if (count != kElsewhere) std::memcpy(&packed, ids, sizeof packed);  // faster than just `count`
    packed[0] |= uint64_t{count} << kCountShift | (is_seed ? kSeedMark : 0);
    for (size_t at = PlaceOf(key), probes = 0; probes < kMaxProbes;
         at = PlaceAfter(at, probes), ++probes) {
      Word* const slot = &words_[at];
      uint64_t last = 0;
      if (slot[kKeyWords - 1].compare_exchange_strong(last, kBusy, kRelaxed)) {
        for (size_t i = 0; i + 1 < kKeyWords; ++i) slot[i].store(key[i], kRelaxed);
        for (size_t i = kKeyWords; i < slot_words_; ++i) {
          slot[i].store(packed[i - kKeyWords], kRelaxed);
        }
        slot[kKeyWords - 1].store(key.back(), std::memory_order_release);
        used_.fetch_add(1, kRelaxed);
        return true;
      }
      // Another thread may have been faster with the same word; one that is busy is perhaps that.
      if (last == key.back() && HasRest(slot, key)) return true;
    }
    return false;
  }

  // Calls visit(key, ids, count) for each word that was inserted as a seed.
  template <typename Visit>
  void EachSeed(Visit visit) const {
    for (size_t at = 0; at < words_.size(); at += slot_words_) {
      const Word* const slot = &words_[at];
      if (slot[kKeyWords - 1].load(std::memory_order_acquire) <= kBusy) continue;
      if ((slot[kKeyWords].load(kRelaxed) & kSeedMark) == 0) continue;
      Key key;
      for (size_t i = 0; i < kKeyWords; ++i) key[i] = slot[i].load(kRelaxed);
      uint32_t ids[2 * kMaxIdWords] = {};
      const size_t count = CopyIds(slot + kKeyWords, ids);
      visit(key, ids, count);
    }
  }

  [[nodiscard]] size_t used() const { return used_.load(kRelaxed); }
  [[nodiscard]] size_t slots() const { return words_.size() / slot_words_; }
  [[nodiscard]] size_t bytes() const { return words_.size() * sizeof(Word); }

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;
  static constexpr size_t kMaxProbes = 16;
  static constexpr uint64_t kBusy = 1;  // of a slot that is being written: no word ends so
  static constexpr int kCountShift = 24;
  static constexpr uint64_t kSeedMark = uint64_t{1} << 31;
  static constexpr uint64_t kMarks = uint64_t{0xFF} << kCountShift;  // count and seed mark
  static constexpr uint64_t kFactors[] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu,
                                          0xA0761D6478BD642Fu, 0xE7037ED1A0B428DBu};
  static_assert(kKeyWords <= std::size(kFactors) && kMaxIdWords * 2 < kElsewhere);

  // Which bits of each integer of a Key are those of a word, by its size.
  static constexpr auto kMasks = [] {
    std::array<std::array<uint64_t, kMaxBytes + 1>, kKeyWords> masks{};
    for (size_t size = 0; size <= kMaxBytes; ++size) {
      for (size_t i = 0; i < size; ++i) masks[i / 8][size] |= uint64_t{0xFF} << i % 8 * 8;
    }
    return masks;
  }();

  template <typename Integer>
  static uint64_t Load(const char* bytes) {
    Integer value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }

  // The bytes of `word` from `begin` on, at most eight, without reading any other. (To copy them to
  // where more may be read is slower: the processor waits until a copy in small parts is written.)
  static uint64_t LoadUpTo8(std::string_view word, size_t begin) {
    if (begin >= word.size()) return 0;
    const char* const bytes = word.data() + begin;
    const size_t size = word.size() - begin;
    if (size >= 8) return Load<uint64_t>(bytes);
    if (begin > 0) return Load<uint64_t>(bytes + size - 8) >> 8 * (8 - size);
    const auto load = [&]<typename Integer>(Integer, size_t at) {
      return Load<Integer>(bytes + at) << 8 * at;
    };
    // Parts that overlap: or does not mind.
    if (size >= 4) return load(uint32_t{}, 0) | load(uint32_t{}, size - 4);
    return load(uint8_t{}, 0) | load(uint8_t{}, size / 2) | load(uint8_t{}, size - 1);
  }

  // The place to look at when that at `at` is taken, after `probes` others: the other of its pair,
  // which has the same cache line where slots are short, then the next pair.
  [[nodiscard]] size_t PlaceAfter(size_t at, size_t probes) const {
    const size_t other = at ^ slot_words_;
    return probes % 2 == 0 ? other : (other + 2 * slot_words_) & mask_;
  }

  // 0 where all of a slot's key but the last integer is that of `key`.
  static uint64_t RestDifference(const Word* slot, const Key& key) {
    uint64_t difference = 0;
    for (size_t i = 0; i + 1 < kKeyWords; ++i) difference |= slot[i].load(kRelaxed) ^ key[i];
    return difference;
  }

  static bool HasRest(const Word* slot, const Key& key) { return RestDifference(slot, key) == 0; }

  static size_t CopyIds(const Word* ids, uint32_t* out) {
    const uint64_t first = ids[0].load(kRelaxed);
    const size_t count = first >> kCountShift & kElsewhere;
    const auto copy = [&](size_t i, uint64_t two) { std::memcpy(out + 2 * i, &two, sizeof two); };
    copy(0, first & ~kMarks);
    for (size_t i = 1; i < kFewIds / 2; ++i) copy(i, ids[i].load(kRelaxed));
    if (count > kFewIds && count != kElsewhere) {
      for (size_t i = kFewIds / 2; 2 * i < count; ++i) copy(i, ids[i].load(kRelaxed));
    }
    return count;
  }

  size_t slot_words_;
  size_t mask_;  // of the numbers of first words
  int shift_;
  base::HugeArray<Word> words_;
  std::atomic<size_t> used_ = 0;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_SLOT_TABLE_H_
