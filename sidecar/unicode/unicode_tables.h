// The Unicode data of the sidecar: constant tables, measured from Hugging Face `tokenizers` so that
// our ids equal its ids. unicode_tables.cc is generated; see make_unicode_tables.py beside it for
// why the tables are of different Unicode versions.
//
// This header only declares the tables. To ask questions of them use char_set.h.
#ifndef SIDECAR_UNICODE_UNICODE_TABLES_H_
#define SIDECAR_UNICODE_UNICODE_TABLES_H_

#include <cstddef>
#include <cstdint>

namespace triptych::unicode {

// The Unicode general categories, in the order of their names. The generator relies on the names,
// and char_set.cc on the two letters.
enum class GeneralCategory : uint8_t {
  kCn,
  kCc,
  kCf,
  kCo,
  kCs,
  kLl,
  kLm,
  kLo,
  kLt,
  kLu,
  kMc,
  kMe,
  kMn,
  kNd,
  kNl,  // clang-format off
  kNo, kPc, kPd, kPe, kPf, kPi, kPo, kPs, kSc, kSk, kSm, kSo, kZl, kZp, kZs,  // clang-format on
};

// All code points from `first` to the next run's `first` have `category`. Sorted; covers
// everything.
struct CategoryRun {
  char32_t first;
  GeneralCategory category;
};

// Both ends belong to the range.
struct CodePointRange {
  char32_t first;
  char32_t last;
};

extern const CategoryRun kCategoryRuns[];
extern const size_t kCategoryRunsSize;
extern const CodePointRange kRegexSpace[];  // `\s` of a pattern in tokenizer.json
extern const size_t kRegexSpaceSize;
extern const CodePointRange kRegexWord[];  // `\w` of a pattern in tokenizer.json
extern const size_t kRegexWordSize;
extern const CodePointRange kRegexHan[];  // `\p{Han}` of a pattern in tokenizer.json
extern const size_t kRegexHanSize;
extern const CodePointRange kAddedTokenWord[];  // what `single_word` takes for a part of a word
extern const size_t kAddedTokenWordSize;
extern const CodePointRange kAddedTokenSpace[];  // what `lstrip` and `rstrip` swallow
extern const size_t kAddedTokenSpaceSize;

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_UNICODE_TABLES_H_
