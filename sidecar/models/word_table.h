// WordTable: remembers the tokens of words. Text repeats its words, and to find one here takes a
// few nanoseconds where merging takes hundreds.
//
// A word of at most 15 bytes with at most 4 tokens, which is nearly every word, is one slot of 32
// bytes: the bytes themselves with their number in the last, then the ids. So to compare is to
// compare two integers, and a hit touches one cache line. A longer word is found by a 64-bit hash
// that leads to an entry with its bytes and ids.
//
// Entries are only ever added, never changed or removed, so readers need no lock: the word that
// publishes an entry is written last. That is also what bounds the table: where it is full it takes
// no more, IsFull() says so, and the owner goes on with a Renewed() one, which keeps what was
// seeded. (A server's text changes; a table that only stops growing would serve the first hour's
// words for ever.)
//
// Tested by word_table_test.cc.
#ifndef SIDECAR_MODELS_WORD_TABLE_H_
#define SIDECAR_MODELS_WORD_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace triptych::models {

// Thread-safe.
class WordTable {
 public:
  static constexpr size_t kMaxShortBytes = 15;
  static constexpr size_t kMaxShortIds = 4;
  static constexpr size_t kMaxLongBytes = 512;
  static constexpr uint32_t kMaxId = (1u << 24) - 1;  // the ids' high bits hold their number

  // A table for `seeds` short words and several times as many others, of at most 16 MiB for short
  // and 16 MiB for long words.
  explicit WordTable(size_t seeds);

  // The bytes of a short word as two integers. Computed once, used by every function below.
  struct Key {
    uint64_t low, high;
  };

  // REQUIRES: 0 < size <= kMaxShortBytes. Reads 16 bytes: those behind the word must be readable.
  static Key KeyOf(const char* word, size_t size) {
    Key key;
    std::memcpy(&key.low, word, 8);
    std::memcpy(&key.high, word + 8, 8);
    key.low &= kLowMask[size];
    key.high = (key.high & kHighMask[size]) | uint64_t{size} << 56;
    return key;
  }
  // The same, reading nothing behind the word.
  static Key KeyOf(std::string_view word);

  // Writes kMaxShortIds ids to `out` and returns how many of them are the word's; 0 where it is not
  // known. A word without tokens is never known.
  size_t Find(Key key, uint32_t* out) const {
    for (size_t at = PlaceOf(key), probes = 0; probes < kMaxProbes;
         at = (at + 1) & mask_, ++probes) {
      const Slot& slot = slots_[at];
      const uint64_t high = slot.high.load(std::memory_order_acquire);
      if (high == key.high && slot.low.load(std::memory_order_relaxed) == key.low) {
        const uint64_t ids[2] = {slot.ids[0].load(std::memory_order_relaxed),
                                 slot.ids[1].load(std::memory_order_relaxed)};
        const uint64_t first = ids[0] & ~kMarks;
        std::memcpy(out, &first, 8);
        std::memcpy(out + 2, &ids[1], 8);
        return ids[0] >> kCountShift & 7;
      }
      if (high == 0) return 0;
    }
    return 0;
  }

  // Starts to read the slot of `key` into the cache.
  void Prefetch(Key key) const { __builtin_prefetch(&slots_[PlaceOf(key)]); }

  // Remembers a short word, unless the table is full, or half full and the word a seed. REQUIRES: 0
  // < count <= kMaxShortIds; the ids are always the same for the same word.
  void Insert(Key key, const uint32_t* ids, size_t count, bool is_seed = false);

  // The ids of a long word; null where it is not known. They live as long as the table.
  struct Ids {
    const uint32_t* begin;
    size_t count;
  };
  [[nodiscard]] Ids FindLong(std::string_view word) const;

  // Remembers a long word, unless it has more than kMaxLongBytes or the table is full.
  void InsertLong(std::string_view word, const uint32_t* ids, size_t count);

  [[nodiscard]] bool IsFull() const { return is_full_.load(std::memory_order_relaxed); }

  // A new table with the seeds of this one.
  [[nodiscard]] std::unique_ptr<WordTable> Renewed() const;

  // All memory that it may ever take.
  [[nodiscard]] size_t max_bytes() const;

 private:
  static constexpr size_t kMaxProbes = 16;
  static constexpr uint64_t kBusy = 1;  // `high` while a slot is being written: no word has it
  static constexpr int kCountShift = 24;
  static constexpr uint64_t kSeedMark = uint64_t{1} << 31;
  static constexpr uint64_t kMarks = uint64_t{0xFF} << kCountShift;  // count and seed mark

  struct alignas(32) Slot {
    std::atomic<uint64_t> low;
    std::atomic<uint64_t> high;  // 0: empty
    std::atomic<uint64_t> ids[2];
  };
  struct LongSlot {
    std::atomic<uint64_t> hash;
    std::atomic<const uint32_t*> entry;  // null: empty; else size in bytes, count, ids, bytes
  };
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, kAlignment); }
  };
  static constexpr std::align_val_t kAlignment{size_t{2} << 20};  // a huge page

  // By the size of a word: which bits of a Key its bytes are.
  static constexpr auto kLowMask = [] {
    std::array<uint64_t, kMaxShortBytes + 1> masks{};
    for (size_t n = 0; n < masks.size(); ++n) masks[n] = n >= 8 ? ~0ull : (1ull << 8 * n) - 1;
    return masks;
  }();
  static constexpr auto kHighMask = [] {
    std::array<uint64_t, kMaxShortBytes + 1> masks{};
    for (size_t n = 8; n < masks.size(); ++n) masks[n] = (1ull << 8 * (n - 8)) - 1;
    return masks;
  }();

  [[nodiscard]] size_t PlaceOf(Key key) const {
    const uint64_t mixed = key.low * 0x9E3779B97F4A7C15u ^ key.high * 0xC2B2AE3D27D4EB4Fu;
    return (mixed ^ mixed >> 32) * 0x9E3779B97F4A7C15u >> shift_;
  }
  static uint64_t HashOf(std::string_view word);
  uint32_t* Allocate(size_t words) ABSL_EXCLUSIVE_LOCKS_REQUIRED(long_mutex_);

  size_t mask_;
  int shift_;
  std::unique_ptr<Slot[], Free> slots_;
  std::atomic<size_t> used_ = 0;
  std::atomic<bool> is_full_ = false;

  std::unique_ptr<LongSlot[]> long_slots_;
  absl::Mutex long_mutex_;
  size_t long_used_ ABSL_GUARDED_BY(long_mutex_) = 0;
  std::vector<std::unique_ptr<uint32_t[]>> blocks_ ABSL_GUARDED_BY(long_mutex_);
  size_t block_used_ ABSL_GUARDED_BY(long_mutex_) = 0;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_WORD_TABLE_H_
