// LoadTokenizer: from a tokenizer.json to a Tokenizer.
//
// Every value in the file is either understood or an error that names its JSON path
// (`model.type: "Unigram" is not supported yet; supported: BPE`): a tokenizer that ignored an
// option would give wrong ids, which nobody sees. There are two exceptions, both without influence
// on what we compute: `version`; and `truncation` and `padding`, which the libraries that load
// models (transformers, and with it vLLM) switch off as well, since the length of a prompt is the
// server's business.
#ifndef SIDECAR_LOADER_TOKENIZER_LOADER_H_
#define SIDECAR_LOADER_TOKENIZER_LOADER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenizer/tokenizer.h"

namespace triptych::loader {

// Reads a tokenizer.json, or the one in a directory. NOT_FOUND where there is none,
// INVALID_ARGUMENT where it is not JSON or has what is not supported; the message begins with the
// file's path.
[[nodiscard]] absl::StatusOr<tokenizer::Tokenizer> LoadTokenizer(const std::string& path);

// The same for the text of a tokenizer.json.
[[nodiscard]] absl::StatusOr<tokenizer::Tokenizer> ParseTokenizer(std::string_view json);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_TOKENIZER_LOADER_H_
