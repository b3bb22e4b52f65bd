// WordTable: remembers the tokens of words. Text repeats its words, and to find one here takes a
// few nanoseconds where merging takes hundreds.
//
// Three kinds of words, each in a table of its own. A short one, at most 15 bytes with at most 4
// tokens, which is nearly every word, is one slot of 32 bytes, so a hit touches one cache line. A
// small vocabulary knows fewer words by few tokens, and has a smaller table anyway: there, a slot
// is a cache line, with at most 12. A word of at most 31 bytes with at most 24 tokens is a slot of
// two cache lines. Any other is found by a 64-bit hash that leads to an entry with its bytes and
// ids.
//
// Entries are only ever added (slot_table.h). That is also what bounds the table: where it is full
// it takes no more, IsFull() says so, and the owner goes on with a Renewed() one, which keeps what
// was seeded. (A server's text changes; a table that only stops growing would serve the first
// hour's words for ever.)
//
// Tested by word_table_test.cc.
#ifndef SIDECAR_MODELS_WORD_TABLE_H_
#define SIDECAR_MODELS_WORD_TABLE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "models/slot_table.h"

namespace triptych::models {

// Thread-safe.
class WordTable {
 public:
  using Short = SlotTable<2>;
  using Medium = SlotTable<4>;
  // The most that is written where one word is looked up.
  static constexpr size_t kMaxIds = 2 * kMaxIdWords;
  static constexpr size_t kMaxLongBytes = 512;
  static constexpr size_t kMaxId = (1u << 24) - 1;

  // A table for `seeds` short words and several times as many others, of at most 16 MiB for short,
  // 2 MiB for medium and 16 MiB for long words.
  explicit WordTable(size_t seeds);

  // Writes the ids of a word of at most Short::kMaxBytes bytes to `out`, which has room for
  // kMaxIds, and returns their number; 0 where the word is not known, Short::kElsewhere
  // where FindMedium or FindLong knows it. `readable` is the number of bytes from its beginning
  // that may be read.
  size_t FindShort(std::string_view word, size_t readable, uint32_t* out) const {
    return short_.Find(Short::KeyOf(word, readable >= Short::kReadBytes), out);
  }

  // The same for any other word of at most Medium::kMaxBytes; 0 where FindLong may know it.
  size_t FindMedium(std::string_view word, size_t readable, uint32_t* out) const {
    return medium_.Find(Medium::KeyOf(word, readable >= Medium::kReadBytes), out);
  }

  // The ids of a word that neither knows; null where it is not known. They live as long as the
  // table.
  struct Ids {
    const uint32_t* begin;
    size_t count;
  };
  [[nodiscard]] Ids FindLong(std::string_view word) const;

  // For a caller with several words, of which some are not known: FindShort in steps. Between them
  // the places may be read, so that no lookup waits for memory.
  struct ShortQuery {
    Short::Key key;
    size_t place;
  };
  ShortQuery QueryOf(std::string_view word, size_t readable) const {
    const Short::Key key = Short::KeyOf(word, readable >= Short::kReadBytes);
    return {key, short_.PlaceOf(key)};
  }
  size_t FindShort(const ShortQuery& query, uint32_t* out) const {
    return short_.FindAt(query.place, query.key, out);
  }
  // Where FindShort or FindMedium read first, as of SlotTable::PlacesOf.
  using Place = const Short::Word*;
  static constexpr size_t kMaxPlaces = std::max(Short::kMaxPlaces, Medium::kMaxPlaces);
  size_t PlacesOf(const ShortQuery& query, Place* out) const {
    return short_.PlacesOf(query.place, out);
  }
  size_t MediumPlacesOf(std::string_view word, size_t readable, Place* out) const {
    if (word.size() > Medium::kMaxBytes) return 0;
    const Medium::Key key = Medium::KeyOf(word, readable >= Medium::kReadBytes);
    return medium_.PlacesOf(medium_.PlaceOf(key), out);
  }

  // Remembers a word, unless it has more than kMaxLongBytes or the table is full; `readable` is as
  // above. REQUIRES: its ids are always the same, and at most kMaxId; behind them, so much may be
  // read that there are kMaxIds.
  void Insert(std::string_view word, size_t readable, const uint32_t* ids, size_t count);

  // The same for a word that a Renewed table has from its beginning, and before any other; one that
  // would take a place in the second half of the table, or has too many ids for it, is left out.
  void InsertSeed(const Short::Key& key, const uint32_t* ids, size_t count);

  // Starts to read what InsertSeed will need.
  void Prefetch(const Short::Key& key) const { short_.Prefetch(key); }

  // Whether every seed was taken: a short word that is not known is none.
  [[nodiscard]] bool has_all_seeds() const { return has_all_seeds_; }

  [[nodiscard]] bool IsFull() const { return is_full_.load(std::memory_order_relaxed); }

  // A new table with the seeds of this one.
  [[nodiscard]] std::unique_ptr<WordTable> Renewed() const;

  // All memory that it may ever take.
  [[nodiscard]] size_t max_bytes() const;

 private:
  struct LongSlot {
    std::atomic<uint64_t> hash;
    std::atomic<const uint32_t*> entry;  // null: empty; else size in bytes, count, ids, bytes
  };

  // False where it has no place there.
  bool InsertMedium(std::string_view word, size_t readable, const uint32_t* ids, size_t count);
  void InsertLong(std::string_view word, const uint32_t* ids, size_t count);
  static uint64_t HashOf(std::string_view word);
  // REQUIRES: long_mutex_ is held.
  uint32_t* Allocate(size_t words);

  Short short_;
  Medium medium_;
  bool has_all_seeds_ = true;
  std::atomic<bool> is_full_ = false;
  std::atomic<bool> has_medium_in_long_ = false;

  std::unique_ptr<LongSlot[]> long_slots_;
  // Not absl's, which Debian builds with a search for deadlocks.
  std::mutex long_mutex_;  // guards all below
  size_t long_used_ = 0;
  std::vector<std::unique_ptr<uint32_t[]>> blocks_;
  size_t block_used_ = 0;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_WORD_TABLE_H_
