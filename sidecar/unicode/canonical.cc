// NFC in three steps, UAX #15: decompose every character, sort each run of marks by combining class
// (stably), then compose pairs from left to right. Hangul syllables compose by arithmetic.
//
// A text without any character that takes part in this is returned unchanged by the caller after
// IsSurelyNfc(); here every character is treated.
//
// Tested by canonical_test.cc, and against `tokenizers` by tests/unit/tokenizer.
#include "unicode/canonical.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr char32_t kHangulFirst = 0xAC00, kHangulLast = 0xD7A3;
constexpr char32_t kLeadFirst = 0x1100, kVowelFirst = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

// A code point on its way, with its place in the input.
struct Element {
  char32_t code_point;
  uint8_t combining_class;
  base::ByteRange origin;
};

// The row of a sorted table whose `key` is `code_point`, or null.
template <typename Row>
const Row* FindRow(const Row* table, size_t size, char32_t Row::* key, char32_t code_point) {
  const Row* end = table + size;
  const Row* row = std::lower_bound(table, end, code_point,
                                    [key](const Row& r, char32_t c) { return r.*key < c; });
  return row != end && row->*key == code_point ? row : nullptr;
}

const Decomposition* FindDecomposition(char32_t c) {
  return FindRow(kDecompositions, kDecompositionsSize, &Decomposition::composite, c);
}

uint8_t CombiningClassOf(char32_t c) {
  const auto* row =
      FindRow(kCombiningClasses, kCombiningClassesSize, &CombiningClass::code_point, c);
  return row == nullptr ? 0 : row->value;
}

// The second halves of all pairs that compose, sorted.
const std::vector<char32_t>& ComposingSeconds() {
  static const std::vector<char32_t> seconds = [] {
    std::vector<char32_t> found;
    for (size_t i = 0; i < kCompositionsSize; ++i) found.push_back(kCompositions[i].second);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }();
  return seconds;
}

bool IsInertAlone(char32_t c) {
  if (c < 0xC0) return true;
  if (c >= kVowelFirst && c < kTailBase + kTails) return false;
  return FindDecomposition(c) == nullptr && CombiningClassOf(c) == 0 &&
         !std::binary_search(ComposingSeconds().begin(), ComposingSeconds().end(), c);
}

void Decompose(char32_t c, base::ByteRange origin, std::vector<Element>& out) {
  if (c >= kHangulFirst && c <= kHangulLast) {
    const char32_t index = c - kHangulFirst;
    out.push_back({kLeadFirst + index / (kVowels * kTails), 0, origin});
    out.push_back({kVowelFirst + index / kTails % kVowels, 0, origin});
    if (index % kTails != 0) out.push_back({kTailBase + index % kTails, 0, origin});
  } else if (const Decomposition* row = FindDecomposition(c); row != nullptr) {
    for (uint8_t i = 0; i < row->size; ++i) {
      out.push_back({row->parts[i], CombiningClassOf(row->parts[i]), origin});
    }
  } else {
    out.push_back({c, CombiningClassOf(c), origin});
  }
}

void SortMarks(std::vector<Element>& elements) {
  const auto is_mark = [](const Element& e) { return e.combining_class != 0; };
  for (auto at = elements.begin(); at != elements.end();) {
    at = std::find_if(at, elements.end(), is_mark);
    const auto end = std::find_if_not(at, elements.end(), is_mark);
    std::stable_sort(at, end, [](const Element& a, const Element& b) {
      return a.combining_class < b.combining_class;
    });
    at = end;
  }
}

// The character that `first` and `second` compose to, or 0.
char32_t ComposePair(char32_t first, char32_t second) {
  if (first >= kLeadFirst && first < kLeadFirst + kLeads && second >= kVowelFirst &&
      second < kVowelFirst + kVowels) {
    return kHangulFirst + ((first - kLeadFirst) * kVowels + second - kVowelFirst) * kTails;
  }
  if (first >= kHangulFirst && first <= kHangulLast && (first - kHangulFirst) % kTails == 0 &&
      second > kTailBase && second < kTailBase + kTails) {
    return first + (second - kTailBase);
  }
  const Composition* end = kCompositions + kCompositionsSize;
  const Composition* row = std::lower_bound(
      kCompositions, end, std::pair(first, second),
      [](const Composition& r, const auto& pair) { return std::pair(r.first, r.second) < pair; });
  return row != end && row->first == first && row->second == second ? row->composite : 0;
}

// Composes in place. A mark joins the last starter unless a mark of its own class or higher, or
// another starter, stands between the two.
void Compose(std::vector<Element>& elements) {
  constexpr size_t kNone = SIZE_MAX;
  size_t starter = kNone, kept = 0;
  for (const Element& element : elements) {
    const bool adjacent = starter != kNone && kept == starter + 1;
    const bool blocked =
        !adjacent && kept > 0 && elements[kept - 1].combining_class >= element.combining_class;
    if (starter != kNone && !blocked) {
      Element& base = elements[starter];
      if (const char32_t composite = ComposePair(base.code_point, element.code_point)) {
        base.code_point = composite;
        base.origin.begin = std::min(base.origin.begin, element.origin.begin);
        base.origin.end = std::max(base.origin.end, element.origin.end);
        continue;
      }
    }
    if (element.combining_class == 0) starter = kept;
    elements[kept++] = element;
  }
  elements.resize(kept);
}

}  // namespace

bool IsSurelyNfc(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    uint64_t eight;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const auto [code_point, size] = DecodeAt(text, at);
    if (!IsInertAlone(code_point)) {
      // A letter with an accent, of which there are many, is NFC where nothing that combines
      // follows.
      const Decomposition* row = FindDecomposition(code_point);
      if (row == nullptr || row->size != 2 || CombiningClassOf(code_point) != 0 ||
          ComposePair(row->parts[0], row->parts[1]) != code_point ||
          std::binary_search(ComposingSeconds().begin(), ComposingSeconds().end(), code_point)) {
        return false;
      }
    }
    at += size;
  }
  return true;
}

Composed ToNfc(std::string_view text) {
  std::vector<Element> elements;
  elements.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto [code_point, size] = DecodeAt(text, at);
    const auto begin = static_cast<uint32_t>(at);
    Decompose(code_point, {begin, begin + static_cast<uint32_t>(size)}, elements);
    at += size;
  }
  SortMarks(elements);
  Compose(elements);

  Composed result;
  result.text.reserve(text.size());
  result.origins.reserve(text.size());
  for (const Element& element : elements) {
    AppendUtf8(element.code_point, result.text);
    result.origins.resize(result.text.size(), element.origin);
  }
  return result;
}

}  // namespace triptych::unicode
