// CodePointMap: a byte of flags for each code point, found by two array reads.
#ifndef SIDECAR_UNICODE_CODE_POINT_MAP_H_
#define SIDECAR_UNICODE_CODE_POINT_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "unicode/unicode_tables.h"

namespace triptych::unicode {

// Built while a file is loaded: time and memory are those of the blocks of 128 code points that
// have flags. Safe to share between threads once it is built.
class CodePointMap {
 public:
  CodePointMap() : flags_(kBlock, 0) {}

  // The flags of a code point; 0 where none were added.
  [[nodiscard]] uint8_t operator[](char32_t code_point) const {
    return flags_[block_of_[code_point / kBlock] * kBlock + code_point % kBlock];
  }

  // Calls visit(code_point) for each code point that has one of `flags`.
  template <typename Visit>
  void EachWith(uint8_t flags, Visit visit) const {
    for (size_t number = 0; number < block_of_.size(); ++number) {
      if (block_of_[number] == 0) continue;
      for (size_t i = 0; i < kBlock; ++i) {
        const auto code_point = static_cast<char32_t>(number * kBlock + i);
        if (((*this)[code_point] & flags) != 0) visit(code_point);
      }
    }
  }

  // Adds `flags` to those of `code_point`. REQUIRES: a Unicode code point.
  void Add(char32_t code_point, uint8_t flags) {
    uint16_t& block = block_of_[code_point / kBlock];
    if (block == 0) {
      block = static_cast<uint16_t>(flags_.size() / kBlock);
      flags_.resize(flags_.size() + kBlock, 0);
    }
    flags_[block * kBlock + code_point % kBlock] |= flags;
  }

  // Adds `flags` to those of all code points of a table, or from `first` to `last`.
  void Add(char32_t first, char32_t last, uint8_t flags) {
    for (char32_t c = first; c <= last; ++c) Add(c, flags);
  }
  void Add(const CodePointRange* table, size_t size, uint8_t flags) {
    for (size_t i = 0; i < size; ++i) Add(table[i].first, table[i].last, flags);
  }

 private:
  static constexpr size_t kBlock = 128;

  std::array<uint16_t, 0x110000 / kBlock> block_of_{};
  std::vector<uint8_t> flags_;  // the first block is that of the code points without flags
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_CODE_POINT_MAP_H_
