// UAX #15 in three steps: decompose every character, sort each run of marks by combining class
// (stably), then compose pairs from left to right. Hangul syllables compose by arithmetic.
//
// Nearly all text is in its normal form already, or nearly so. So two flags for each code point
// tell what needs the three steps at all:
//
//     unstable    it decomposes for good, or combines with what is in front of it
//     continues   it combines with what is in front of it, or moves before it
//
// A stretch that needs the steps begins at the last character that does not continue anything, and
// ends before the next such character. What lies between two stretches is kept as it is. So is a
// stretch in which nothing can happen, as most are that have a mark (Hindi, Thai, Arabic): no
// character decomposes, no two marks could change places, and not both halves of a pair are there.
//
// Tested by normal_form_test.cc, and against `tokenizers` by tests/unit/tokenizer.
#include "unicode/normal_form.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "base/text_rewriter.h"
#include "unicode/normalizer_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr char32_t kHangulFirst = 0xAC00, kHangulLast = 0xD7A3;
constexpr char32_t kLeadFirst = 0x1100, kVowelFirst = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

// Also: has a combining class; is the first, the second of a pair that composes; decomposes.
constexpr uint8_t kUnstable = 1, kContinues = 2, kMarkFlag = 4, kFirst = 8, kSecond = 16,
                  kDecomposes = 32;

// A table and the one with the rows that only the 1.0 series has.
template <typename Row>
struct Tables {
  const Row* rows;
  size_t size;
  const Row* rows10;
  size_t size10;
};

const Tables<Mapping> kCanonicalTables = {kDecompositions, kDecompositionsSize, kDecompositions10,
                                          kDecompositions10Size};
const Tables<Mapping> kCompatibleTables = {kCompatible, kCompatibleSize, kCompatible10,
                                           kCompatible10Size};
const Tables<CombiningClass> kClassTables = {kCombiningClasses, kCombiningClassesSize,
                                             kCombiningClasses10, kCombiningClasses10Size};
const Tables<Composition> kCompositionTables = {kCompositions, kCompositionsSize, kCompositions10,
                                                kCompositions10Size};

// Calls `visit` for each row that holds for `version`.
template <typename Row, typename Visit>
void ForEachRow(const Tables<Row>& tables, TableVersion version, const Visit& visit) {
  if (version == TableVersion::kTokenizers10) {
    std::for_each(tables.rows10, tables.rows10 + tables.size10, visit);
  }
  std::for_each(tables.rows, tables.rows + tables.size, visit);
}

template <typename Row, typename Key>
const Row* FindInTable(const Row* rows, size_t size, Key key, auto key_of) {
  const Row* row = std::lower_bound(rows, rows + size, key,
                                    [&](const Row& r, const Key& k) { return key_of(r) < k; });
  return row != rows + size && key_of(*row) == key ? row : nullptr;
}

// The row of `key`, or null. A row of the 1.0 series goes before one of the same key.
template <typename Row, typename Key>
const Row* FindRow(const Tables<Row>& tables, TableVersion version, Key key, auto key_of) {
  if (version == TableVersion::kTokenizers10) {
    const Row* row = FindInTable(tables.rows10, tables.size10, key, key_of);
    if (row != nullptr) return row;
  }
  return FindInTable(tables.rows, tables.size, key, key_of);
}

const Mapping* FindMapping(const Tables<Mapping>& tables, TableVersion version, char32_t c) {
  return FindRow(tables, version, c, [](const Mapping& m) { return m.code_point; });
}

uint8_t CombiningClassOf(char32_t c, TableVersion version) {
  const auto* row =
      FindRow(kClassTables, version, c, [](const CombiningClass& r) { return r.code_point; });
  return row == nullptr ? 0 : row->value;
}

// The character that `first` and `second` compose to, or 0.
char32_t ComposePair(char32_t first, char32_t second, TableVersion version) {
  if (first >= kLeadFirst && first < kLeadFirst + kLeads && second >= kVowelFirst &&
      second < kVowelFirst + kVowels) {
    return kHangulFirst + ((first - kLeadFirst) * kVowels + second - kVowelFirst) * kTails;
  }
  if (first >= kHangulFirst && first <= kHangulLast && (first - kHangulFirst) % kTails == 0 &&
      second > kTailBase && second < kTailBase + kTails) {
    return first + (second - kTailBase);
  }
  const auto* row = FindRow(kCompositionTables, version, std::pair(first, second),
                            [](const Composition& r) { return std::pair(r.first, r.second); });
  return row == nullptr ? 0 : row->composite;
}

// The bytes from `at` on that are ASCII, eight at a time; the rest of less than eight is not
// counted.
size_t AsciiBlocks(std::string_view text, size_t at) {
  const size_t begin = at;
  for (uint64_t eight; text.size() - at >= sizeof eight; at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & 0x8080808080808080u) != 0) break;
  }
  return at - begin;
}

bool IsTail(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// Where the character in front of `at` begins. REQUIRES: there is one.
size_t Before(std::string_view text, size_t at) {
  do {
    --at;
  } while (IsTail(text[at]));
  return at;
}

}  // namespace

NormalForm::NormalForm(NormalFormKind kind, TableVersion version) : kind_(kind), version_(version) {
  ForEachRow(kClassTables, version, [&](const CombiningClass& row) {
    flags_.Add(row.code_point, kUnstable | kContinues | kMarkFlag);
  });
  if (composes()) {
    ForEachRow(kCompositionTables, version, [&](const Composition& row) {
      flags_.Add(row.first, kFirst);
      flags_.Add(row.second, kUnstable | kContinues | kSecond);
    });
    flags_.Add(kLeadFirst, kLeadFirst + kLeads - 1, kFirst);
    flags_.Add(kVowelFirst, kVowelFirst + kVowels - 1, kUnstable | kContinues | kSecond);
    flags_.Add(kTailBase + 1, kTailBase + kTails - 1, kUnstable | kContinues | kSecond);
    flags_.Add(kHangulFirst, kHangulLast, kFirst | kDecomposes);
  } else {
    flags_.Add(kHangulFirst, kHangulLast, kUnstable | kDecomposes);
  }
  const auto add_mapping = [&](const Mapping& row) {
    std::vector<Element> elements;
    Decompose(row.code_point, {}, elements);
    // What decomposes to something that combines backwards does so itself.
    uint8_t flags = kDecomposes | (flags_[elements.front().code_point] & (kUnstable | kContinues));
    if (composes()) Compose(elements);
    if (elements.size() != 1 || elements[0].code_point != row.code_point) flags |= kUnstable;
    flags_.Add(row.code_point, flags);
  };
  ForEachRow(kCanonicalTables, version, add_mapping);
  if (kind == NormalFormKind::kNfkc || kind == NormalFormKind::kNfkd) {
    ForEachRow(kCompatibleTables, version, add_mapping);
  }
  flags_.EachWith(kUnstable, [&](char32_t c) { unstable_leads_.Add(c); });
}

void NormalForm::Decompose(char32_t c, base::ByteRange place, std::vector<Element>& out) const {
  auto append = [&, first = true](char32_t part, uint8_t combining_class) mutable {
    out.push_back({part, combining_class, std::exchange(first, false) ? 0 : 1, place});
  };
  const auto class_of = [&](char32_t part) -> uint8_t {
    return (flags_[part] & kMarkFlag) != 0 ? CombiningClassOf(part, version_) : 0;
  };
  if (c >= kHangulFirst && c <= kHangulLast) {
    const char32_t index = c - kHangulFirst;
    append(kLeadFirst + index / (kVowels * kTails), 0);
    append(kVowelFirst + index / kTails % kVowels, 0);
    if (index % kTails != 0) append(kTailBase + index % kTails, 0);
    return;
  }
  const Mapping* row = nullptr;
  if (kind_ == NormalFormKind::kNfkc || kind_ == NormalFormKind::kNfkd) {
    row = FindMapping(kCompatibleTables, version_, c);
  }
  if (row == nullptr) row = FindMapping(kCanonicalTables, version_, c);
  if (row == nullptr) return append(c, class_of(c));
  const char32_t* parts = kMappingPool + row->begin;
  for (uint8_t i = 0; i < row->size; ++i) append(parts[i], class_of(parts[i]));
}

// Composes in place. A mark joins the last starter unless a mark of its own class or higher, or
// another starter, stands between the two.
void NormalForm::Compose(std::vector<Element>& elements) const {
  constexpr size_t kNone = SIZE_MAX;
  size_t starter = kNone, kept = 0;
  for (const Element& element : elements) {
    const bool adjacent = starter != kNone && kept == starter + 1;
    const bool blocked =
        !adjacent && kept > 0 && elements[kept - 1].combining_class >= element.combining_class;
    if (starter != kNone && !blocked) {
      Element& base = elements[starter];
      if (const char32_t composite = ComposePair(base.code_point, element.code_point, version_)) {
        base.code_point = composite;
        base.change += element.change - 1;
        base.made_of.begin = std::min(base.made_of.begin, element.made_of.begin);
        base.made_of.end = std::max(base.made_of.end, element.made_of.end);
        continue;
      }
    }
    if (element.combining_class == 0) starter = kept;
    elements[kept++] = element;
  }
  elements.resize(kept);
}

void NormalForm::Normalize(std::string_view text, base::ByteRange range,
                           std::vector<Element>& out) const {
  out.clear();
  for (uint32_t at = range.begin; at < range.end;) {
    const auto [code_point, size] = DecodeAt(text, at);
    const auto end = at + static_cast<uint32_t>(size);
    Decompose(code_point, {at, end}, out);
    at = end;
  }
  const auto is_mark = [](const Element& e) { return e.combining_class != 0; };
  for (auto at = out.begin(); at != out.end();) {
    at = std::find_if(at, out.end(), is_mark);
    const auto end = std::find_if_not(at, out.end(), is_mark);
    std::stable_sort(at, end, [](const Element& a, const Element& b) {
      return a.combining_class < b.combining_class;
    });
    at = end;
  }
  if (composes()) Compose(out);
}

size_t NormalForm::NextUnstable(std::string_view text, size_t at) const {
  constexpr size_t kBlock = LeadBytes::kBlockBytes;
  const auto is_unstable = [&](size_t place) {
    return (flags_[DecodeCharacter(text.data() + place).value] & kUnstable) != 0;
  };
  if (text.size() >= kBlock) {
    while (at < text.size()) {
      // The last block ends with the text, and so begins with what was looked at already.
      const size_t begin = std::min(at, text.size() - kBlock);
      uint64_t left = unstable_leads_.Find(text.data() + begin) & ~uint64_t{0} << (at - begin);
      for (; left != 0; left &= left - 1) {
        const size_t place = begin + static_cast<size_t>(std::countr_zero(left));
        if (is_unstable(place)) return place;
      }
      at = begin + kBlock;
    }
    return at;
  }
  for (; at < text.size(); ++at) {
    at += AsciiBlocks(text, at);
    if (at < text.size() && !IsTail(text[at]) && is_unstable(at)) return at;
  }
  return text.size();
}

void NormalForm::Apply(base::AlignedText& aligned) const {
  const std::string_view text = aligned.text();
  base::TextRewriter rewriter(aligned);
  std::vector<Element> elements;
  std::string bytes;
  for (size_t at = NextUnstable(text, 0); at < text.size(); at = NextUnstable(text, at)) {
    const auto [code_point, size] = DecodeCharacter(text.data() + at);
    const uint8_t flags = flags_[code_point];
    // Of the last character that does not continue another: one before a character that does is
    // stable, for with those that are not goes all that continues them.
    const size_t begin = (flags & kContinues) == 0 || at == 0 ? at : Before(text, at);
    at += size;
    uint8_t any = flags | flags_[DecodeCharacter(text.data() + begin).value];
    int marks = (flags & kMarkFlag) != 0;
    while (at < text.size()) {
      const DecodedCodePoint next = DecodeCharacter(text.data() + at);
      const uint8_t next_flags = flags_[next.value];
      if ((next_flags & kContinues) == 0) break;
      any |= next_flags;
      marks += (next_flags & kMarkFlag) != 0;
      at += next.size;
    }
    constexpr uint8_t kPair = kFirst | kSecond;
    if ((any & kDecomposes) == 0 && marks <= 1 && (any & kPair) != kPair) continue;
    Normalize(text, {static_cast<uint32_t>(begin), static_cast<uint32_t>(at)}, elements);
    bytes.clear();
    bool moves = false;
    for (const Element& element : elements) {
      AppendUtf8(element.code_point, bytes);
      moves |= element.change != 0;
    }
    if (!moves && bytes == text.substr(begin, at - begin)) continue;
    rewriter.KeepUntil(begin);
    for (const Element& element : elements) {
      bytes.clear();
      AppendUtf8(element.code_point, bytes);
      rewriter.Put(bytes, element.change, element.made_of);
    }
  }
  rewriter.KeepUntil(text.size());
  rewriter.Finish();
}

}  // namespace triptych::unicode
