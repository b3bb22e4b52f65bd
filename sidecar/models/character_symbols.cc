#include "models/character_symbols.h"

#include <algorithm>
#include <optional>
#include <string>

#include "unicode/byte_level_alphabet.h"

namespace triptych::models {
namespace {

constexpr uint32_t kNone = CharacterSymbols::kNone;
constexpr uint32_t kNoRank = MergeTable::kNoRank;
constexpr std::string_view kSpace = "\xC4\xA0";  // "Ġ", the byte 0x20

// The bytes of UTF-8 behind a character's first: [kTails, kEndOfTails). The first of a character of
// two bytes, of three, of four is in [kLeadsOfTwo, kLeadsOfThree) and so on.
constexpr uint32_t kTails = 0x80, kEndOfTails = 0xC0;
constexpr uint32_t kLeadsOfTwo = 0xC2, kLeadsOfThree = 0xE0, kLeadsOfFour = 0xF0;

bool IsTail(uint32_t byte) { return kTails <= byte && byte < kEndOfTails; }

// The alphabet writes a byte above ASCII as a character of two bytes, of which this is the first.
bool MayBeAboveAscii(char first) {
  const auto byte = static_cast<uint8_t>(first);
  return 0xC2 <= byte && byte <= 0xC5;
}

bool StartsWithTail(std::string_view token) {
  if (token.size() < 2 || !MayBeAboveAscii(token[0])) return false;
  const auto first = unicode::FromByteLevel(token.substr(0, 2));
  return first.has_value() && IsTail(static_cast<uint8_t>((*first)[0]));
}

// One or two bytes that a character may begin or end with.
uint32_t PartOf(uint32_t first, uint32_t second = 0) { return first << 8 | second; }

std::optional<uint32_t> PartOf(std::string_view token) {
  if ((token.size() != 2 && token.size() != 4) || !MayBeAboveAscii(token[0])) return std::nullopt;
  const auto bytes = unicode::FromByteLevel(token);
  if (!bytes.has_value() || bytes->size() != token.size() / 2) return std::nullopt;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>((*bytes)[i]); };
  if (bytes->size() == 1) return PartOf(byte(0));
  return IsTail(byte(1)) ? std::optional(PartOf(byte(0), byte(1))) : std::nullopt;
}

bool IsEnd(uint32_t part) { return IsTail(part >> 8); }

// What the bytes of a character become before it merges with what is beside it. Bytes are told by
// their values.
class CharacterMerger {
 public:
  // `first_use` and `first_crossing` are the builder's.
  CharacterMerger(const CharacterSymbolsBuilder::ByteIds& byte_ids, const MergeTable& merges,
                  const std::vector<uint32_t>& first_use,
                  const std::vector<uint32_t>& first_crossing)
      : byte_ids_(byte_ids),
        merges_(merges),
        first_use_(first_use),
        first_crossing_(first_crossing) {}

  [[nodiscard]] uint32_t RankOf(uint32_t left, uint32_t right) const {
    const uint32_t left_id = byte_ids_[left], right_id = byte_ids_[right];
    return left_id == kNone || right_id == kNone ? kNoRank : merges_.Find(left_id, right_id);
  }

  [[nodiscard]] CharacterSymbols::Ids OfTwo(uint32_t a, uint32_t b) const {
    const uint32_t limit = std::min(Crossing(a), Crossing(b)), rank = RankOf(a, b);
    return rank < limit ? Whole(merges_.IdOf(rank), rank) : CharacterSymbols::Ids{};
  }

  // With the ranks of a and b, and of b and c.
  [[nodiscard]] CharacterSymbols::Ids OfThree(uint32_t a, uint32_t b, uint32_t c, uint32_t rank_ab,
                                              uint32_t rank_bc) const {
    const uint32_t first = std::min(rank_ab, rank_bc);
    const uint32_t limit = std::min({Crossing(a), Crossing(a, b), Crossing(b, c), Crossing(c)});
    if (first >= limit || byte_ids_[a] == kNone || byte_ids_[c] == kNone) return {};
    const uint32_t two = merges_.IdOf(first);
    const uint32_t left = first == rank_ab ? two : byte_ids_[a];
    const uint32_t right = first == rank_ab ? byte_ids_[c] : two;
    const uint32_t second = merges_.Find(left, right);
    if (second >= limit) return {left, right};
    return Whole(merges_.IdOf(second), std::max(first, second));
  }

 private:
  [[nodiscard]] uint32_t Crossing(uint32_t first, uint32_t second = 0) const {
    return first_crossing_[PartOf(first, second)];
  }

  // A merge that takes the character as a whole must not be due before those that make it.
  [[nodiscard]] CharacterSymbols::Ids Whole(uint32_t id, uint32_t highest_rank) const {
    return first_use_[id] > highest_rank ? CharacterSymbols::Ids{id} : CharacterSymbols::Ids{};
  }

  const CharacterSymbolsBuilder::ByteIds& byte_ids_;
  const MergeTable& merges_;
  const std::vector<uint32_t>& first_use_;
  const std::vector<uint32_t>& first_crossing_;
};

}  // namespace

void CharacterSymbols::Set(char32_t character, Ids ids) {
  if (ids.first == kNone) return;
  uint16_t& block = block_of_[character / kBlock];
  if (block == 0) {
    block = static_cast<uint16_t>(blocks_.size());
    blocks_.emplace_back();
  }
  blocks_[block][character % kBlock] = ids;
}

CharacterSymbolsBuilder::CharacterSymbolsBuilder(size_t id_limit)
    : first_use_(id_limit, kNoRank), first_crossing_(PartOf(0xFF, 0xFF) + 1, kNoRank) {}

void CharacterSymbolsBuilder::Add(const Part& left, const Part& right, uint32_t rank) {
  const auto lower = [rank](uint32_t& lowest) { lowest = std::min(lowest, rank); };
  lower(first_use_[left.id]);
  lower(first_use_[right.id]);
  const auto end = PartOf(left.token), begin = PartOf(right.token);
  if (end.has_value() && IsEnd(*end) && !StartsWithTail(right.token)) {
    lower(first_crossing_[*end]);
  }
  if (begin.has_value() && !IsEnd(*begin) && !left.token.ends_with(kSpace)) {
    lower(first_crossing_[*begin]);
  }
}

CharacterSymbols CharacterSymbolsBuilder::Build(const ByteIds& byte_ids,
                                                const MergeTable& merges) const {
  const CharacterMerger merger(byte_ids, merges, first_use_, first_crossing_);
  CharacterSymbols built;
  for (uint32_t a = kLeadsOfTwo; a < kLeadsOfThree; ++a) {
    for (uint32_t b = kTails; b < kEndOfTails; ++b) {
      built.Set((a & 0x1F) << 6 | (b & 0x3F), merger.OfTwo(a, b));
    }
  }
  std::vector<uint32_t> tail_ranks;
  for (uint32_t b = kTails; b < kEndOfTails; ++b) {
    for (uint32_t c = kTails; c < kEndOfTails; ++c) tail_ranks.push_back(merger.RankOf(b, c));
  }
  for (uint32_t a = kLeadsOfThree; a < kLeadsOfFour; ++a) {
    // Behind 0xE0 a lower one would write a character of two bytes.
    for (uint32_t b = a == kLeadsOfThree ? 0xA0 : kTails; b < kEndOfTails; ++b) {
      const uint32_t rank_ab = merger.RankOf(a, b);
      const uint32_t* const ranks_bc = &tail_ranks[(b - kTails) * (kEndOfTails - kTails)];
      for (uint32_t c = kTails; c < kEndOfTails; ++c) {
        built.Set((a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F),
                  merger.OfThree(a, b, c, rank_ab, ranks_bc[c - kTails]));
      }
    }
  }
  return built;
}

}  // namespace triptych::models
