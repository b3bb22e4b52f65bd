// Tested by vocabulary_test.cc.
#include "models/vocabulary.h"

#include <algorithm>
#include <bit>

#include "absl/hash/hash.h"
#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

constexpr uint32_t kEmptySlot = UINT32_MAX;
constexpr size_t kMaxArenaBytes = UINT32_MAX - 1;

// Seeded anew in each process, so that no file can be made whose tokens all fall into one slot.
struct Bytes {
  std::string_view view;

  template <typename State>
  friend State AbslHashValue(State state, const Bytes& bytes) {
    return State::combine_contiguous(std::move(state), bytes.view.data(), bytes.view.size());
  }
};

uint64_t HashOf(std::string_view token) { return absl::Hash<Bytes>()(Bytes{token}); }

// Never that of kEmptySlot.
uint32_t SlotFor(uint32_t id, uint64_t hash) {
  return id << 8 | std::min<uint32_t>(hash >> 56, 0xFE);
}

// A token as a message can show it: a tiktoken file may have any bytes.
std::string Shown(std::string_view token) {
  constexpr size_t kMaxShownBytes = 80;
  unicode::Utf8Repairer repairer;
  std::string shown;
  repairer.Append(token.substr(0, kMaxShownBytes), shown);
  repairer.Flush(shown);
  return shown;
}

}  // namespace

absl::StatusOr<Vocabulary> Vocabulary::Create(
    const std::vector<std::pair<std::string, uint32_t>>& entries) {
  VocabularyBuilder builder;
  builder.Reserve(entries.size());
  for (const auto& [token, id] : entries) {
    if (absl::Status added = builder.Add(token, id); !added.ok()) return added;
  }
  return builder.Build();
}

size_t Vocabulary::SlotOf(std::string_view token, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const uint32_t slot = slots_[at];
    if (slot == kEmptySlot) return at;
    if (slot == SlotFor(slot >> 8, hash) && TokenOf(slot >> 8) == token) return at;
  }
}

std::optional<uint32_t> Vocabulary::IdOf(std::string_view token) const {
  if (slots_.empty()) return std::nullopt;
  const uint32_t slot = slots_[SlotOf(token, HashOf(token))];
  if (slot == kEmptySlot) return std::nullopt;
  return slot >> 8;
}

std::optional<std::string_view> Vocabulary::TokenOf(uint32_t id) const {
  if (id >= spans_.size() || spans_[id].size == Span::kMissing) return std::nullopt;
  return std::string_view(arena_.data() + spans_[id].begin, spans_[id].size);
}

absl::Status VocabularyBuilder::Add(std::string_view token, uint32_t id) {
  if (id > Vocabulary::kMaxId) {
    return absl::InvalidArgumentError(base::StrCat("the id of \"", Shown(token), "\" is ", id,
                                                   ", above the highest allowed, ",
                                                   Vocabulary::kMaxId));
  }
  if (token.size() > kMaxArenaBytes - arena_.size()) {
    return absl::InvalidArgumentError("the tokens have more than 4 GiB");
  }
  entries_.push_back(
      {static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(token.size()), id});
  arena_.insert(arena_.end(), token.begin(), token.end());
  return absl::OkStatus();
}

absl::StatusOr<Vocabulary> VocabularyBuilder::Build() {
  Vocabulary vocabulary;
  vocabulary.arena_ = std::move(arena_);
  vocabulary.arena_.shrink_to_fit();
  uint32_t limit = 0;
  for (const Entry& entry : entries_) limit = std::max(limit, entry.id + 1);
  vocabulary.spans_.resize(limit);
  vocabulary.slots_.assign(std::bit_ceil(entries_.size() * 2 + 1), kEmptySlot);
  // From the last to the first: the last entry of a token is the one that counts.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const std::string_view token(vocabulary.arena_.data() + entry->begin, entry->size);
    const uint64_t hash = HashOf(token);
    uint32_t& slot = vocabulary.slots_[vocabulary.SlotOf(token, hash)];
    if (slot != kEmptySlot) continue;
    if (const auto other = vocabulary.TokenOf(entry->id)) {
      return absl::InvalidArgumentError(base::StrCat("\"", Shown(token), "\" and \"", Shown(*other),
                                                     "\" have the same id, ", entry->id));
    }
    slot = SlotFor(entry->id, hash);
    vocabulary.spans_[entry->id] = {entry->begin, entry->size};
    vocabulary.longest_ = std::max(vocabulary.longest_, token.size());
    ++vocabulary.size_;
  }
  entries_ = {};
  return vocabulary;
}

}  // namespace triptych::models
