#include "loader/json_node.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::loader {
namespace {

constexpr size_t kMaxShownBytes = 80;

}  // namespace

JsonNode JsonNode::operator[](std::string_view key) const {
  std::string path = path_.empty() ? std::string(key) : base::StrCat(path_, ".", key);
  if (value_ == nullptr || !value_->is_object()) return {nullptr, std::move(path)};
  const auto found = value_->find(key);
  return {found == value_->end() ? nullptr : &*found, std::move(path)};
}

absl::StatusOr<std::string> JsonNode::String() const {
  if (!is_string()) return Expected("a string");
  return value_->get_ref<const std::string&>();
}

absl::StatusOr<bool> JsonNode::Bool() const {
  if (value_ == nullptr || !value_->is_boolean()) return Expected("true or false");
  return *value_->get_ptr<const bool*>();
}

absl::StatusOr<uint32_t> JsonNode::Id() const {
  const auto* number = value_ == nullptr ? nullptr : value_->get_ptr<const uint64_t*>();
  if (number == nullptr || *number > UINT32_MAX) return Expected("an id");
  return static_cast<uint32_t>(*number);
}

absl::StatusOr<std::vector<JsonNode>> JsonNode::Array() const {
  if (value_ == nullptr || !value_->is_array()) return Expected("a list");
  std::vector<JsonNode> items;
  items.reserve(value_->size());
  for (const nlohmann::json& item : *value_) {
    items.emplace_back(&item, base::StrCat(path_, "[", items.size(), "]"));
  }
  return items;
}

absl::StatusOr<const nlohmann::json::object_t*> JsonNode::Object() const {
  if (value_ == nullptr || !value_->is_object()) return Expected("an object");
  return value_->get_ptr<const nlohmann::json::object_t*>();
}

absl::StatusOr<bool> JsonNode::BoolOr(bool fallback) const {
  return is_null() ? absl::StatusOr<bool>(fallback) : Bool();
}

absl::Status JsonNode::ExpectOnly(std::initializer_list<std::string_view> keys) const {
  const auto object = Object();
  if (!object.ok()) return object.status();
  for (const auto& [key, value] : **object) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return (*this)[key].Error("this option is not known");
    }
  }
  return absl::OkStatus();
}

absl::Status JsonNode::Error(std::string_view what) const {
  return absl::InvalidArgumentError(
      base::StrCat(path_.empty() ? "the document" : path_, ": ", what));
}

absl::Status JsonNode::Unsupported(std::string_view supported) const {
  return Error(base::StrCat(Shown(), " is not supported yet; supported: ", supported));
}

absl::Status JsonNode::Expected(std::string_view what) const {
  return Error(base::StrCat("expected ", what, ", found ", Shown()));
}

std::string JsonNode::Shown() const {
  if (value_ == nullptr) return "nothing";
  std::string shown = value_->is_object() || value_->is_array()
                          ? base::StrCat(value_->type_name(), " of ", value_->size())
                          : value_->dump();
  if (shown.size() <= kMaxShownBytes) return shown;
  size_t end = kMaxShownBytes;
  while (!unicode::IsBoundary(shown, end)) --end;
  return base::StrCat(shown.substr(0, end), "...");
}

}  // namespace triptych::loader
