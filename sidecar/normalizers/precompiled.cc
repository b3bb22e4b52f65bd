// The alignment is that of `tokenizers`, oddities included. It pairs new characters with old ones
// one by one. Where a rule has more characters than it replaces, the rest is inserted; where it has
// fewer, its last character takes the rest. A rule that only removes gives what it removes to the
// character written before: if that was inserted it now has an old character to stand for. And if
// there is none before, it removes nothing: all characters behind have the origins of earlier ones.
//
// Tested against `tokenizers` by tests/unit/tokenizer/test_precompiled.py.
#include "normalizers/precompiled.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text_rewriter.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {
namespace {

using base::ByteRange;

constexpr size_t kLongGrapheme = 6;  // bytes

int CountCharacters(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Writes the text as the rules have it, with the alignment told above.
class RuleWriter {
 public:
  explicit RuleWriter(base::AlignedText& text) : text_(text.text()), rewriter_(text) {}

  // The bytes `old` become `content`.
  void Replace(ByteRange old, std::string_view content) {
    KeepUntil(old.begin);
    const int removed = CountCharacters(text_.substr(old.begin, old.size()));
    if (content.empty()) return Remove(old, removed);
    const int inserted = CountCharacters(content) - removed;
    int index = 0;
    for (size_t at = 0; at < content.size(); ++index) {
      const size_t size = unicode::DecodeAt(content, at).size;
      WriteHeld();
      held_ = Held{content.substr(at, size), index < removed ? 0 : 1, old};
      at += size;
    }
    held_->change += std::min(inserted, 0);
    place_ = old.end;
  }

  void Finish() {
    KeepUntil(static_cast<uint32_t>(text_.size()));
    WriteHeld();
    rewriter_.Finish();
  }

 private:
  // A character that what follows may yet change.
  struct Held {
    std::string_view bytes;
    int change;
    ByteRange made_of;
  };

  void KeepUntil(uint32_t end) {
    if (place_ == end) return;
    WriteHeld();
    if (!is_shifted_) {
      rewriter_.KeepUntil(end);
      place_ = end;
      wrote_ = true;
    }
    while (place_ < end) {
      const auto size = static_cast<uint32_t>(unicode::DecodeAt(text_, place_).size);
      WriteHeld();
      held_ = Held{text_.substr(place_, size), 0, {place_, place_ + size}};
      place_ += size;
    }
  }

  void Remove(ByteRange old, int removed) {
    place_ = old.end;
    if (held_.has_value()) {
      held_->change -= removed;
    } else if (wrote_) {
      rewriter_.Remove(old.size());
    } else {
      is_shifted_ = true;
    }
  }

  void WriteHeld() {
    if (!held_.has_value()) return;
    rewriter_.Put(held_->bytes, held_->change, held_->made_of);
    held_.reset();
    wrote_ = true;
  }

  std::string_view text_;
  base::TextRewriter rewriter_;
  uint32_t place_ = 0;  // what of the old text is dealt with; ahead of the rewriter if shifted
  std::optional<Held> held_;
  bool wrote_ = false;
  bool is_shifted_ = false;  // something was removed before anything was written
};

}  // namespace

Precompiled::Precompiled(CharsMap rules) : rules_(std::move(rules)) {
  for (uint8_t byte = 0; byte < 0x80; ++byte) {
    const char c = static_cast<char>(byte);
    is_plain_[byte] = c != '\r' && !rules_.Find({&c, 1}).has_value();
  }
}

absl::Status Precompiled::Normalize(base::AlignedText& aligned) const {
  const std::string_view text = aligned.text();
  RuleWriter writer(aligned);
  for (size_t at = 0; at < text.size();) {
    const bool ascii_follows = at + 1 == text.size() || static_cast<uint8_t>(text[at + 1]) < 0x80;
    if (is_plain_[static_cast<uint8_t>(text[at])] && ascii_follows) {
      ++at;
      continue;
    }
    const size_t end = graphemes_.EndOf(text, at);
    if (end - at < kLongGrapheme) {
      if (const auto content = rules_.Find(text.substr(at, end - at))) {
        writer.Replace({static_cast<uint32_t>(at), static_cast<uint32_t>(end)}, *content);
        at = end;
        continue;
      }
    }
    while (at < end) {
      const size_t size = unicode::DecodeAt(text, at).size;
      if (const auto content = rules_.Find(text.substr(at, size))) {
        writer.Replace({static_cast<uint32_t>(at), static_cast<uint32_t>(at + size)}, *content);
      }
      at += size;
    }
  }
  writer.Finish();
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
