// The Unicode data of the normalizers: constant tables, measured from Hugging Face `tokenizers` so
// that our ids equal its ids. normalizer_tables.cc is generated; see make_normalizer_tables.py
// beside it. Tables whose name ends in 10 hold what the 1.0 series has more, or other, than 0.23.
//
// This header only declares the tables. To ask questions of them use normal_form.h and
// character_rules.h.
#ifndef SIDECAR_UNICODE_NORMALIZER_TABLES_H_
#define SIDECAR_UNICODE_NORMALIZER_TABLES_H_

#include <cstddef>
#include <cstdint>

#include "unicode/unicode_tables.h"

namespace triptych::unicode {

// The `size` code points at kMappingPool + `begin`, which `code_point` becomes.
struct Mapping {
  char32_t code_point;
  uint16_t begin;
  uint8_t size;
};

// The canonical combining class of a mark; what is not listed has class 0.
struct CombiningClass {
  char32_t code_point;
  uint8_t value;
};

// NFC replaces `first` `second` by `composite`. Sorted by (first, second). Hangul is not listed.
struct Composition {
  char32_t first;
  char32_t second;
  char32_t composite;
};

// The lowercase of every `step`th code point from `first` to `last` is `distance` further on.
struct LowercaseRun {
  char32_t first;
  char32_t last;
  uint8_t step;
  int32_t distance;
};

// All tables are sorted by their first member.
extern const char32_t kMappingPool[];
extern const size_t kMappingPoolSize;
// The full canonical decompositions. Hangul is not listed.
extern const Mapping kDecompositions[];
extern const size_t kDecompositionsSize;
extern const Mapping kDecompositions10[];
extern const size_t kDecompositions10Size;
// The full compatibility decompositions that are not the canonical ones.
extern const Mapping kCompatible[];
extern const size_t kCompatibleSize;
extern const Mapping kCompatible10[];
extern const size_t kCompatible10Size;
extern const CombiningClass kCombiningClasses[];
extern const size_t kCombiningClassesSize;
extern const CombiningClass kCombiningClasses10[];
extern const size_t kCombiningClasses10Size;
extern const Composition kCompositions[];
extern const size_t kCompositionsSize;
extern const Composition kCompositions10[];
extern const size_t kCompositions10Size;
// Without U+0130, the one capital that becomes two characters.
extern const LowercaseRun kLowercaseRuns[];
extern const size_t kLowercaseRunsSize;
extern const CodePointRange kMark[];  // what StripAccents removes
extern const size_t kMarkSize;
extern const CodePointRange kBertControl[];  // what BertNormalizer's clean_text removes
extern const size_t kBertControlSize;
extern const CodePointRange kBertSpace[];  // what it turns into a space
extern const size_t kBertSpaceSize;
extern const CodePointRange kBertAccent[];  // what BertNormalizer's strip_accents removes
extern const size_t kBertAccentSize;

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_NORMALIZER_TABLES_H_
