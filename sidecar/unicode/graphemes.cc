// Tested by graphemes_test.cc, and against `tokenizers` by
// tests/unit/tokenizer/test_precompiled.py.
#include "unicode/graphemes.h"

#include <cstdint>

#include "unicode/grapheme_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

using G = GraphemeClass;
using C = ConjunctClass;

constexpr char32_t kHangulFirst = 0xAC00, kHangulLast = 0xD7A3, kTails = 28;

bool IsSyllable(char32_t c) { return c >= kHangulFirst && c <= kHangulLast; }

// What the rules have to know of a character.
struct Character {
  char32_t code_point;
  G grapheme;
  C conjunct;
};

// What a character at the end of a grapheme can be followed by, in Hangul.
bool JoinsHangul(const Character& a, const Character& b) {
  const bool b_is_syllable = IsSyllable(b.code_point);
  if (a.grapheme == G::kLead) {
    return b.grapheme == G::kLead || b.grapheme == G::kVowel || b_is_syllable;
  }
  const bool is_open = IsSyllable(a.code_point) && (a.code_point - kHangulFirst) % kTails == 0;
  if (a.grapheme == G::kVowel || is_open) {
    return b.grapheme == G::kVowel || b.grapheme == G::kTail;
  }
  return (a.grapheme == G::kTail || IsSyllable(a.code_point)) && b.grapheme == G::kTail;
}

// What a grapheme so far may be continued by, beyond what its last character tells.
class Memory {
 public:
  void See(const Character& c) {
    if (c.conjunct == C::kConsonant) {
      conjunct_ = Conjunct::kConsonant;
    } else if (c.conjunct == C::kNone) {
      conjunct_ = Conjunct::kNone;
    } else if (c.conjunct == C::kLinker && conjunct_ == Conjunct::kConsonant) {
      conjunct_ = Conjunct::kLinked;
    }
    if (c.grapheme == G::kPictograph) {
      pictograph_ = Pictograph::kSeen;
    } else if (c.grapheme == G::kJoiner && pictograph_ == Pictograph::kSeen) {
      pictograph_ = Pictograph::kJoined;
    } else if (c.grapheme != G::kExtend || pictograph_ == Pictograph::kJoined) {
      pictograph_ = Pictograph::kNone;
    }
  }

  [[nodiscard]] bool Joins(const Character& next) const {
    return (conjunct_ == Conjunct::kLinked && next.conjunct == C::kConsonant) ||
           (pictograph_ == Pictograph::kJoined && next.grapheme == G::kPictograph);
  }

 private:
  enum class Conjunct : uint8_t { kNone, kConsonant, kLinked };
  enum class Pictograph : uint8_t { kNone, kSeen, kJoined };

  Conjunct conjunct_ = Conjunct::kNone;
  Pictograph pictograph_ = Pictograph::kNone;
};

bool Joins(const Character& last, const Memory& memory, const Character& next) {
  if (last.code_point == '\r' && next.code_point == '\n') return true;
  if (last.grapheme == G::kControl || next.grapheme == G::kControl) return false;
  if (next.grapheme == G::kExtend || next.grapheme == G::kJoiner ||
      next.grapheme == G::kSpacingMark || last.grapheme == G::kPrepend) {
    return true;
  }
  return JoinsHangul(last, next) || memory.Joins(next);
}

}  // namespace

Graphemes::Graphemes() {
  for (size_t i = 0; i < kGraphemeRunsSize; ++i) {
    const GraphemeRun& run = kGraphemeRuns[i];
    const auto conjunct = static_cast<unsigned>(run.conjunct) << 4;
    classes_.Add(run.first, run.last,
                 static_cast<uint8_t>(conjunct | static_cast<unsigned>(run.grapheme)));
  }
}

size_t Graphemes::EndOf(std::string_view text, size_t begin) const {
  Memory memory;
  Character last{};
  for (size_t at = begin; at < text.size();) {
    const auto [code_point, size] = DecodeAt(text, at);
    const uint8_t classes = classes_[code_point];
    const Character next = {code_point, static_cast<G>(classes & 15), static_cast<C>(classes >> 4)};
    if (at > begin && !Joins(last, memory, next)) return at;
    memory.See(next);
    last = next;
    at += size;
  }
  return text.size();
}

}  // namespace triptych::unicode
