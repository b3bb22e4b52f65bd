#include "unicode/lead_bytes.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace triptych::unicode {
namespace {

constexpr uint8_t kFirstLead = 0xC0;

uint64_t FindScalar(const LeadBytes& leads, const char* block) {
  uint64_t found = 0;
  for (size_t at = 0; at < LeadBytes::kBlockBytes; at += 8) {
    uint64_t eight;
    std::memcpy(&eight, block + at, sizeof eight);
    // The highest bit of each byte whose two highest are set.
    for (uint64_t left = eight & eight << 1 & 0x8080808080808080u; left != 0; left &= left - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(left)) / 8;
      const auto lead = static_cast<uint8_t>(static_cast<uint8_t>(block[place]) - kFirstLead);
      found |=
          uint64_t{leads.by_low_nibble()[lead & 15]} >> (lead >> 4) & 1 ? uint64_t{1} << place : 0;
    }
  }
  return found;
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) uint32_t FindInHalf(__m256i table, const char* half) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(half));
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  // Which bit of the table's bytes, by the high nibble; below 0xC0 none.
  const __m256i bit_of_high =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8));
  const __m256i row = _mm256_shuffle_epi8(table, _mm256_and_si256(bytes, nibble));
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  const __m256i hit = _mm256_and_si256(row, _mm256_shuffle_epi8(bit_of_high, high));
  const __m256i none = _mm256_cmpeq_epi8(hit, _mm256_setzero_si256());
  return ~static_cast<uint32_t>(_mm256_movemask_epi8(none));
}

__attribute__((target("avx2"))) uint64_t FindAvx2(const LeadBytes& leads, const char* block) {
  const __m256i table = _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(leads.by_low_nibble())));
  return FindInHalf(table, block) | uint64_t{FindInHalf(table, block + 32)} << 32;
}

#endif  // defined(__x86_64__)

std::vector<LeadBytes::Implementation> FindImplementations() {
  std::vector<LeadBytes::Implementation> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", FindAvx2});
#endif
  found.push_back({"scalar", FindScalar});
  return found;
}

}  // namespace

const std::vector<LeadBytes::Implementation>& LeadBytes::Implementations() {
  static const std::vector<Implementation> implementations = FindImplementations();
  return implementations;
}

void LeadBytes::Add(char32_t character) {
  const char32_t lead = character < 0x800     ? 0xC0 | character >> 6
                        : character < 0x10000 ? 0xE0 | character >> 12
                                              : 0xF0 | character >> 18;
  const auto number = static_cast<uint8_t>(lead - kFirstLead);
  by_low_nibble_[number & 15] |= static_cast<uint8_t>(1 << (number >> 4));
}

}  // namespace triptych::unicode
