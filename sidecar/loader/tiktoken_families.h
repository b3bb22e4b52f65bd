// The tiktoken files whose pattern and special tokens are known. Private to the loader.
#ifndef SIDECAR_LOADER_TIKTOKEN_FAMILIES_H_
#define SIDECAR_LOADER_TIKTOKEN_FAMILIES_H_

#include <optional>
#include <string_view>

#include "loader/rank_vocabulary.h"

namespace triptych::loader {

// What belongs to the file with exactly these contents, or nothing. A file is known by its size and
// a hash of all its bytes, so that one which merely looks alike is not taken for it.
//
// Llama 3 (also 3.1 to 3.3) and Llama 4: as the package llama-models 0.3.0 has them, where
// <|begin_of_text|> goes in front. Qwen (1): as the package dashscope 2.0.2 has it, where texts are
// normalized first.
[[nodiscard]] std::optional<RankFormat> KnownTiktokenFormat(std::string_view contents);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_TIKTOKEN_FAMILIES_H_
