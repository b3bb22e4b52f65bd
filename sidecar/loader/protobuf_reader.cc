// Tested by sentence_piece_parser_test.cc.
#include "loader/protobuf_reader.h"

#include <cstddef>

namespace triptych::loader {

std::optional<uint64_t> ProtobufReader::TakeVarint() {
  uint64_t value = 0;
  for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ProtobufReader::TakeFixed(size_t size) {
  if (rest_.size() < size) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i);
  rest_.remove_prefix(size);
  return value;
}

std::optional<std::string_view> ProtobufReader::TakeBytes() {
  const std::optional<uint64_t> size = TakeVarint();
  if (!size.has_value() || *size > rest_.size()) return std::nullopt;
  const std::string_view bytes = rest_.substr(0, *size);
  rest_.remove_prefix(*size);
  return bytes;
}

bool ProtobufReader::TakeValue(uint64_t wire_type, Field& field) {
  std::optional<uint64_t> value;
  switch (wire_type) {
    case 0:
      field.kind = Kind::kVarint;
      value = TakeVarint();
      break;
    case 1:
      field.kind = Kind::kFixed64;
      value = TakeFixed(8);
      break;
    case 2: {
      field.kind = Kind::kBytes;
      const std::optional<std::string_view> bytes = TakeBytes();
      field.bytes = bytes.value_or("");
      return bytes.has_value();
    }
    case 5:
      field.kind = Kind::kFixed32;
      value = TakeFixed(4);
      break;
    default:  // groups, which nobody writes any more
      return false;
  }
  field.value = value.value_or(0);
  return value.has_value();
}

std::optional<ProtobufReader::Field> ProtobufReader::Next() {
  if (rest_.empty() || failed_) return std::nullopt;
  const std::optional<uint64_t> tag = TakeVarint();
  Field field;
  if (!tag.has_value() || *tag >> 3 == 0 || *tag >> 32 != 0 || !TakeValue(*tag & 7, field)) {
    failed_ = true;
    return std::nullopt;
  }
  field.number = static_cast<uint32_t>(*tag >> 3);
  return field;
}

}  // namespace triptych::loader
