// Require: how a fuzz target says that an invariant is broken.
#ifndef SIDECAR_FUZZ_REQUIRE_H_
#define SIDECAR_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace triptych::fuzz {

// Ends the process where `holds` is false: libFuzzer then writes the input down. This is the only
// place of the sidecar that may abort.
inline void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", std::string(what).c_str());
  std::abort();
}

}  // namespace triptych::fuzz

#endif  // SIDECAR_FUZZ_REQUIRE_H_
