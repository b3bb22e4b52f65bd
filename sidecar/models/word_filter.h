// WordFilter: says of nearly every word that it is none of some thousands, by one read.
#ifndef SIDECAR_MODELS_WORD_FILTER_H_
#define SIDECAR_MODELS_WORD_FILTER_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace triptych::models {

// Not thread-safe while words are added.
class WordFilter {
 public:
  // REQUIRES for all: a word has at least eight bytes.
  void Add(std::string_view word) { bits_.set(BitOf(word)); }

  // Whether the word may have been added: true of all that were and of a few others.
  [[nodiscard]] bool MayHold(std::string_view word) const { return bits_.test(BitOf(word)); }

 private:
  static constexpr int kBits = 16;

  static size_t BitOf(std::string_view word) {
    uint64_t first, last;
    std::memcpy(&first, word.data(), sizeof first);
    std::memcpy(&last, word.data() + word.size() - sizeof last, sizeof last);
    const uint64_t mixed = first * 0x9E3779B97F4A7C15u ^ (last + word.size()) * 0xC2B2AE3D27D4EB4Fu;
    return (mixed ^ mixed >> 32) * 0x9E3779B97F4A7C15u >> (64 - kBits);
  }

  std::bitset<size_t{1} << kBits> bits_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_WORD_FILTER_H_
