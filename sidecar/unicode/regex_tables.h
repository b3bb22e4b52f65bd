// The tables of regular expressions: named properties and case folding, measured from Hugging Face
// `tokenizers`. regex_tables.cc is generated; see make_regex_tables.py beside it. Ask questions of
// them through regex_properties.h and case_folding.h.
#ifndef SIDECAR_UNICODE_REGEX_TABLES_H_
#define SIDECAR_UNICODE_REGEX_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "unicode/unicode_tables.h"

namespace triptych::unicode {

// The property `name`, in lower case and without underscores: the ranges kPropertyRanges[first],
// `size` of them.
struct NamedProperty {
  std::string_view name;
  uint32_t first;
  uint32_t size;
};

// The characters that match each other where case is ignored are linked in a ring: k -> K (the
// Kelvin sign) -> K -> k. Sorted by `code_point`.
struct CaseLink {
  char32_t code_point;
  char32_t next;
};

// Where case is ignored `code_point` matches the `size` characters of `parts`: ß matches ss. Sorted
// by `code_point`.
struct MultipleFold {
  char32_t code_point;
  char32_t parts[3];
  uint8_t size;
};

extern const CodePointRange kPropertyRanges[];
extern const size_t kPropertyRangesSize;
extern const NamedProperty kNamedProperties[];
extern const size_t kNamedPropertiesSize;
extern const CaseLink kCaseLinks[];
extern const size_t kCaseLinksSize;
extern const MultipleFold kMultipleFolds[];
extern const size_t kMultipleFoldsSize;

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_REGEX_TABLES_H_
