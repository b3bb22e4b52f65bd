// AlignedText: a text that knows which bytes of the request each of its bytes came from.
//
// The text changes on its way to the model (NFC composes, ByteLevel puts a space in front), but
// literal spans and token offsets speak about the text of the request. AlignedText carries both
// along:
//
// * The origin of a byte is what token offsets are made of. It is the one that Hugging Face
//   `tokenizers` reports, which is not all that the byte was made of: a composed character came
//   from its first part only. See text_rewriter.h.
// * Literal bytes are those in which added tokens are not recognised. They are marked apart,
// because
//   origins would not do: what was made of anything literal, whole or in part, is literal.
//
// As long as nothing changed an origin costs nothing; a changed text pays 8 bytes a byte. Literal
// marks cost a bit a byte, and nothing where the request has none.
#ifndef SIDECAR_BASE_ALIGNED_TEXT_H_
#define SIDECAR_BASE_ALIGNED_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_range.h"

namespace triptych::base {

// Not thread-safe; each request has its own.
class AlignedText {
 public:
  // A copy of `text`, which stands at byte `origin` of the request.
  AlignedText(std::string_view text, uint32_t origin) : text_(text), begin_(origin) {}

  [[nodiscard]] const std::string& text() const { return text_; }

  // The bytes of the request that `range` of this text came from. REQUIRES: `range` lies in the
  // text.
  [[nodiscard]] ByteRange OriginOf(ByteRange range) const {
    if (origins_.empty()) return {begin_ + range.begin, begin_ + range.end};
    if (range.empty()) {
      const uint32_t at =
          range.begin < origins_.size() ? origins_[range.begin].begin : origins_.back().end;
      return {at, at};
    }
    return {origins_[range.begin].begin, origins_[range.end - 1].end};
  }

  // Marks as literal what came from `spans` of the request.
  // REQUIRES: the text is not changed yet; `spans` are sorted and do not overlap.
  void MarkLiteral(const std::vector<ByteRange>& spans);

  // The literal bytes of this text: sorted, not touching each other.
  [[nodiscard]] std::vector<ByteRange> LiteralRanges() const;

  // Replaces the text by `text`, where byte i came from origins[i] of the request. Forgets the
  // literal marks, so use it only behind the last stage that looks for added tokens; before, use
  // TextRewriter. REQUIRES: the two have the same size.
  void Replace(std::string text, std::vector<ByteRange> origins) {
    text_ = std::move(text);
    origins_ = std::move(origins);
    literal_.clear();
  }

  // The part `range` of this text, as a text of its own. REQUIRES: `range` lies in the text.
  [[nodiscard]] AlignedText Slice(ByteRange range) const;

 private:
  friend class TextRewriter;

  std::string text_;
  uint32_t begin_;                  // where the text began in the request before it changed
  std::vector<ByteRange> origins_;  // one for each byte; empty: byte i came from begin_ + i
  std::vector<bool> literal_;       // one for each byte; empty: none is literal
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_ALIGNED_TEXT_H_
