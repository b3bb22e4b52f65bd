// What simdjson leaves open and is settled here, as serde_json has it: half a surrogate pair is an
// error; of two members with one name the last counts.
//
// Types are asked for before values are taken, so value_unsafe() is safe here.
//
// Tested by json_node_test.cc.
#include "loader/json_node.h"

#include <algorithm>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::loader {
namespace {

using simdjson::dom::element;

constexpr size_t kMaxShownBytes = 80;
constexpr size_t kLargeObject = 32;

std::string_view StringOf(element value) { return value.get_string().value_unsafe(); }
simdjson::dom::array ArrayOf(element value) { return value.get_array().value_unsafe(); }
simdjson::dom::object ObjectOf(element value) { return value.get_object().value_unsafe(); }

// The code unit of an escape `\uXXXX` at `at`, or nothing.
std::optional<uint32_t> EscapedUnit(std::string_view text, size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  uint32_t unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      unit = unit * 16 + static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      unit = unit * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return unit;
}

// The first half of a surrogate pair that stands alone.
std::optional<size_t> FindLoneSurrogate(std::string_view text) {
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const std::optional<uint32_t> unit = EscapedUnit(text, at);
    if (!unit.has_value() || *unit < 0xD800 || *unit > 0xDFFF) {
      at += 2;
      continue;
    }
    const std::optional<uint32_t> second = EscapedUnit(text, at + 6);
    if (*unit >= 0xDC00 || second.value_or(0) < 0xDC00 || *second > 0xDFFF) return at;
    at += 12;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JsonDocument>> JsonDocument::Parse(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    return absl::InvalidArgumentError(
        "the document is not valid JSON: it begins with a byte order mark; remove its 3 bytes");
  }
  if (const std::optional<size_t> lone = FindLoneSurrogate(text)) {
    return absl::InvalidArgumentError(base::StrCat("the document is not valid JSON: byte ", *lone,
                                                   " begins half of a surrogate pair"));
  }
  std::unique_ptr<JsonDocument> document(new JsonDocument());
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);  // else simdjson copies the text
  // An empty text cannot be allocated for.
  simdjson::error_code error =
      document->parser_.allocate(std::max<size_t>(text.size(), 1), kMaxDepth + 1);
  if (error == simdjson::SUCCESS) error = document->parser_.parse(text).get(document->root_);
  if (error != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(base::StrCat("the document is not valid JSON: ",
                                                   std::string(simdjson::error_message(error))));
  }
  return document;
}

std::optional<element> JsonDocument::Find(simdjson::dom::object object, std::string_view key) {
  std::optional<element> last;
  if (object.size() <= kLargeObject) {
    for (const auto& [name, value] : object) {
      if (name == key) last = value;
    }
    return last;
  }
  // No two keys share their place in the document, so the first one tells the object.
  const auto [entry, is_new] = indexes_.try_emplace(object.begin().key().data());
  Index& index = entry->second;
  if (is_new) {
    for (const auto& [name, value] : object) index.insert_or_assign(name, value);
  }
  const auto found = index.find(key);
  if (found != index.end()) last = found->second;
  return last;
}

uint32_t JsonDocument::AddStep(const JsonNode::Step& step) {
  steps_.push_back(step);
  return static_cast<uint32_t>(steps_.size() - 1);
}

std::string JsonDocument::PathOf(JsonNode::Step step) const {
  std::vector<JsonNode::Step> steps = {step};
  while (steps.back().parent != JsonNode::Step::kRoot) {
    steps.push_back(steps_[steps.back().parent]);
  }
  std::string path;
  for (auto at = steps.rbegin() + 1; at != steps.rend(); ++at) {
    if (!at->key.has_value()) {
      path += base::StrCat("[", at->index, "]");
    } else {
      path += base::StrCat(path.empty() ? "" : ".", *at->key);
    }
  }
  return path;
}

std::string JsonNode::path() const { return document_->PathOf(step_); }

uint32_t JsonNode::AsParent() const {
  if (as_parent_ == Step::kRoot) as_parent_ = document_->AddStep(step_);
  return as_parent_;
}

JsonNode JsonNode::operator[](std::string_view key) const {
  std::optional<element> found;
  if (is_object()) found = document_->Find(ObjectOf(*value_), key);
  return {document_, found, {AsParent(), 0, document_->keys_.emplace_back(key)}};
}

absl::StatusOr<std::string> JsonNode::String() const {
  const auto view = StringView();
  if (!view.ok()) return view.status();
  return std::string(*view);
}

absl::StatusOr<std::string_view> JsonNode::StringView() const {
  if (!is_string()) return Expected("a string");
  return StringOf(*value_);
}

absl::StatusOr<bool> JsonNode::Bool() const {
  if (!value_.has_value() || !value_->is_bool()) return Expected("true or false");
  return value_->get_bool().value_unsafe();
}

absl::StatusOr<uint32_t> JsonNode::Id() const {
  const absl::StatusOr<uint64_t> number = Size();
  if (!number.ok() || *number > UINT32_MAX) return Expected("an id");
  return static_cast<uint32_t>(*number);
}

absl::StatusOr<uint64_t> JsonNode::Size() const {
  uint64_t number = 0;
  if (!value_.has_value() || value_->get_uint64().get(number) != simdjson::SUCCESS) {
    return Expected("an integer that is not negative");
  }
  return number;
}

absl::StatusOr<double> JsonNode::Number() const {
  double number = 0;
  if (!value_.has_value() || value_->get_double().get(number) != simdjson::SUCCESS) {
    return Expected("a number");
  }
  return number;
}

size_t JsonNode::size() const {
  if (is_array()) return ArrayOf(*value_).size();
  return is_object() ? ObjectOf(*value_).size() : 0;
}

absl::Status JsonNode::ForEachElement(
    const std::function<absl::Status(const JsonNode& element)>& visit) const {
  if (!is_array()) return Expected("a list");
  uint32_t index = 0;
  for (const element item : ArrayOf(*value_)) {
    absl::Status visited = visit(JsonNode(document_, item, {AsParent(), index++, std::nullopt}));
    if (!visited.ok()) return visited;
  }
  return absl::OkStatus();
}

absl::Status JsonNode::ForEachMember(
    const std::function<absl::Status(std::string_view key, const JsonNode& value)>& visit) const {
  if (!is_object()) return Expected("an object");
  for (const auto& [key, value] : ObjectOf(*value_)) {
    absl::Status visited = visit(key, JsonNode(document_, value, {AsParent(), 0, key}));
    if (!visited.ok()) return visited;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JsonNode>> JsonNode::Array() const {
  std::vector<JsonNode> elements;
  absl::Status visited = ForEachElement([&](const JsonNode& element) {
    elements.push_back(element);
    return absl::OkStatus();
  });
  if (!visited.ok()) return visited;
  return elements;
}

absl::StatusOr<std::vector<std::pair<std::string_view, JsonNode>>> JsonNode::Members() const {
  std::vector<std::pair<std::string_view, JsonNode>> members;
  absl::Status visited = ForEachMember([&](std::string_view key, const JsonNode& value) {
    members.emplace_back(key, value);
    return absl::OkStatus();
  });
  if (!visited.ok()) return visited;
  return members;
}

absl::StatusOr<bool> JsonNode::BoolOr(bool fallback) const {
  return is_null() ? absl::StatusOr<bool>(fallback) : Bool();
}

absl::Status JsonNode::ExpectOnly(std::initializer_list<std::string_view> keys) const {
  std::vector<bool> seen(keys.size());
  return ForEachMember([&](std::string_view key, const JsonNode& value) {
    const auto found = std::find(keys.begin(), keys.end(), key);
    if (found == keys.end()) return value.Error("this option is not known");
    const auto at = static_cast<size_t>(found - keys.begin());
    if (seen[at]) return value.Error("this option is listed twice");
    seen[at] = true;
    return absl::OkStatus();
  });
}

absl::Status JsonNode::Error(std::string_view what) const {
  const std::string where = path();
  return absl::InvalidArgumentError(
      base::StrCat(where.empty() ? "the document" : where, ": ", what));
}

absl::Status JsonNode::Unsupported(std::string_view supported) const {
  return Error(base::StrCat(Shown(), " is not supported yet; supported: ", supported));
}

absl::Status JsonNode::Expected(std::string_view what) const {
  return Error(base::StrCat("expected ", what, ", found ", Shown()));
}

std::string JsonNode::Shown() const {
  if (!value_.has_value()) return "nothing";
  if (is_array()) return base::StrCat("array of ", size());
  if (is_object()) return base::StrCat("object of ", size());
  // A string of 100 MB would be escaped in full only to be cut.
  if (is_string() && StringOf(*value_).size() > kMaxShownBytes) {
    const std::string_view whole = StringOf(*value_);
    size_t end = kMaxShownBytes;
    while (!unicode::IsBoundary(whole, end)) --end;
    return base::StrCat("\"", whole.substr(0, end), "...");
  }
  return simdjson::minify(*value_);
}

}  // namespace triptych::loader
