// TextRewriter: changes an AlignedText from left to right, with the alignment of Hugging Face
// `tokenizers` (its NormalizedString::transform).
//
// The rewriter stands at a place of the old text. Keep and Remove move over old bytes; Put writes a
// new character. Its `change` says what the new character does to the old ones:
//
//      0   it replaces the next old character, and takes its origin
//     -n   the same, and n further old characters vanish: a composed character has the origin of
//     the
//          first that it was made of
//      1   it is inserted: it takes the origin of the old character before the place, or at the
//      very
//          beginning an empty one
//
// So U+00E9 U+0323 -> NFD is e (change 0), U+0323 (0), U+0301 (1): each takes the place of an old
// character, whichever it was made of, and the rest is inserted.
#ifndef SIDECAR_BASE_TEXT_REWRITER_H_
#define SIDECAR_BASE_TEXT_REWRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_text.h"
#include "base/byte_range.h"

namespace triptych::base {

// The text must outlive the rewriter, and changes only in Finish. A text that is only kept costs
// nothing: not a byte is copied. Not thread-safe.
//
// REQUIRES throughout: the text is valid UTF-8, and all places are character boundaries.
class TextRewriter {
 public:
  explicit TextRewriter(AlignedText& text) : text_(text) {}

  // The place in the old text.
  [[nodiscard]] uint32_t place() const { return place_; }

  // Keeps the next `size` bytes as they are. REQUIRES: the text has them.
  void Keep(size_t size);

  // Keeps everything up to `place`. REQUIRES: it is not before place().
  void KeepUntil(size_t place) { Keep(place - place_); }

  // Removes the next `size` bytes. REQUIRES: the text has them.
  void Remove(size_t size);

  // Writes `bytes`, one character or several of the same kind, which were made of the bytes
  // `made_of` of the old text: they are literal where any of those is. An empty `made_of` is for
  // what the request did not write.
  void Put(std::string_view bytes, int change, ByteRange made_of);

  // Replaces the next `size` bytes, one character, by `bytes`.
  void Replace(size_t size, std::string_view bytes) {
    Put(bytes, 0, {place_, place_ + static_cast<uint32_t>(size)});
  }

  // Replaces the next byte, one of a character, by `bytes`. It is more exact than `tokenizers`,
  // where each byte of a character has the origin of the whole.
  void ReplaceByte(std::string_view bytes);

  // Makes the text what was kept and written. Old bytes behind the place are removed.
  void Finish();

 private:
  // The end of the character that begins at `place`; the end of the text is its own.
  [[nodiscard]] uint32_t CharacterEnd(uint32_t place) const;
  // The origin of the character before the place.
  [[nodiscard]] ByteRange OriginBefore() const;
  [[nodiscard]] bool IsLiteral(ByteRange range) const;
  void Start();  // copies what was kept so far; called before the first change

  AlignedText& text_;
  uint32_t place_ = 0;
  bool started_ = false;
  std::string new_text_;
  std::vector<ByteRange> new_origins_;
  std::vector<bool> new_literal_;
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_TEXT_REWRITER_H_
