// The classes of characters that pre-tokenizers cut at: constant tables, measured from Hugging Face
// `tokenizers`. pre_tokenizer_tables.cc is generated; see make_pre_tokenizer_tables.py beside it.
#ifndef SIDECAR_UNICODE_PRE_TOKENIZER_TABLES_H_
#define SIDECAR_UNICODE_PRE_TOKENIZER_TABLES_H_

#include <cstddef>
#include <cstdint>

#include "unicode/unicode_tables.h"

namespace triptych::unicode {

// All code points from `first` to the next run's `first` belong to the script number `script`. 0 is
// a character of any script: it goes with what stands before it. Hiragana and Katakana are counted
// as Han, as SentencePiece does. Sorted; covers everything.
struct ScriptRun {
  char32_t first;
  uint8_t script;
};

extern const CodePointRange kPunctuation[];  // of Punctuation and BertPreTokenizer
extern const size_t kPunctuationSize;
extern const CodePointRange kWhiteSpace[];  // of Whitespace, WhitespaceSplit and BertPreTokenizer
extern const size_t kWhiteSpaceSize;
extern const CodePointRange kNumeric[];  // of Digits
extern const size_t kNumericSize;
extern const ScriptRun kScriptRuns[];  // of UnicodeScripts
extern const size_t kScriptRunsSize;

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_PRE_TOKENIZER_TABLES_H_
