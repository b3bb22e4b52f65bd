// LeadBytes: a set of first bytes of characters, found 64 bytes at a time. A pass that cares for
// few characters looks at these only, and at those independently of each other, where to go from
// character to character is a chain: where the next one begins depends on the one before.
#ifndef SIDECAR_UNICODE_LEAD_BYTES_H_
#define SIDECAR_UNICODE_LEAD_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace triptych::unicode {

// Immutable once filled, so safe to share between threads. Tested by lead_bytes_test.cc.
class LeadBytes {
 public:
  static constexpr size_t kBlockBytes = 64;

  // Puts the first byte of `character` into the set. REQUIRES: it is not ASCII.
  void Add(char32_t character);

  // A bit for each of the kBlockBytes bytes at `block` that is in the set; bit 0 is the first byte.
  [[nodiscard]] uint64_t Find(const char* block) const { return find_(*this, block); }

  // A way to do that, for tests: "scalar" or "avx2".
  struct Implementation {
    std::string_view name;
    uint64_t (*find)(const LeadBytes& leads, const char* block);
  };

  // All that this processor can run, the best first.
  [[nodiscard]] static const std::vector<Implementation>& Implementations();

  // [low] has bit `high` set where the byte 0xC0 + (high << 4 | low) is in the set.
  [[nodiscard]] const uint8_t* by_low_nibble() const { return by_low_nibble_.data(); }

 private:
  alignas(16) std::array<uint8_t, 16> by_low_nibble_{};
  uint64_t (*find_)(const LeadBytes&, const char*) = Implementations().front().find;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_LEAD_BYTES_H_
