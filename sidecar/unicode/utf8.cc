#include "unicode/utf8.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace triptych::unicode {
namespace {

uint8_t ByteAt(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// What stands at a place of a byte string: a character of `size` bytes, a broken piece of `size`
// bytes, or an unfinished character that reaches the end.
struct Piece {
  enum { kValid, kBroken, kUnfinished } state;
  size_t size;
};

// Table 3-7 of the Unicode Standard: only the second byte's range depends on the first byte.
Piece Classify(std::string_view bytes, size_t at) {
  const uint8_t lead = ByteAt(bytes, at);
  if (lead < 0x80) return {Piece::kValid, 1};
  if (lead < 0xC2 || lead > 0xF4) return {Piece::kBroken, 1};
  const size_t size = SizeOfCharacter(bytes[at]);
  uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i) {
    if (at + i == bytes.size()) return {Piece::kUnfinished, i};
    const uint8_t next = ByteAt(bytes, at + i);
    if (next < low || next > high) return {Piece::kBroken, i};
    low = 0x80;
    high = 0xBF;
  }
  return {Piece::kValid, size};
}

bool IsValidScalar(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const Piece piece = Classify(bytes, at);
    if (piece.state != Piece::kValid) return false;
    at += piece.size;
  }
  return true;
}

#if defined(__x86_64__)

// John Keiser and Daniel Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2021).
// Each pair of neighbouring bytes is looked up by the high and low half of the first and the high
// half of the second; every kind of mistake is one bit, and a pair is wrong where all three agree
// on one. What a pair cannot show is that the third and fourth bytes of a character are where they
// must be, and nowhere else: that is one comparison more.
class Avx2Validator {
 public:
  __attribute__((target("avx2"))) void Add(__m256i input) {
    if (_mm256_movemask_epi8(input) == 0) {
      error_ = _mm256_or_si256(error_, incomplete_);
    } else {
      const __m256i pairs = MistakesInPairs(input, Shifted<1>(input));
      const __m256i third = _mm256_subs_epu8(Shifted<2>(input), _mm256_set1_epi8(0xE0 - 0x80));
      const __m256i fourth = _mm256_subs_epu8(Shifted<3>(input), _mm256_set1_epi8(0xF0 - 0x80));
      const __m256i must_continue =
          _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(-128));
      error_ = _mm256_or_si256(error_, _mm256_xor_si256(must_continue, pairs));
    }
    incomplete_ = _mm256_subs_epu8(input, kCompleteEnd());
    previous_ = input;
  }

  // All whole blocks; returns where the rest begins.
  __attribute__((target("avx2"))) size_t AddWhole(std::string_view bytes) {
    size_t at = 0;
    for (; at + 32 <= bytes.size(); at += 32) {
      Add(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes.data() + at)));
    }
    return at;
  }

  [[nodiscard]] __attribute__((target("avx2"))) bool IsValid() const {
    const __m256i all = _mm256_or_si256(error_, incomplete_);
    return _mm256_testz_si256(all, all) != 0;
  }

 private:
  enum Mistake : uint8_t {
    kTooShort = 1 << 0,   // a lead byte with no continuation behind it
    kTooLong = 1 << 1,    // a continuation behind ASCII
    kOverlong3 = 1 << 2,  // E0 80..9F
    kTooLarge = 1 << 3,   // F4 90.. and above
    kSurrogate = 1 << 4,  // ED A0..
    kOverlong2 = 1 << 5,  // C0, C1
    kTooLarge1000 = 1 << 6,
    kOverlong4 = 1 << 6,  // F0 80..8F
    kTwoConts = 1 << 7,
    kCarry = kTooShort | kTooLong | kTwoConts,
  };

  // The bytes N places before those of `input`.
  template <int N>
  [[nodiscard]] __attribute__((target("avx2"))) __m256i Shifted(__m256i input) const {
    return _mm256_alignr_epi8(input, _mm256_permute2x128_si256(previous_, input, 0x21), 16 - N);
  }

  __attribute__((target("avx2"))) static __m256i Table(const uint8_t (&rows)[16]) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows)));
  }

  // 0 where the last three bytes do not begin a character that is not finished.
  __attribute__((target("avx2"))) static __m256i kCompleteEnd() {
    return _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                            -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, static_cast<char>(0xEF),
                            static_cast<char>(0xDF), static_cast<char>(0xBF));
  }

  __attribute__((target("avx2"))) static __m256i MistakesInPairs(__m256i second, __m256i first) {
    static constexpr uint8_t kFirstHigh[16] = {kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTooLong,
                                               kTwoConts,
                                               kTwoConts,
                                               kTwoConts,
                                               kTwoConts,
                                               kTooShort | kOverlong2,
                                               kTooShort,
                                               kTooShort | kOverlong3 | kSurrogate,
                                               kTooShort | kTooLarge | kTooLarge1000 | kOverlong4};
    static constexpr uint8_t kFirstLow[16] = {kCarry | kOverlong3 | kOverlong2 | kOverlong4,
                                              kCarry | kOverlong2,
                                              kCarry,
                                              kCarry,
                                              kCarry | kTooLarge,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000 | kSurrogate,
                                              kCarry | kTooLarge | kTooLarge1000,
                                              kCarry | kTooLarge | kTooLarge1000};
    static constexpr uint8_t kSecondHigh[16] = {
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooLong | kOverlong2 | kTwoConts | kOverlong3 | kTooLarge1000 | kOverlong4,
        kTooLong | kOverlong2 | kTwoConts | kOverlong3 | kTooLarge,
        kTooLong | kOverlong2 | kTwoConts | kSurrogate | kTooLarge,
        kTooLong | kOverlong2 | kTwoConts | kSurrogate | kTooLarge,
        kTooShort,
        kTooShort,
        kTooShort,
        kTooShort};
    const __m256i nibble = _mm256_set1_epi8(0x0F);
    const auto high = [&](__m256i bytes) __attribute__((target("avx2"))) {
      return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
    };
    return _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(Table(kFirstHigh), high(first)),
                         _mm256_shuffle_epi8(Table(kFirstLow), _mm256_and_si256(first, nibble))),
        _mm256_shuffle_epi8(Table(kSecondHigh), high(second)));
  }

  __m256i error_{};
  __m256i incomplete_{};
  __m256i previous_{};
};

__attribute__((target("avx2"))) bool IsValidAvx2(std::string_view bytes) {
  Avx2Validator validator;
  const size_t at = validator.AddWhole(bytes);
  char padded[32] = {};
  if (at < bytes.size()) {
    std::memcpy(padded, bytes.data() + at, bytes.size() - at);
    validator.Add(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(padded)));
  }
  return validator.IsValid();
}

// The last bytes are read where they are: what is just copied is slow to read at once.
__attribute__((target("avx2,avx512bw,avx512vl,bmi2"))) bool IsValidAvx512(std::string_view bytes) {
  Avx2Validator validator;
  const size_t at = validator.AddWhole(bytes);
  const __mmask32 rest = _bzhi_u32(~0u, static_cast<unsigned>(bytes.size() - at));
  validator.Add(_mm256_maskz_loadu_epi8(rest, bytes.data() + at));
  return validator.IsValid();
}

#endif

std::vector<Utf8Check> FindChecks() {
  std::vector<Utf8Check> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("bmi2")) {
    found.push_back({"avx512", IsValidAvx512});
  }
  if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", IsValidAvx2});
#endif
  found.push_back({"scalar", IsValidScalar});
  return found;
}

}  // namespace

const std::vector<Utf8Check>& Utf8Checks() {
  static const std::vector<Utf8Check> found = FindChecks();
  return found;
}

DecodedCodePoint DecodeAt(std::string_view text, size_t position) {
  return DecodeCharacter(text.data() + position);
}

size_t PreviousBoundary(std::string_view text, size_t position) {
  do {
    --position;
  } while (!IsBoundary(text, position));
  return position;
}

bool IsBoundary(std::string_view text, size_t position) {
  return position == text.size() || (ByteAt(text, position) & 0xC0) != 0x80;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      byte(0xE0 | code_point >> 12);
    } else {
      byte(0xF0 | code_point >> 18);
      byte(0x80 | (code_point >> 12 & 0x3F));
    }
    byte(0x80 | (code_point >> 6 & 0x3F));
  }
  byte(0x80 | (code_point & 0x3F));
}

bool IsValidUtf8(std::string_view bytes) {
  static const auto is_valid = Utf8Checks().front().is_valid;
  return is_valid(bytes);
}

std::optional<size_t> FindInvalidUtf8(std::string_view bytes) {
  if (IsValidUtf8(bytes)) return std::nullopt;
  for (size_t at = 0; at < bytes.size();) {
    const Piece piece = Classify(bytes, at);
    if (piece.state != Piece::kValid) return at;
    at += piece.size;
  }
  return std::nullopt;
}

void Utf8Repairer::Append(std::string_view bytes, std::string& out) {
  std::string joined;
  if (!held_.empty()) {
    held_ += bytes;
    joined.swap(held_);
    bytes = joined;
  }
  size_t valid_begin = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Piece piece = Classify(bytes, at);
    if (piece.state != Piece::kValid) {
      out.append(bytes.substr(valid_begin, at - valid_begin));
      valid_begin = at + piece.size;
    }
    if (piece.state == Piece::kUnfinished) {
      held_ = bytes.substr(at);
      return;
    }
    if (piece.state == Piece::kBroken) out.append(kReplacement);
    at += piece.size;
  }
  out.append(bytes.substr(valid_begin));
}

void Utf8Repairer::Flush(std::string& out) {
  if (!held_.empty()) out.append(kReplacement);
  held_.clear();
}

}  // namespace triptych::unicode
