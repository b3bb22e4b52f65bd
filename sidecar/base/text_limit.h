// How much a text may grow on its way through the stages of a tokenizer.
//
// A file of a few lines can ask for a text without end: forty Replaces, each of which writes a
// letter twice, make 2^40 letters of one. Whatever can multiply a text asks here before it does.
#ifndef SIDECAR_BASE_TEXT_LIMIT_H_
#define SIDECAR_BASE_TEXT_LIMIT_H_

#include <cstddef>

#include "absl/status/status.h"

namespace triptych::base {

// For a request's text, beyond the eightfold that normal forms and the byte-level alphabet stay
// below.
inline constexpr size_t kMaxGrowthBytes = size_t{32} << 20;

// For what a decoder makes of a token, which happens to every token when a file is loaded.
inline constexpr size_t kMaxTokenGrowthBytes = size_t{4} << 20;

// RESOURCE_EXHAUSTED where a request's text of `before` bytes has grown to more than eight times
// itself and kMaxGrowthBytes.
[[nodiscard]] inline absl::Status CheckGrowth(size_t before, size_t after) {
  if (after <= before * 8 + kMaxGrowthBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError("the tokenizer's own steps make this text too large");
}

// RESOURCE_EXHAUSTED where one step of a decoder made more than kMaxTokenGrowthBytes of a token.
[[nodiscard]] inline absl::Status CheckTokenGrowth(size_t before, size_t after) {
  if (after <= before + kMaxTokenGrowthBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError("the decoder's own steps make this text too large");
}

}  // namespace triptych::base

#endif  // SIDECAR_BASE_TEXT_LIMIT_H_
