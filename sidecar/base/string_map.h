// StringMap: a hash map with string keys that can be asked with a std::string_view, without a copy.
#ifndef SIDECAR_BASE_STRING_MAP_H_
#define SIDECAR_BASE_STRING_MAP_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace triptych::base {

// Hashes everything that is a string in the same way.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
};

template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringHash, std::equal_to<>>;

}  // namespace triptych::base

#endif  // SIDECAR_BASE_STRING_MAP_H_
