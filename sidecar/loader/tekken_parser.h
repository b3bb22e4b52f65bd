// tekken.json, Mistral's file form: tokens as bytes with ranks, as in tiktoken, but with the
// pattern and the special tokens. Private to the loader.
//
// The special tokens have the first ids and the ranks follow. What Tekkenizer.encode of the package
// mistral-common 1.13.1 gives for a text is what we give where special tokens are not looked for
// (literal spans); `<s>` goes in front where special tokens are asked for, as with its `bos`.
#ifndef SIDECAR_LOADER_TEKKEN_PARSER_H_
#define SIDECAR_LOADER_TEKKEN_PARSER_H_

#include <string>

#include "absl/status/statusor.h"
#include "loader/json_node.h"

namespace triptych::loader {

// Whether the document is a tekken.json: it has a `config` and a `vocab` where a tokenizer.json has
// neither.
[[nodiscard]] bool IsTekken(const JsonNode& root);

// The tokenizer.json for it. INVALID_ARGUMENT with the JSON path.
[[nodiscard]] absl::StatusOr<std::string> TekkenToJson(const JsonNode& root);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_TEKKEN_PARSER_H_
