// What the parsers of all stages share: Sequences, and failures that tell where they are.
// Private to the loader.
#ifndef SIDECAR_LOADER_STEPS_H_
#define SIDECAR_LOADER_STEPS_H_

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "loader/json_node.h"

namespace triptych::loader {

// A failure below `node`: `path.merges[17]: ...`.
[[nodiscard]] absl::Status Below(const JsonNode& node, const absl::Status& status);

// The steps of a Sequence, of whatever kind, flattened: a Sequence in a Sequence is as good as its
// steps. A node that is no Sequence is one step, null is none. `key` names the member that holds
// the steps ("normalizers").
[[nodiscard]] absl::StatusOr<std::vector<JsonNode>> StepsOf(const JsonNode& node,
                                                            std::string_view key);

// `value` as a unique_ptr to its interface; a failure tells the path of `node`.
template <typename Interface, typename T>
absl::StatusOr<std::unique_ptr<Interface>> Owned(absl::StatusOr<T> value, const JsonNode& node) {
  if (!value.ok()) return node.Error(base::MessageOf(value.status()));
  return std::unique_ptr<Interface>(std::make_unique<T>(*std::move(value)));
}

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_STEPS_H_
