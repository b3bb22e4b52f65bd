#include "unicode/nfc_check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "unicode/canonical.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

// What the check needs of a code point, in one number: the combining class, and two marks.
constexpr uint16_t kClass = 0xFF;
constexpr uint16_t kPerhaps = 0x100;
constexpr uint16_t kNever = 0x200;

constexpr char32_t kVowelFirst = 0x1161, kVowelLast = 0x1175;
constexpr char32_t kTailFirst = 0x11A8, kTailLast = 0x11C2;

class Properties {
 public:
  Properties() {
    std::vector<uint16_t> all(0x110000, 0);
    for (size_t i = 0; i < kCombiningClassesSize; ++i) {
      all[kCombiningClasses[i].code_point] = kCombiningClasses[i].value;
    }
    for (size_t i = 0; i < kCompositionsSize; ++i) all[kCompositions[i].second] |= kPerhaps;
    for (char32_t c = kVowelFirst; c <= kVowelLast; ++c) all[c] |= kPerhaps;
    for (char32_t c = kTailFirst; c <= kTailLast; ++c) all[c] |= kPerhaps;
    for (size_t i = 0; i < kDecompositionsSize; ++i) {
      std::string text;
      AppendUtf8(kDecompositions[i].composite, text);
      if (ToNfc(text).text != text) all[kDecompositions[i].composite] |= kNever;
    }
    std::map<std::vector<uint16_t>, uint16_t> known;
    for (size_t at = 0; at < all.size(); at += kBlock) {
      const std::vector<uint16_t> block(all.begin() + static_cast<std::ptrdiff_t>(at),
                                        all.begin() + static_cast<std::ptrdiff_t>(at + kBlock));
      const auto [entry, is_new] = known.emplace(block, static_cast<uint16_t>(known.size()));
      if (is_new) blocks_.insert(blocks_.end(), block.begin(), block.end());
      block_of_[at / kBlock] = entry->second;
    }
  }

  [[nodiscard]] uint16_t Of(char32_t c) const {
    return blocks_[block_of_[c / kBlock] * kBlock + c % kBlock];
  }

 private:
  static constexpr size_t kBlock = 128;

  std::array<uint16_t, 0x110000 / kBlock> block_of_;
  std::vector<uint16_t> blocks_;
};

// The end of the ASCII characters from `at` on.
size_t EndOfAscii(std::string_view text, size_t at) {
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, 8);
    if ((bytes & 0x8080808080808080u) != 0) break;
  }
  while (at < text.size() && static_cast<uint8_t>(text[at]) < 0x80) ++at;
  return at;
}

// Calls `visit` with each stretch that only composing can tell about: from the last character that
// is surely apart from what stands before it to the next such one. Stops where it returns false.
template <typename Visit>
void VisitSuspects(std::string_view text, Visit visit) {
  static const Properties properties;
  uint8_t last_class = 0;
  size_t starter = 0;
  for (size_t at = 0; at < text.size();) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      at = EndOfAscii(text, at);
      starter = at - 1;
      last_class = 0;
      continue;
    }
    const auto [code_point, size] = DecodeCharacter(text.data() + at);
    const uint16_t property = properties.Of(code_point);
    if (property == 0) starter = at;
    at += size;
    const auto own_class = static_cast<uint8_t>(property & kClass);
    const bool is_in_order = own_class == 0 || own_class >= last_class;
    last_class = own_class;
    if ((property & (kPerhaps | kNever)) == 0 && is_in_order) continue;
    while (at < text.size()) {
      const auto next = DecodeCharacter(text.data() + at);
      if (properties.Of(next.value) == 0) break;
      at += next.size;
    }
    if (!visit(starter, at)) return;
    starter = at;
    last_class = 0;
  }
}

}  // namespace

bool IsNfc(std::string_view text) {
  bool is_nfc = true;
  VisitSuspects(text, [&](size_t begin, size_t end) {
    const std::string_view suspect = text.substr(begin, end - begin);
    return is_nfc = ToNfc(suspect).text == suspect;
  });
  return is_nfc;
}

std::string NfcOf(std::string_view text) {
  std::string composed;
  size_t done = 0;
  VisitSuspects(text, [&](size_t begin, size_t end) {
    composed.append(text, done, begin - done);
    composed.append(ToNfc(text.substr(begin, end - begin)).text);
    done = end;
    return true;
  });
  composed.append(text, done);
  return composed;
}

}  // namespace triptych::unicode
