#include "pre_tokenizers/fixed_length.h"

#include <string_view>
#include <utility>
#include <vector>

#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {

using base::ByteRange;

absl::StatusOr<FixedLength> FixedLength::Create(uint32_t length) {
  if (length == 0) return absl::InvalidArgumentError("the length must be 1 or more, not 0");
  return FixedLength(length);
}

absl::Status FixedLength::PreTokenize(PreTokenizedText& text) const {
  std::vector<ByteRange> cut;
  const std::string_view whole = text.text.text();
  for (const ByteRange& piece : text.pieces) {
    uint32_t count = length_;
    for (uint32_t at = piece.begin; at < piece.end; ++count) {
      if (count == length_) {
        cut.push_back({at, at});
        count = 0;
      }
      at += static_cast<uint32_t>(unicode::DecodeAt(whole, at).size);
      cut.back().end = at;
    }
  }
  text.pieces = std::move(cut);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
