#include "models/word_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace triptych::models {
namespace {

constexpr size_t kMinSlots = size_t{1} << 15;
constexpr size_t kMaxSlots = size_t{1} << 19;
constexpr size_t kMostWideSlots = size_t{1} << 17;  // for up to 52,000 tokens
constexpr size_t kMediumSlots = size_t{1} << 14;    // one huge page
constexpr size_t kLongSlots = size_t{1} << 16;
constexpr size_t kBlockWords = size_t{1} << 16;  // 256 KiB
constexpr size_t kMaxBlocks = 60;
constexpr size_t kMaxProbes = 16;

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

size_t SlotsFor(size_t seeds) {
  return std::clamp(std::bit_ceil(seeds * 5 / 2), kMinSlots, kMaxSlots);
}

}  // namespace

WordTable::WordTable(size_t seeds)
    : short_(SlotsFor(seeds), /*id_words=*/SlotsFor(seeds) <= kMostWideSlots ? 6 : 2),
      medium_(kMediumSlots, /*id_words=*/12),
      long_slots_(std::make_unique<LongSlot[]>(kLongSlots)) {}

void WordTable::Insert(std::string_view word, size_t readable, const uint32_t* ids, size_t count) {
  if (IsFull()) return;
  const bool is_short = word.size() <= Short::kMaxBytes;
  const bool fits_short = is_short && count > 0 && count <= short_.max_ids();
  if (!fits_short && !InsertMedium(word, readable, ids, count)) InsertLong(word, ids, count);
  if (!is_short) return;
  const Short::Key key = Short::KeyOf(word, readable >= Short::kReadBytes);
  short_.Insert(key, ids, fits_short ? count : Short::kElsewhere, /*is_seed=*/false);
  if (short_.used() > short_.slots() / 4 * 3) is_full_ = true;
}

bool WordTable::InsertMedium(std::string_view word, size_t readable, const uint32_t* ids,
                             size_t count) {
  if (word.size() > Medium::kMaxBytes) return false;
  const Medium::Key key = Medium::KeyOf(word, readable >= Medium::kReadBytes);
  // Those for which there is no room are long ones, so only these say that the table is full.
  const bool is_inserted = count > 0 && count <= medium_.max_ids() &&
                           medium_.used() < medium_.slots() / 4 * 3 &&
                           medium_.Insert(key, ids, count, /*is_seed=*/false);
  if (!is_inserted) has_medium_in_long_ = true;
  return is_inserted;
}

void WordTable::InsertSeed(const Short::Key& key, const uint32_t* ids, size_t count) {
  if (count > short_.max_ids()) return;
  // A table that is full of seeds would be renewed again and again.
  if (short_.used() <= short_.slots() / 2 && short_.Insert(key, ids, count, /*is_seed=*/true)) {
    return;
  }
  has_all_seeds_ = false;
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
  if (word.size() <= Medium::kMaxBytes && !has_medium_in_long_) return {nullptr, 0};
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
  if (word.size() > kMaxLongBytes) return;
  const uint64_t hash = HashOf(word);
  const std::lock_guard lock(long_mutex_);
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
  short_.EachSeed([&](const Short::Key&, const uint32_t*, size_t) { ++seeds; });
  auto renewed = std::make_unique<WordTable>(seeds);
  renewed->has_all_seeds_ = has_all_seeds_;
  short_.EachSeed([&](const Short::Key& key, const uint32_t* ids, size_t count) {
    renewed->InsertSeed(key, ids, count);
  });
  return renewed;
}

size_t WordTable::max_bytes() const {
  return short_.bytes() + medium_.bytes() + kLongSlots * sizeof(LongSlot) +
         kMaxBlocks * kBlockWords * sizeof(uint32_t);
}

}  // namespace triptych::models
