#include "decoders/literal_replacer.h"

#include <utility>

#include "base/text_limit.h"
#include "unicode/utf8.h"

namespace triptych::decoders {
namespace {

std::string InsertBetweenCharacters(std::string_view text, std::string_view inserted) {
  std::string out(inserted);
  for (size_t at = 0; at < text.size();) {
    const size_t size = unicode::DecodeAt(text, at).size;
    out += text.substr(at, size);
    out += inserted;
    at += size;
  }
  return out;
}

}  // namespace

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  if (from.empty()) return InsertBetweenCharacters(text, to);
  std::string out;
  size_t end = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, end)) {
    out += text.substr(end, at - end);
    out += to;
    end = at + from.size();
  }
  out += text.substr(end);
  return out;
}

LiteralReplacer::LiteralReplacer(std::string from, std::string to)
    : from_(std::move(from)), to_(std::move(to)), borders_(from_.size() + 1, 0) {
  size_t border = 0;
  for (size_t n = 1; n < from_.size(); ++n) {
    while (border > 0 && from_[border] != from_[n]) border = borders_[border];
    if (from_[border] == from_[n]) ++border;
    borders_[n + 1] = border;
  }
}

void LiteralReplacer::Append(std::string_view piece, std::string& out) {
  // What grows too much is refused by the caller; here it only must not go on growing.
  const size_t limit = out.size() + piece.size() + base::kMaxTokenGrowthBytes;
  for (size_t at = 0; at < piece.size() && out.size() <= limit;) {
    if (matched_ == 0) {
      const size_t next = piece.find(from_[0], at);
      out += piece.substr(at, next - at);
      if (next == std::string_view::npos) return;
      at = next;
    }
    while (matched_ > 0 && from_[matched_] != piece[at]) {
      const size_t shorter = borders_[matched_];
      out.append(from_, 0, matched_ - shorter);
      matched_ = shorter;
    }
    if (from_[matched_] != piece[at]) continue;
    ++at;
    if (++matched_ == from_.size()) {
      out += to_;
      matched_ = 0;
    }
  }
}

void LiteralReplacer::Flush(std::string& out) {
  out.append(from_, 0, matched_);
  matched_ = 0;
}

}  // namespace triptych::decoders
