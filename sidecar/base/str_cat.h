// StrCat: makes a message of strings and numbers.
//
// Why not absl::StrCat: a distribution may build absl with a string_view of its own (Debian 12
// does), which neither takes nor gives std::string_view. With this file and string_map.h that type
// appears nowhere else.
#ifndef SIDECAR_BASE_STR_CAT_H_
#define SIDECAR_BASE_STR_CAT_H_

#include <concepts>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace triptych::base {

// The parts one after the other: StrCat("merges[", 17, "]") -> "merges[17]".
template <typename... Parts>
[[nodiscard]] std::string StrCat(const Parts&... parts) {
  std::string joined;
  const auto append = [&joined](const auto& part) {
    if constexpr (std::integral<std::decay_t<decltype(part)>>) {
      joined += std::to_string(part);
    } else {
      joined += std::string_view(part);
    }
  };
  (append(parts), ...);
  return joined;
}

// The message of a failure. The view lives as long as `status`.
[[nodiscard]] inline std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace triptych::base

#endif  // SIDECAR_BASE_STR_CAT_H_
