// JsonString: a text as JSON writes it. Private to the loader, which turns other file forms into a
// tokenizer.json.
#ifndef SIDECAR_LOADER_JSON_TEXT_H_
#define SIDECAR_LOADER_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace triptych::loader {

// a"b -> "a\"b", quotes included. REQUIRES: valid UTF-8.
[[nodiscard]] std::string JsonString(std::string_view text);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_JSON_TEXT_H_
