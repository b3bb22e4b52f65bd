// JsonNode: a value in a JSON document that knows its path, so that every error can tell where it
// is.
#ifndef SIDECAR_LOADER_JSON_NODE_H_
#define SIDECAR_LOADER_JSON_NODE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace triptych::loader {

// A view: the document must outlive it. Every failure is INVALID_ARGUMENT and reads
// `model.merges[17]: expected a string, found 3`.
class JsonNode {
 public:
  // `value` may be null, which stands for an absent value and reads as JSON's null.
  JsonNode(const nlohmann::json* value, std::string path) : value_(value), path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_null() const { return value_ == nullptr || value_->is_null(); }
  [[nodiscard]] bool is_string() const { return value_ != nullptr && value_->is_string(); }

  // The member `key` of an object; absent where it is missing or this is not an object.
  [[nodiscard]] JsonNode operator[](std::string_view key) const;

  // The value as what it must be.
  [[nodiscard]] absl::StatusOr<std::string> String() const;
  [[nodiscard]] absl::StatusOr<bool> Bool() const;
  [[nodiscard]] absl::StatusOr<uint32_t> Id() const;  // an integer from 0 to 2^32 - 1
  [[nodiscard]] absl::StatusOr<std::vector<JsonNode>> Array() const;
  [[nodiscard]] absl::StatusOr<const nlohmann::json::object_t*> Object() const;

  // The value, or `fallback` where it is absent or null.
  [[nodiscard]] absl::StatusOr<bool> BoolOr(bool fallback) const;

  // An error where this object has a member that is not among `keys`: an option that we do not know
  // would otherwise be ignored in silence.
  [[nodiscard]] absl::Status ExpectOnly(std::initializer_list<std::string_view> keys) const;

  // An error about this value: `path: what`.
  [[nodiscard]] absl::Status Error(std::string_view what) const;

  // The error for a value that is valid but not known here: `path: value is not supported yet;
  // supported: ...`.
  [[nodiscard]] absl::Status Unsupported(std::string_view supported) const;

 private:
  absl::Status Expected(std::string_view what) const;
  [[nodiscard]] std::string Shown() const;  // the value, shortened

  const nlohmann::json* value_;
  std::string path_;
};

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_JSON_NODE_H_
