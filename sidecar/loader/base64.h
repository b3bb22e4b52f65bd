// DecodeBase64, strict. Private to the loader: tiktoken and tekken files, and Precompiled, write
// bytes so.
#ifndef SIDECAR_LOADER_BASE64_H_
#define SIDECAR_LOADER_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace triptych::loader {

// "IQ==" -> "!". Nothing where `text` is not base64 with its padding, in the alphabet with + and /:
// also where the bits beyond the last byte are not zero.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_BASE64_H_
