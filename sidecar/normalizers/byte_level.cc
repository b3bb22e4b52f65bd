#include "normalizers/byte_level.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text_rewriter.h"
#include "unicode/byte_level_alphabet.h"

namespace triptych::normalizers {
namespace {

bool StandsForItself(char byte) { return byte > 0x20 && byte < 0x7F; }

}  // namespace

absl::Status ByteLevel::Normalize(base::AlignedText& text) const {
  static const std::array<std::string, 256>& characters = *[] {
    auto* made = new std::array<std::string, 256>;
    for (size_t b = 0; b < made->size(); ++b) {
      (*made)[b] = unicode::ByteLevelCharacter(static_cast<uint8_t>(b));
    }
    return made;
  }();
  const std::string& old = text.text();
  base::TextRewriter rewriter(text);
  for (size_t at = 0; at < old.size(); ++at) {
    if (StandsForItself(old[at])) continue;
    rewriter.KeepUntil(at);
    rewriter.ReplaceByte(characters[static_cast<uint8_t>(old[at])]);
  }
  rewriter.KeepUntil(old.size());
  rewriter.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
