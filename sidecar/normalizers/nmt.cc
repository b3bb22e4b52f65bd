#include "normalizers/nmt.h"

#include "normalizers/edit_characters.h"

namespace triptych::normalizers {
namespace {

constexpr uint8_t kRemove = 1, kSpace = 2;

constexpr unicode::CodePointRange kRemoved[] = {{0x01, 0x08}, {0x0B, 0x0B}, {0x0E, 0x1F},
                                                {0x7F, 0x7F}, {0x8F, 0x8F}, {0x9F, 0x9F}};
constexpr unicode::CodePointRange kSpaces[] = {{0x09, 0x0A},     {0x0C, 0x0D},     {0x1680, 0x1680},
                                               {0x200B, 0x200F}, {0x2028, 0x2029}, {0x2581, 0x2581},
                                               {0xFEFF, 0xFEFF}, {0xFFFD, 0xFFFD}};

}  // namespace

Nmt::Nmt() {
  flags_.Add(kRemoved, std::size(kRemoved), kRemove);
  flags_.Add(kSpaces, std::size(kSpaces), kSpace);
}

absl::Status Nmt::Normalize(base::AlignedText& text) const {
  EditCharacters(text, flags_, [&](base::TextRewriter& rewriter, char32_t c, size_t size) {
    if (flags_[c] == kRemove) {
      rewriter.Remove(size);
    } else {
      rewriter.Replace(size, " ");
    }
  });
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
