// CharacterSymbols: what a character of two or three bytes may begin as, in the byte form of BPE.
//
// There each byte begins as a symbol of its own, and mostly the first that happens to the bytes of
// a character is that they become one token, or at least two of them do. Where no merge with what
// stands beside the character can come before, a word may as well begin with those tokens. That
// spares 40 % of the merges of words in many languages. sidecar/DESIGN.md, *Merging*, proves it,
// for merges in any order.
#ifndef SIDECAR_MODELS_CHARACTER_SYMBOLS_H_
#define SIDECAR_MODELS_CHARACTER_SYMBOLS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/merge_table.h"

namespace triptych::models {

// Immutable, so safe to share between threads.
//
// Tested by character_symbols_test.cc.
class CharacterSymbols {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // One id, or two. Where the first is kNone, the character begins as its bytes.
  struct Ids {
    uint32_t first = kNone, second = kNone;
  };

  // Of no character.
  CharacterSymbols() = default;

  // What the character may begin as, unless a space is in front of it: most vocabularies have
  // tokens of a space and a character's first byte or two. REQUIRES: character < 0x10000.
  [[nodiscard]] Ids Find(char32_t character) const {
    return blocks_[block_of_[character / kBlock]][character % kBlock];
  }

 private:
  friend class CharacterSymbolsBuilder;

  static constexpr size_t kBlock = 64, kCharacters = 0x10000;

  using Block = std::array<Ids, kBlock>;

  void Set(char32_t character, Ids ids);

  std::vector<Block> blocks_{Block{}};  // the first is of all where there is none
  std::vector<uint16_t> block_of_ = std::vector<uint16_t>(kCharacters / kBlock);
};

// Takes all merges of a vocabulary in the byte-level alphabet, one by one.
class CharacterSymbolsBuilder {
 public:
  // For ids below `id_limit`.
  explicit CharacterSymbolsBuilder(size_t id_limit);

  struct Part {
    std::string_view token;
    uint32_t id;
  };
  void Add(const Part& left, const Part& right, uint32_t rank);

  // The token of each byte, or kNone.
  using ByteIds = std::array<uint32_t, 256>;

  // REQUIRES: `merges` holds all that were added.
  [[nodiscard]] CharacterSymbols Build(const ByteIds& byte_ids, const MergeTable& merges) const;

 private:
  // By id: the lowest rank of a merge that takes the token.
  std::vector<uint32_t> first_use_;
  // By the one or two bytes that a character begins or ends with (a byte for each, the second 0
  // where there is none): the lowest rank of a merge that joins just these to what is beside them.
  std::vector<uint32_t> first_crossing_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_CHARACTER_SYMBOLS_H_
