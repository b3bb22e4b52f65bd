#include "unicode/byte_classes.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace triptych::unicode {
namespace {

BlockMasks ClassifyScalar(const ByteClasses& classes, const char* block, size_t size) {
  BlockMasks masks{};
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(block[i]);
    masks.non_ascii |= uint64_t{byte >= 128} << i;
    masks.continuation |= uint64_t{byte >= 0x80 && byte < 0xC0} << i;
    const uint8_t sets = byte < 128 ? classes.by_byte()[byte] : 0;
    for (size_t n = 0; n < classes.sets(); ++n) {
      masks.of_class[n] |= uint64_t{(sets >> n & 1) != 0} << i;
    }
  }
  return masks;
}

// For what reads whole blocks: a copy of what there is, and zeroes.
class WholeBlock {
 public:
  WholeBlock(const char* block, size_t size) : bytes_(block) {
    if (size == kBlockBytes) return;
    std::memcpy(padded_, block, size);
    std::memset(padded_ + size, 0, kBlockBytes - size);
    bytes_ = padded_;
    valid_ = (uint64_t{1} << size) - 1;
  }

  [[nodiscard]] const char* bytes() const { return bytes_; }
  [[nodiscard]] uint64_t valid() const { return valid_; }

 private:
  char padded_[kBlockBytes];
  const char* bytes_;
  uint64_t valid_ = ~uint64_t{0};
};

#if defined(__x86_64__)

__attribute__((target("avx512f,avx512bw,avx512vbmi,bmi2"))) BlockMasks
ClassifyAvx512(const ByteClasses& classes, const char* block, size_t size) {
  const __mmask64 valid = _bzhi_u64(~uint64_t{0}, static_cast<unsigned>(size));
  const __m512i bytes = _mm512_maskz_loadu_epi8(valid, block);
  const __m512i low = _mm512_load_si512(classes.by_byte());
  const __m512i high = _mm512_load_si512(classes.by_byte() + 64);
  BlockMasks masks;
  masks.non_ascii = _mm512_movepi8_mask(bytes);
  masks.continuation = _mm512_cmplt_epi8_mask(bytes, _mm512_set1_epi8(-64));  // 0xC0
  // The lookup ignores the highest bit of a byte, so bytes above 127 are masked out.
  const __m512i sets = _mm512_maskz_permutex2var_epi8(valid & ~masks.non_ascii, low, bytes, high);
  __m512i bit = _mm512_set1_epi8(1);
  for (size_t n = 0; n < classes.sets(); ++n) {
    masks.of_class[n] = _mm512_test_epi8_mask(sets, bit);
    bit = _mm512_add_epi8(bit, bit);
  }
  return masks;
}

__attribute__((target("avx2"))) uint64_t MaskOfHalves(__m256i low, __m256i high) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
         uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

__attribute__((target("avx2"))) BlockMasks ClassifyAvx2(const ByteClasses& classes,
                                                        const char* block, size_t size) {
  const WholeBlock whole(block, size);
  const __m256i bytes[2] = {
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(whole.bytes())),
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(whole.bytes() + 32)),
  };
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  // 1 << high nibble; 0 for the nibbles of bytes above 127.
  const __m256i bit_of_high =
      _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                       -128, 0, 0, 0, 0, 0, 0, 0, 0);
  __m256i low[2], bit[2];
  for (int half = 0; half < 2; ++half) {
    low[half] = _mm256_and_si256(bytes[half], nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes[half], 4), nibble);
    bit[half] = _mm256_shuffle_epi8(bit_of_high, high);
  }
  BlockMasks masks;
  masks.non_ascii = MaskOfHalves(bytes[0], bytes[1]);
  const __m256i first = _mm256_set1_epi8(-64);  // 0xC0
  masks.continuation =
      MaskOfHalves(_mm256_cmpgt_epi8(first, bytes[0]), _mm256_cmpgt_epi8(first, bytes[1]));
  for (size_t n = 0; n < classes.sets(); ++n) {
    const __m256i table = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(classes.by_low_nibble(n))));
    __m256i in_set[2];
    for (int half = 0; half < 2; ++half) {
      const __m256i row = _mm256_shuffle_epi8(table, low[half]);
      const __m256i hit = _mm256_and_si256(row, bit[half]);
      in_set[half] =
          _mm256_andnot_si256(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()), _mm256_set1_epi8(-1));
    }
    masks.of_class[n] = MaskOfHalves(in_set[0], in_set[1]) & whole.valid();
  }
  return masks;
}

#elif defined(__aarch64__)

// One bit of each of 64 bytes that are 0 or 255, in four registers: NEON has no movemask.
uint64_t MaskOfBytes(const uint8x16_t bytes[4]) {
  const uint8x16_t weight = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t first = vpaddq_u8(vandq_u8(bytes[0], weight), vandq_u8(bytes[1], weight));
  const uint8x16_t second = vpaddq_u8(vandq_u8(bytes[2], weight), vandq_u8(bytes[3], weight));
  const uint8x16_t quarters = vpaddq_u8(first, second);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(quarters, quarters)), 0);
}

BlockMasks ClassifyNeon(const ByteClasses& classes, const char* block, size_t size) {
  const WholeBlock whole(block, size);
  // 1 << high nibble; 0 for the nibbles of bytes above 127.
  const uint8x16_t bit_of_high = {1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0};
  uint8x16_t low[4], bit[4], above[4], behind_first[4];
  for (int i = 0; i < 4; ++i) {
    const uint8x16_t bytes = vld1q_u8(reinterpret_cast<const uint8_t*>(whole.bytes()) + 16 * i);
    low[i] = vandq_u8(bytes, vdupq_n_u8(0x0F));
    bit[i] = vqtbl1q_u8(bit_of_high, vshrq_n_u8(bytes, 4));
    above[i] = vcgeq_u8(bytes, vdupq_n_u8(0x80));
    behind_first[i] = vandq_u8(above[i], vcltq_u8(bytes, vdupq_n_u8(0xC0)));
  }
  BlockMasks masks;
  masks.non_ascii = MaskOfBytes(above);
  masks.continuation = MaskOfBytes(behind_first);
  for (size_t n = 0; n < classes.sets(); ++n) {
    const uint8x16_t table = vld1q_u8(classes.by_low_nibble(n));
    uint8x16_t in_set[4];
    for (int i = 0; i < 4; ++i) in_set[i] = vtstq_u8(vqtbl1q_u8(table, low[i]), bit[i]);
    masks.of_class[n] = MaskOfBytes(in_set) & whole.valid();
  }
  return masks;
}

#endif

std::vector<ByteClasses::Implementation> FindImplementations() {
  std::vector<ByteClasses::Implementation> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
      __builtin_cpu_supports("bmi2")) {
    found.push_back({"avx512", ClassifyAvx512});
  }
  if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", ClassifyAvx2});
#elif defined(__aarch64__)
  found.push_back({"neon", ClassifyNeon});
#endif
  found.push_back({"scalar", ClassifyScalar});
  return found;
}

}  // namespace

void ByteClasses::Add(uint8_t byte, size_t number) {
  by_byte_[byte] |= static_cast<uint8_t>(1 << number);
  by_low_nibble_[number][byte & 15] |= static_cast<uint8_t>(1 << (byte >> 4));
}

const std::vector<ByteClasses::Implementation>& ByteClasses::Implementations() {
  static const std::vector<Implementation> found = FindImplementations();
  return found;
}

}  // namespace triptych::unicode
