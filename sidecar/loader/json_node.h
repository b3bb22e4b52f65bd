// JsonDocument and JsonNode: a parsed JSON text, and a value in it that knows its path, so that
// every error can tell where it is.
//
// Behind them is simdjson's DOM, which this header hides from the parsers of the stages. A path is
// not spelled out until an error needs it: a tokenizer.json has a million values and no error.
#ifndef SIDECAR_LOADER_JSON_NODE_H_
#define SIDECAR_LOADER_JSON_NODE_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/string_map.h"

namespace triptych::loader {

class JsonDocument;

// A view, cheap to copy: the document must outlive it. Every failure is INVALID_ARGUMENT and reads
// `model.merges[17]: expected a string, found 3`.
class JsonNode {
 public:
  // `model.merges[17]`; empty for the whole document.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] bool is_absent() const { return !value_.has_value(); }
  // True also for an absent value: it reads as JSON's null.
  [[nodiscard]] bool is_null() const { return !value_.has_value() || value_->is_null(); }
  [[nodiscard]] bool is_string() const { return value_.has_value() && value_->is_string(); }
  [[nodiscard]] bool is_array() const { return value_.has_value() && value_->is_array(); }
  [[nodiscard]] bool is_object() const { return value_.has_value() && value_->is_object(); }

  // The member `key` of an object, the last of several; absent where it is missing or this is not
  // an object.
  [[nodiscard]] JsonNode operator[](std::string_view key) const;

  // The value as what it must be.
  [[nodiscard]] absl::StatusOr<std::string> String() const;
  [[nodiscard]] absl::StatusOr<std::string_view> StringView() const;  // lives as the document does
  [[nodiscard]] absl::StatusOr<bool> Bool() const;
  [[nodiscard]] absl::StatusOr<uint32_t> Id() const;    // an integer from 0 to 2^32 - 1
  [[nodiscard]] absl::StatusOr<uint64_t> Size() const;  // an integer from 0 to 2^64 - 1
  [[nodiscard]] absl::StatusOr<double> Number() const;  // also an integer
  [[nodiscard]] absl::StatusOr<std::vector<JsonNode>> Array() const;
  // In the order of the file, names that occur twice included.
  [[nodiscard]] absl::StatusOr<std::vector<std::pair<std::string_view, JsonNode>>> Members() const;

  // The number of elements or members, for a caller who needs room for them: of a list or object
  // with millions perhaps less, 0 of anything else.
  [[nodiscard]] size_t size() const;

  // Calls `visit` for each element or member, until it fails. For the large lists: nothing is
  // copied.
  [[nodiscard]] absl::Status ForEachElement(
      const std::function<absl::Status(const JsonNode& element)>& visit) const;
  [[nodiscard]] absl::Status ForEachMember(
      const std::function<absl::Status(std::string_view key, const JsonNode& value)>& visit) const;

  // The value, or `fallback` where it is absent or null.
  [[nodiscard]] absl::StatusOr<bool> BoolOr(bool fallback) const;

  // An error where this object has a member that is not among `keys`, or has one twice: an option
  // that we do not know would otherwise be ignored in silence.
  [[nodiscard]] absl::Status ExpectOnly(std::initializer_list<std::string_view> keys) const;

  // An error about this value: `path: what`.
  [[nodiscard]] absl::Status Error(std::string_view what) const;

  // The error for a value that is valid but not known here: `path: value is not supported yet;
  // supported: ...`.
  [[nodiscard]] absl::Status Unsupported(std::string_view supported) const;

 private:
  friend class JsonDocument;

  // One step of a path: the member `key`, or the element `index` where the key is not set.
  struct Step {
    static constexpr uint32_t kRoot = UINT32_MAX;

    uint32_t parent = kRoot;  // in JsonDocument::steps_
    uint32_t index = 0;
    std::optional<std::string_view> key;
  };

  JsonNode(JsonDocument* document, std::optional<simdjson::dom::element> value, Step step)
      : document_(document), value_(value), step_(step) {}

  absl::Status Expected(std::string_view what) const;
  [[nodiscard]] std::string Shown() const;  // the value, shortened
  [[nodiscard]] uint32_t AsParent() const;  // the index of step_, for a child

  JsonDocument* document_;
  std::optional<simdjson::dom::element> value_;
  Step step_;
  mutable uint32_t as_parent_ = Step::kRoot;
};

// Owns what its nodes look at. Not thread-safe, nor are its nodes.
class JsonDocument {
 public:
  // Containers may be nested so deeply, which is what serde_json allows.
  static constexpr size_t kMaxDepth = 127;

  // INVALID_ARGUMENT where `text` is not JSON: also where a string has half of a surrogate pair, or
  // the text begins with a byte order mark. Time and memory are linear in the text.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<JsonDocument>> Parse(std::string text);

  [[nodiscard]] JsonNode root() { return {this, root_, {}}; }

 private:
  friend class JsonNode;

  using Index = absl::flat_hash_map<std::string_view, simdjson::dom::element, base::StringHash,
                                    std::equal_to<>>;

  JsonDocument() = default;

  [[nodiscard]] std::optional<simdjson::dom::element> Find(simdjson::dom::object object,
                                                           std::string_view key);
  uint32_t AddStep(const JsonNode::Step& step);
  [[nodiscard]] std::string PathOf(JsonNode::Step step) const;

  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  std::vector<JsonNode::Step> steps_;  // of the nodes that were asked for children
  std::deque<std::string> keys_;       // of absent members, which are not in the document
  absl::flat_hash_map<const char*, Index> indexes_;  // of large objects, by their first key
};

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_JSON_NODE_H_
