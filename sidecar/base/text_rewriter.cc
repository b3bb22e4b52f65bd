// Tested by aligned_text_test.cc, and against `tokenizers` by tests/unit/tokenizer.
#include "base/text_rewriter.h"

#include <algorithm>
#include <utility>

namespace triptych::base {
namespace {

bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

void TextRewriter::Keep(size_t size) {
  if (started_ && size > 0) {
    new_text_.append(text_.text_, place_, size);
    if (text_.origins_.empty()) {
      const size_t old_size = new_origins_.size();
      new_origins_.resize(old_size + size);
      uint32_t origin = text_.begin_ + place_;
      for (size_t i = old_size; i < new_origins_.size(); ++i, ++origin) {
        new_origins_[i] = {origin, origin + 1};
      }
    } else {
      const auto from = text_.origins_.begin() + place_;
      new_origins_.insert(new_origins_.end(), from, from + static_cast<ptrdiff_t>(size));
    }
    if (!text_.literal_.empty()) {
      const auto from = text_.literal_.begin() + place_;
      new_literal_.insert(new_literal_.end(), from, from + static_cast<ptrdiff_t>(size));
    }
  }
  place_ += static_cast<uint32_t>(size);
}

void TextRewriter::Remove(size_t size) {
  if (size == 0) return;
  Start();
  place_ += static_cast<uint32_t>(size);
}

void TextRewriter::Put(std::string_view bytes, int change, ByteRange made_of) {
  Start();
  ByteRange origin;
  if (change > 0 || place_ == text_.text_.size()) {
    origin = OriginBefore();
  } else {
    uint32_t end = CharacterEnd(place_);
    origin = text_.OriginOf({place_, end});
    for (; change < 0; ++change) end = CharacterEnd(end);
    place_ = end;
  }
  new_text_.append(bytes);
  new_origins_.resize(new_text_.size(), origin);
  if (!text_.literal_.empty()) new_literal_.resize(new_text_.size(), IsLiteral(made_of));
}

void TextRewriter::ReplaceByte(std::string_view bytes) {
  Start();
  const ByteRange place{place_, place_ + 1};
  new_text_.append(bytes);
  new_origins_.resize(new_text_.size(), text_.OriginOf(place));
  if (!text_.literal_.empty()) new_literal_.resize(new_text_.size(), IsLiteral(place));
  place_ = place.end;
}

void TextRewriter::Finish() {
  Remove(text_.text_.size() - place_);
  if (!started_) return;
  text_.text_ = std::move(new_text_);
  text_.origins_ = std::move(new_origins_);
  text_.literal_ = std::move(new_literal_);
}

uint32_t TextRewriter::CharacterEnd(uint32_t place) const {
  const std::string& text = text_.text_;
  if (place == text.size()) return place;
  do ++place;
  while (place < text.size() && Continues(text[place]));
  return place;
}

ByteRange TextRewriter::OriginBefore() const {
  if (place_ == 0) return {text_.begin_, text_.begin_};
  uint32_t begin = place_ - 1;
  while (begin > 0 && Continues(text_.text_[begin])) --begin;
  return text_.OriginOf({begin, place_});
}

bool TextRewriter::IsLiteral(ByteRange range) const {
  const auto begin = text_.literal_.begin();
  return std::find(begin + range.begin, begin + range.end, true) != begin + range.end;
}

void TextRewriter::Start() {
  if (started_) return;
  started_ = true;
  const uint32_t kept = std::exchange(place_, 0);
  new_text_.reserve(text_.text_.size() + text_.text_.size() / 8);
  new_origins_.reserve(new_text_.capacity());
  Keep(kept);
}

}  // namespace triptych::base
