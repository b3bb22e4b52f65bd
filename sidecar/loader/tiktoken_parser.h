// tiktoken's file form: a line for each token, its bytes in base64 and its rank. Private to the
// loader.
//
// Such a file says which tokens there are and nothing else: not how a text is cut into pieces, nor
// which special tokens there are. Both are taken from `tiktoken.json` beside it, which has the
// names of tiktoken's own constructor:
//
//     {"pat_str": "...", "special_tokens": {"<|endoftext|>": 100257, ...}}
//
// or are known for the file, byte for byte: Llama 3 and 4 and Qwen. For any other file it is an
// error that neither is there: a guess would give wrong ids, which nobody sees.
//
// As with tiktoken itself, without what some libraries do around it: Llama's cuts runs of more than
// 25,000 letters or spaces, Qwen's a text of more than 100,000 characters.
#ifndef SIDECAR_LOADER_TIKTOKEN_PARSER_H_
#define SIDECAR_LOADER_TIKTOKEN_PARSER_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "loader/rank_vocabulary.h"
#include "models/vocabulary.h"

namespace triptych::loader {

// Whether the first line is base64, a space and a number.
[[nodiscard]] bool IsTiktoken(std::string_view contents);

// The tokens with their ranks as ids. INVALID_ARGUMENT ("line 17: ...") where a line is malformed,
// a token or a rank comes twice.
[[nodiscard]] absl::StatusOr<models::Vocabulary> ParseTiktokenRanks(std::string_view contents);

// The tokenizer.json for a file; `config` is the text of the tiktoken.json beside it, or nothing.
// INVALID_ARGUMENT where the file is malformed, or is unknown and `config` is missing.
[[nodiscard]] absl::StatusOr<std::string> TiktokenToJson(std::string_view contents,
                                                         std::optional<std::string> config);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_TIKTOKEN_PARSER_H_
