// LoadTokenizer: from the files of a model to a Tokenizer.
//
// Every value in them is either understood or an error that names its JSON path
// (`model.type: "Unigram" is not supported yet; supported: BPE`): a tokenizer that ignored an
// option would give wrong ids, which nobody sees. What has no influence on what we compute
// (`truncation`, `padding`) is read as strictly and kept as tokenizer::Settings.
//
// The files may have any of the forms of file_form.h; what is exact for each is said by its parser.
#ifndef SIDECAR_LOADER_TOKENIZER_LOADER_H_
#define SIDECAR_LOADER_TOKENIZER_LOADER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "loader/load_options.h"
#include "tokenizer/tokenizer.h"

namespace triptych::loader {

// Reads the file at `path`, or the one that FindTokenizerIn finds in that directory, and beside it
// tokenizer_config.json, where there is one. NOT_FOUND where there is no such file,
// INVALID_ARGUMENT where it is malformed, too large, or has what is not supported; the message
// begins with the file's path.
[[nodiscard]] absl::StatusOr<tokenizer::Tokenizer> LoadTokenizer(const std::string& path,
                                                                 const LoadOptions& options = {});

// The same for the text of a tokenizer.json.
[[nodiscard]] absl::StatusOr<tokenizer::Tokenizer> ParseTokenizer(std::string_view json,
                                                                  const LoadOptions& options = {});

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_TOKENIZER_LOADER_H_
