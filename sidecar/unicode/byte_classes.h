// ByteClasses: which of up to eight sets of ASCII characters each of 64 bytes is in, as bit masks.
//
// Cutting a text into words asks the same few questions of every byte: a letter? a space? Asked of
// 64 bytes at once the answers are 64-bit masks, and what the words are follows from a handful of
// shifts and additions (pre_tokenizers/word_splitter.h). This is the only code here that is written
// for a processor: everything above it works on the masks.
//
// A set of ASCII characters is a table of 128 entries. AVX-512 looks 64 bytes up in it at once;
// AVX2 and NEON use that a byte is in the set exactly where bit (byte >> 4) of a 16-entry table at
// (byte & 15) is set; the scalar form reads the table.
//
// Tested by byte_classes_test.cc, which holds every form that this machine can run against the
// scalar one.
#ifndef SIDECAR_UNICODE_BYTE_CLASSES_H_
#define SIDECAR_UNICODE_BYTE_CLASSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace triptych::unicode {

inline constexpr size_t kBlockBytes = 64;
inline constexpr size_t kByteClasses = 8;

// For each byte of a block one bit in each mask; bit 0 is the first byte.
struct BlockMasks {
  std::array<uint64_t, kByteClasses> of_class;  // of the sets that there are
  uint64_t non_ascii;
  uint64_t continuation;  // of these the bytes that are not the first of a character
};

// Immutable once filled, so safe to share between threads.
class ByteClasses {
 public:
  // With so many sets. REQUIRES: sets <= kByteClasses.
  explicit ByteClasses(size_t sets) : sets_(sets) {}

  // Puts the ASCII character `byte` into the set `number`. REQUIRES: byte < 128, number < sets().
  void Add(uint8_t byte, size_t number);

  // The masks of the `size` bytes at `block`; no bit is set behind them. A byte above 127 is in no
  // set. REQUIRES: size <= kBlockBytes.
  [[nodiscard]] BlockMasks Classify(const char* block, size_t size) const {
    return classify_(*this, block, size);
  }

  // A way to compute the masks, for tests: "scalar", "avx2", "avx512" or "neon".
  struct Implementation {
    std::string_view name;
    BlockMasks (*classify)(const ByteClasses& classes, const char* block, size_t size);
  };

  // All that this processor can run, the best first.
  [[nodiscard]] static const std::vector<Implementation>& Implementations();

  [[nodiscard]] size_t sets() const { return sets_; }
  [[nodiscard]] const uint8_t* by_byte() const { return by_byte_.data(); }
  [[nodiscard]] const uint8_t* by_low_nibble(size_t number) const {
    return by_low_nibble_[number].data();
  }

 private:
  alignas(64) std::array<uint8_t, 128> by_byte_{};  // bit n: in the set n
  // [n][low] has bit `high` set where the byte high << 4 | low is in the set n.
  alignas(64) std::array<std::array<uint8_t, 16>, kByteClasses> by_low_nibble_{};
  size_t sets_;
  BlockMasks (*classify_)(const ByteClasses&, const char*,
                          size_t) = Implementations().front().classify;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_BYTE_CLASSES_H_
