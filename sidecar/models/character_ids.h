// CharacterIds: the tokens that are one character. In the character form of BPE every word that was
// not seen before asks for each of its characters; here that is two reads, where the vocabulary
// would hash and compare strings.
#ifndef SIDECAR_MODELS_CHARACTER_IDS_H_
#define SIDECAR_MODELS_CHARACTER_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/vocabulary.h"

namespace triptych::models {

// Immutable, so safe to share between threads. Tested by bpe_test.cc.
class CharacterIds {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  CharacterIds() = default;
  explicit CharacterIds(const Vocabulary& vocabulary);

  // The id of the token that is this character alone, or kNone.
  [[nodiscard]] uint32_t Find(char32_t character) const {
    return blocks_[block_of_[character / kBlock]][character % kBlock];
  }

 private:
  static constexpr size_t kBlock = 64, kCharacters = 0x110000;

  using Block = std::array<uint32_t, kBlock>;
  static constexpr Block kNothing = [] {
    Block block{};
    block.fill(kNone);
    return block;
  }();

  std::vector<Block> blocks_{kNothing};  // the first is of all where there is no token
  std::vector<uint16_t> block_of_ = std::vector<uint16_t>(kCharacters / kBlock);
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_CHARACTER_IDS_H_
