#include "pre_tokenizers/whitespace.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "unicode/pre_tokenizer_tables.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {
namespace {

using base::ByteRange;
using unicode::CharSet;

constexpr uint64_t kSpace = 2;  // a word character is 1, anything else 0

}  // namespace

// The words of added tokens come from the same Rust crate.
Whitespace::Whitespace()
    : classifier_({CharSet::FromTable(unicode::kAddedTokenWord, unicode::kAddedTokenWordSize),
                   CharSet::FromTable(unicode::kWhiteSpace, unicode::kWhiteSpaceSize)}) {}

absl::Status Whitespace::PreTokenize(PreTokenizedText& text) const {
  std::vector<ByteRange> cut;
  const std::string_view whole = text.text.text();
  for (const ByteRange& piece : text.pieces) {
    uint64_t previous = kSpace;
    for (uint32_t at = piece.begin; at < piece.end;) {
      const auto [code_point, size] = unicode::DecodeAt(whole, at);
      const auto end = static_cast<uint32_t>(at + size);
      const uint64_t kind = classifier_.MaskOf(code_point);
      if (kind == previous && kind != kSpace) {
        cut.back().end = end;
      } else if (kind != kSpace) {
        cut.push_back({at, end});
      }
      previous = kind;
      at = end;
    }
  }
  text.pieces = std::move(cut);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
