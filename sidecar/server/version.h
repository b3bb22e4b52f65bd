// The version of the sidecar, which CMake takes from the project.
#ifndef SIDECAR_SERVER_VERSION_H_
#define SIDECAR_SERVER_VERSION_H_

#include <string_view>

namespace triptych::server {

inline constexpr std::string_view kVersion = TRIPTYCH_VERSION;

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_VERSION_H_
