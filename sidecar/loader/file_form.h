// The forms in which a tokenizer is stored, told apart by content. Private to the loader.
//
// | form | files | how it is recognised |
// | --- | --- | --- |
// | tokenizer.json | `tokenizer.json` | JSON |
// | tekken | `tekken.json` | JSON with `config` and `vocab` but no `model` |
// | tiktoken | `tokenizer.model`, `*.tiktoken` | the first line is base64, a space and a number |
// | SentencePiece | `tokenizer.model` | begins as a protobuf message with a piece |
//
// All but the first are turned into a tokenizer.json, which the parsers of the stages then read:
// what they mean is written in the language that the whole sidecar speaks.
#ifndef SIDECAR_LOADER_FILE_FORM_H_
#define SIDECAR_LOADER_FILE_FORM_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace triptych::loader {

enum class FileForm { kJson, kTiktoken, kSentencePiece };

// What `contents` are, or nothing. kJson where they begin as JSON does, whatever follows.
[[nodiscard]] std::optional<FileForm> FormOf(std::string_view contents);

// The file of a directory that the tokenizer is read from: the first there of tokenizer.json,
// tekken.json, tokenizer.model, and the one file that ends in .tiktoken. NOT_FOUND where there is
// none, INVALID_ARGUMENT where several end so; the message begins with the path.
[[nodiscard]] absl::StatusOr<std::filesystem::path> FindTokenizerIn(
    const std::filesystem::path& directory);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_FILE_FORM_H_
