// ByteSource: reads the input of a fuzz target as a few small numbers and then text.
#ifndef SIDECAR_FUZZ_BYTE_SOURCE_H_
#define SIDECAR_FUZZ_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace triptych::fuzz {

// Every input means something: what is read past the end is 0. The input must outlive this object.
class ByteSource {
 public:
  ByteSource(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  uint8_t TakeByte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  // Two bytes, the higher first.
  uint16_t TakeNumber() {
    const auto high = static_cast<uint16_t>(TakeByte() << 8);
    return static_cast<uint16_t>(high | TakeByte());
  }

  // At most `size` bytes.
  std::string_view TakeText(size_t size) {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }

  // Everything that was not taken.
  std::string_view TakeRest() { return TakeText(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace triptych::fuzz

#endif  // SIDECAR_FUZZ_BYTE_SOURCE_H_
