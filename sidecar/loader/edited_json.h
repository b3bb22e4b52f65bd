// Edited: a JSON text with one value replaced, for tests.
#ifndef SIDECAR_LOADER_EDITED_JSON_H_
#define SIDECAR_LOADER_EDITED_JSON_H_

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/str_cat.h"

namespace triptych::loader {

// Writes `value` anew, with `replacement` for what is at `pointer` ("/model/vocab/a"), and notes
// the pointers of all values in `seen`. Recursive: for test documents only.
inline std::string Rewritten(simdjson::dom::element value, const std::string& at,
                             std::string_view pointer, std::string_view replacement,
                             std::vector<std::string>& seen) {
  seen.push_back(at);
  if (at == pointer) return std::string(replacement);
  std::string text;
  const auto append = [&](std::string_view name, std::string_view inner) {
    text += base::StrCat(text.empty() ? "" : ",", name, inner);
  };
  if (value.is_object()) {
    bool is_there = false;
    const simdjson::dom::object object = value.get_object().value_unsafe();
    for (const auto& [key, member] : object) {
      const std::string inner = base::StrCat(at, "/", key);
      is_there = is_there || inner == pointer;
      append(base::StrCat("\"", key, "\":"), Rewritten(member, inner, pointer, replacement, seen));
    }
    // A new member of this object.
    if (!is_there && pointer.substr(0, pointer.rfind('/')) == at && pointer != "/") {
      append(base::StrCat("\"", pointer.substr(at.size() + 1), "\":"), replacement);
    }
    return base::StrCat("{", text, "}");
  }
  if (value.is_array()) {
    size_t index = 0;
    const simdjson::dom::array array = value.get_array().value_unsafe();
    for (const auto element : array) {
      const std::string inner = base::StrCat(at, "/", index++);
      append("", Rewritten(element, inner, pointer, replacement, seen));
    }
    return base::StrCat("[", text, "]");
  }
  return simdjson::minify(value);
}

// `json` with `replacement` at `pointer`, which may be a new member. Keys must need no escapes.
inline std::string Edited(const std::string& json, std::string_view pointer,
                          std::string_view replacement) {
  simdjson::dom::parser parser;
  std::vector<std::string> seen;
  return Rewritten(parser.parse(json).value_unsafe(), "", pointer, replacement, seen);
}

// The pointers of all values in `json`.
inline std::vector<std::string> PointersIn(const std::string& json) {
  simdjson::dom::parser parser;
  std::vector<std::string> seen;
  (void)Rewritten(parser.parse(json).value_unsafe(), "", "/", "", seen);
  return seen;
}

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_EDITED_JSON_H_
