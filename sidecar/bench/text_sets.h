// TextSets: the texts that are timed, read from a folder.
#ifndef SIDECAR_BENCH_TEXT_SETS_H_
#define SIDECAR_BENCH_TEXT_SETS_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace triptych::bench {

// Texts that are timed together: one iteration handles each once.
struct TextSet {
  std::vector<std::string> texts;
  size_t size_bytes = 0;  // of all of them
};

// By name, such as "warm_prose_1000".
using TextSets = std::map<std::string, TextSet>;

// Reads FOLDER/NAME/*.txt, each file one text, in the order of the files' names. NOT_FOUND where
// the folder holds no such file. What makes the folder is benchmarks/tokenizer_texts.py.
[[nodiscard]] absl::StatusOr<TextSets> ReadTextSets(const std::string& folder);

}  // namespace triptych::bench

#endif  // SIDECAR_BENCH_TEXT_SETS_H_
