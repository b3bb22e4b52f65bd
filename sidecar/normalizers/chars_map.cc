#include "normalizers/chars_map.h"

#include <utility>

#include "absl/status/status.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {
namespace {

// What a unit of the double array says of its node.
bool HasValue(uint32_t unit) { return ((unit >> 8) & 1) != 0; }
uint32_t ValueOf(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t LabelOf(uint32_t unit) { return unit & 0x800000FF; }
uint32_t OffsetOf(uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

uint32_t ReadUnit(std::string_view bytes, size_t place) {
  uint32_t unit = 0;
  for (size_t i = 0; i < sizeof unit; ++i) {
    unit |= uint32_t{static_cast<uint8_t>(bytes[place + i])} << (8 * i);
  }
  return unit;
}

}  // namespace

absl::StatusOr<CharsMap> CharsMap::Create(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t)) return absl::InvalidArgumentError("no size of a trie");
  const size_t units = ReadUnit(bytes, 0) / sizeof(uint32_t);
  bytes.remove_prefix(sizeof(uint32_t));
  if (units == 0 || units > bytes.size() / sizeof(uint32_t)) {
    return absl::InvalidArgumentError("the trie is empty or longer than the bytes");
  }
  std::vector<uint32_t> trie(units);
  for (size_t i = 0; i < units; ++i) trie[i] = ReadUnit(bytes, i * sizeof(uint32_t));
  bytes.remove_prefix(units * sizeof(uint32_t));
  if (unicode::FindInvalidUtf8(bytes).has_value()) {
    return absl::InvalidArgumentError("the texts are not valid UTF-8");
  }
  return CharsMap(std::move(trie), std::string(bytes));
}

std::optional<std::string_view> CharsMap::Find(std::string_view text) const {
  size_t node = OffsetOf(trie_[0]);
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0) break;
    node ^= byte;
    if (node >= trie_.size() || LabelOf(trie_[node]) != byte) break;
    const uint32_t unit = trie_[node];
    node ^= OffsetOf(unit);
    if (HasValue(unit)) {
      return node < trie_.size() ? TextAt(ValueOf(trie_[node])) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> CharsMap::TextAt(size_t place) const {
  if (place > texts_.size() || !unicode::IsBoundary(texts_, place)) return std::nullopt;
  const std::string_view from = std::string_view(texts_).substr(place);
  return from.substr(0, from.find('\0'));
}

}  // namespace triptych::normalizers
