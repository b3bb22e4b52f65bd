// ReadFile and what it refuses. Private to the loader.
#ifndef SIDECAR_LOADER_FILE_CONTENTS_H_
#define SIDECAR_LOADER_FILE_CONTENTS_H_

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace triptych::loader {

// The largest tokenizer.json known has 35 MB.
inline constexpr size_t kMaxFileBytes = size_t{512} << 20;

// The contents of a regular file, or of what a link to one points at. Never waits: a pipe, a device
// or a directory is refused before it is read. NOT_FOUND where there is no such file or it cannot
// be read; INVALID_ARGUMENT where it is no regular file or larger than `max_bytes`. The message
// begins with the path.
[[nodiscard]] absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                                   size_t max_bytes = kMaxFileBytes);

// Whether there is something at `path`, whatever it is.
[[nodiscard]] bool Exists(const std::filesystem::path& path);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_FILE_CONTENTS_H_
