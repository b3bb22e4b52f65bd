#include "unicode/utf8.h"

#include <cstdint>

namespace triptych::unicode {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

uint8_t ByteAt(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// What stands at a place of a byte string: a character of `size` bytes, a broken piece of `size`
// bytes, or an unfinished character that reaches the end.
struct Piece {
  enum { kValid, kBroken, kUnfinished } state;
  size_t size;
};

// Table 3-7 of the Unicode Standard: only the second byte's range depends on the first byte.
Piece Classify(std::string_view bytes, size_t at) {
  const uint8_t lead = ByteAt(bytes, at);
  if (lead < 0x80) return {Piece::kValid, 1};
  if (lead < 0xC2 || lead > 0xF4) return {Piece::kBroken, 1};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i) {
    if (at + i == bytes.size()) return {Piece::kUnfinished, i};
    const uint8_t next = ByteAt(bytes, at + i);
    if (next < low || next > high) return {Piece::kBroken, i};
    low = 0x80;
    high = 0xBF;
  }
  return {Piece::kValid, size};
}

}  // namespace

size_t PreviousBoundary(std::string_view text, size_t position) {
  do {
    --position;
  } while (!IsBoundary(text, position));
  return position;
}

bool IsBoundary(std::string_view text, size_t position) {
  return position == text.size() || (ByteAt(text, position) & 0xC0) != 0x80;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      byte(0xE0 | code_point >> 12);
    } else {
      byte(0xF0 | code_point >> 18);
      byte(0x80 | (code_point >> 12 & 0x3F));
    }
    byte(0x80 | (code_point >> 6 & 0x3F));
  }
  byte(0x80 | (code_point & 0x3F));
}

std::optional<size_t> FindInvalidUtf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const Piece piece = Classify(bytes, at);
    if (piece.state != Piece::kValid) return at;
    at += piece.size;
  }
  return std::nullopt;
}

void Utf8Repairer::Append(std::string_view bytes, std::string& out) {
  std::string joined;
  if (!held_.empty()) {
    joined = held_ + std::string(bytes);
    bytes = joined;
    held_.clear();
  }
  for (size_t at = 0; at < bytes.size();) {
    const Piece piece = Classify(bytes, at);
    if (piece.state == Piece::kUnfinished) {
      held_ = bytes.substr(at);
      return;
    }
    out.append(piece.state == Piece::kValid ? bytes.substr(at, piece.size) : kReplacement);
    at += piece.size;
  }
}

void Utf8Repairer::Flush(std::string& out) {
  if (!held_.empty()) out.append(kReplacement);
  held_.clear();
}

}  // namespace triptych::unicode
