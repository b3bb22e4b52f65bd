// SentencePiece's `.model` to the stages of a tokenizer. Private to the loader.
//
// Ids are those of SentencePieceProcessor.encode of the package sentencepiece 0.2.3, which knows no
// special tokens in a text: what is a control piece for it is an added token for us, as in the
// tokenizer.json that transformers makes of such a file. Text in which they must not be found is a
// literal span; without them the ids are the same. Behind an added token the text is normalized
// anew, with a dummy prefix.
//
// Decoding is that of such a tokenizer.json too: one space in front is dropped, and bytes that are
// not UTF-8 together become U+FFFD each. It is SentencePiece's for what encoding can give.
//
// What goes in front of a text and behind it, where special tokens are asked for, is not in the
// file. It is as tokenizer_config.json beside it says (`add_bos_token`, `add_eos_token`, which are
// false where they are missing).
#ifndef SIDECAR_LOADER_SENTENCE_PIECE_PARSER_H_
#define SIDECAR_LOADER_SENTENCE_PIECE_PARSER_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "loader/settings_parser.h"
#include "tokenizer/tokenizer.h"

namespace triptych::loader {

// The BPE and UNIGRAM types with all their options. INVALID_ARGUMENT where the file is malformed
// ("pieces[3]: ...", "normalizer_spec: ..."), of another type, or changes a text after decoding.
[[nodiscard]] absl::StatusOr<tokenizer::TokenizerParts> ParseSentencePiece(
    std::string_view contents, const TokenizerConfig& config);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_SENTENCE_PIECE_PARSER_H_
