#include "models/word_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

namespace triptych::models {
namespace {

constexpr size_t kMinSlots = size_t{1} << 15;
constexpr size_t kMaxSlots = size_t{1} << 19;
constexpr size_t kLongSlots = size_t{1} << 16;
constexpr size_t kBlockWords = size_t{1} << 16;  // 256 KiB
constexpr size_t kMaxBlocks = 60;

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

WordTable::WordTable(size_t seeds) {
  const size_t slots = std::clamp(std::bit_ceil(seeds * 5 / 2), kMinSlots, kMaxSlots);
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  const size_t bytes = slots * sizeof(Slot);
  // Words lie all over the table: with small pages nearly every lookup would miss the TLB too.
  void* memory = ::operator new(bytes, kAlignment);
  madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  slots_.reset(static_cast<Slot*>(memory));
  long_slots_ = std::make_unique<LongSlot[]>(kLongSlots);
}

WordTable::Key WordTable::KeyOf(std::string_view word) {
  char padded[16] = {};
  std::memcpy(padded, word.data(), word.size());
  return KeyOf(padded, word.size());
}

void WordTable::Insert(Key key, const uint32_t* ids, size_t count, bool is_seed) {
  // Seeds leave half of it to the words of the text: a table that is full of them would be renewed
  // again and again.
  if (IsFull() || (is_seed && used_.load(std::memory_order_relaxed) > mask_ / 2)) return;
  uint64_t packed[2] = {0, 0};
  std::memcpy(packed, ids, count * sizeof *ids);
  packed[0] |= uint64_t{count} << kCountShift | (is_seed ? kSeedMark : 0);
  for (size_t at = PlaceOf(key), probes = 0; probes < kMaxProbes; at = (at + 1) & mask_, ++probes) {
    Slot& slot = slots_[at];
    uint64_t high = 0;
    if (slot.high.compare_exchange_strong(high, kBusy, std::memory_order_relaxed)) {
      slot.low.store(key.low, std::memory_order_relaxed);
      slot.ids[0].store(packed[0], std::memory_order_relaxed);
      slot.ids[1].store(packed[1], std::memory_order_relaxed);
      slot.high.store(key.high, std::memory_order_release);
      if (used_.fetch_add(1, std::memory_order_relaxed) + 1 > mask_ / 4 * 3) is_full_ = true;
      return;
    }
    // Another thread may have been faster with the same word; one that is busy is perhaps that.
    if (high == key.high && slot.low.load(std::memory_order_relaxed) == key.low) return;
  }
}

uint64_t WordTable::HashOf(std::string_view word) {
  uint64_t hash = word.size() * 0x9E3779B97F4A7C15u;
  const char* at = word.data();
  size_t left = word.size();
  const auto mix = [&](const char* bytes) {
    uint64_t parts[2];
    std::memcpy(parts, bytes, 16);
    hash = Mix(hash ^ parts[0] ^ 0xA0761D6478BD642Fu, parts[1] ^ 0xE7037ED1A0B428DBu);
  };
  for (; left >= 16; at += 16, left -= 16) mix(at);
  if (left > 0) {
    char padded[16] = {};
    std::memcpy(padded, at, left);
    mix(padded);
  }
  return Mix(hash, 0x8EBC6AF09C88C6E3u);
}

WordTable::Ids WordTable::FindLong(std::string_view word) const {
  if (word.size() > kMaxLongBytes) return {nullptr, 0};
  const uint64_t hash = HashOf(word);
  for (size_t at = hash % kLongSlots, probes = 0; probes < kMaxProbes;
       at = (at + 1) % kLongSlots, ++probes) {
    const LongSlot& slot = long_slots_[at];
    const uint32_t* entry = slot.entry.load(std::memory_order_acquire);
    if (entry == nullptr) break;
    if (slot.hash.load(std::memory_order_relaxed) != hash || entry[0] != word.size()) continue;
    const size_t count = entry[1];
    if (std::memcmp(entry + 2 + count, word.data(), word.size()) == 0) return {entry + 2, count};
  }
  return {nullptr, 0};
}

void WordTable::InsertLong(std::string_view word, const uint32_t* ids, size_t count) {
  if (word.size() > kMaxLongBytes || IsFull()) return;
  const uint64_t hash = HashOf(word);
  const absl::MutexLock lock(&long_mutex_);
  for (size_t at = hash % kLongSlots, probes = 0; probes < kMaxProbes;
       at = (at + 1) % kLongSlots, ++probes) {
    LongSlot& slot = long_slots_[at];
    if (slot.entry.load(std::memory_order_relaxed) != nullptr) {
      if (slot.hash.load(std::memory_order_relaxed) == hash) return;
      continue;
    }
    uint32_t* entry = Allocate(2 + count + (word.size() + 3) / 4);
    if (entry == nullptr) return;
    entry[0] = static_cast<uint32_t>(word.size());
    entry[1] = static_cast<uint32_t>(count);
    std::copy_n(ids, count, entry + 2);
    std::memcpy(entry + 2 + count, word.data(), word.size());
    slot.hash.store(hash, std::memory_order_relaxed);
    slot.entry.store(entry, std::memory_order_release);
    if (++long_used_ > kLongSlots / 4 * 3) is_full_ = true;
    return;
  }
}

uint32_t* WordTable::Allocate(size_t words) {
  if (blocks_.empty() || block_used_ + words > kBlockWords) {
    if (blocks_.size() == kMaxBlocks) {
      is_full_ = true;
      return nullptr;
    }
    blocks_.push_back(std::make_unique_for_overwrite<uint32_t[]>(kBlockWords));
    block_used_ = 0;
  }
  uint32_t* allocated = blocks_.back().get() + block_used_;
  block_used_ += words;
  return allocated;
}

std::unique_ptr<WordTable> WordTable::Renewed() const {
  size_t seeds = 0;
  const auto each_seed = [this](auto visit) {
    for (size_t at = 0; at <= mask_; ++at) {
      const Slot& slot = slots_[at];
      const uint64_t high = slot.high.load(std::memory_order_acquire);
      const uint64_t first = slot.ids[0].load(std::memory_order_relaxed);
      if (high > kBusy && (first & kSeedMark) != 0) visit(slot, high, first);
    }
  };
  each_seed([&](const Slot&, uint64_t, uint64_t) { ++seeds; });
  auto renewed = std::make_unique<WordTable>(seeds);
  each_seed([&](const Slot& slot, uint64_t high, uint64_t first) {
    uint32_t ids[kMaxShortIds];
    const uint64_t packed[2] = {first & ~kMarks, slot.ids[1].load(std::memory_order_relaxed)};
    std::memcpy(ids, packed, sizeof ids);
    renewed->Insert({slot.low.load(std::memory_order_relaxed), high}, ids, first >> kCountShift & 7,
                    /*is_seed=*/true);
  });
  return renewed;
}

size_t WordTable::max_bytes() const {
  return (mask_ + 1) * sizeof(Slot) + kLongSlots * sizeof(LongSlot) +
         kMaxBlocks * kBlockWords * sizeof(uint32_t);
}

}  // namespace triptych::models
