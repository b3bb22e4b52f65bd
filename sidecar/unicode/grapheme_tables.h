// The data of graphemes.h, measured from Hugging Face `tokenizers`. grapheme_tables.cc is
// generated; see make_grapheme_tables.py beside it.
#ifndef SIDECAR_UNICODE_GRAPHEME_TABLES_H_
#define SIDECAR_UNICODE_GRAPHEME_TABLES_H_

#include <cstddef>
#include <cstdint>

namespace triptych::unicode {

// What a character is to the rules of UAX #29. Flags are not known; see the generator.
enum class GraphemeClass : uint8_t {
  kOther,  // also the Hangul syllables, which are told by arithmetic
  kControl,
  kJoiner,  // U+200D
  kExtend,
  kSpacingMark,
  kPrepend,
  kLead,  // Hangul letters, by where in a syllable they stand
  kVowel,
  kTail,
  kPictograph,
};

// What it is in an Indic conjunct.
enum class ConjunctClass : uint8_t { kNone, kConsonant, kLinker, kBetween };

// All code points from `first` to `last`.
struct GraphemeRun {
  char32_t first;
  char32_t last;
  GraphemeClass grapheme;
  ConjunctClass conjunct;
};

extern const GraphemeRun kGraphemeRuns[];  // sorted; what is not listed is kOther and kNone
extern const size_t kGraphemeRunsSize;

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_GRAPHEME_TABLES_H_
