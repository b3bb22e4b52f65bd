// How much a text may grow on its way through the stages of a tokenizer.
//
// A file of a few lines can ask for a text without end: forty Replaces, each of which writes a
// letter twice, make 2^40 letters of one. Whatever can multiply a text asks here before it does.
#ifndef SIDECAR_BASE_TEXT_LIMIT_H_
#define SIDECAR_BASE_TEXT_LIMIT_H_

#include <cstddef>

#include "absl/status/status.h"

namespace triptych::base {

// As much as the longest text that a request may have.
inline constexpr size_t kMaxGrowthBytes = size_t{256} << 20;

// RESOURCE_EXHAUSTED where a text that had `before` bytes and has `after` has grown too much.
[[nodiscard]] inline absl::Status CheckGrowth(size_t before, size_t after) {
  if (after <= before + kMaxGrowthBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the tokenizer's own steps make this text larger by more than 256 MiB");
}

}  // namespace triptych::base

#endif  // SIDECAR_BASE_TEXT_LIMIT_H_
