// Tested by sentence_piece_test.cc and tests/unit/tokenizer/test_sentence_piece.py.
#include "normalizers/sentence_piece.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "unicode/utf8.h"

namespace triptych::normalizers {
namespace {

using base::ByteRange;

constexpr size_t kMaxRuleBytes = 1024;
constexpr std::string_view kEscapedSpace = "\xE2\x96\x81";  // ▁

// The fields of a unit of the double array, which is that of darts-clone.
bool HasValue(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t ValueOf(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t LabelOf(uint32_t unit) { return unit & 0x800000FF; }
uint32_t OffsetOf(uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError("precompiled_charsmap: " + std::string(what));
}

}  // namespace

// The normalized text under way. `origin` is a range of the old text.
class SentencePiece::Output {
 public:
  Output(const base::AlignedText& old, std::string_view space) : old_(old), space_(space) {}

  void AddSpace(ByteRange origin) { Add(space_, origin); }

  void AddEscaped(std::string_view text, ByteRange origin) {
    for (const char& c : text) {
      Add(c == ' ' ? space_ : std::string_view(&c, 1), origin);
    }
  }

  void RemoveSpacesAtEnd() {
    while (text_.ends_with(space_)) {
      text_.resize(text_.size() - space_.size());
      origins_.resize(text_.size());
    }
  }

  void MoveTo(base::AlignedText& text) { text.Replace(std::move(text_), std::move(origins_)); }

 private:
  void Add(std::string_view text, ByteRange origin) {
    text_ += text;
    origins_.resize(text_.size(), old_.OriginOf(origin));
  }

  const base::AlignedText& old_;
  const std::string_view space_;
  std::string text_;
  std::vector<ByteRange> origins_;
};

absl::StatusOr<SentencePiece> SentencePiece::Create(const SentencePieceOptions& options) {
  SentencePiece normalizer;
  normalizer.add_dummy_prefix_ = options.add_dummy_prefix;
  normalizer.remove_extra_whitespaces_ = options.remove_extra_whitespaces;
  normalizer.treat_whitespace_as_suffix_ = options.treat_whitespace_as_suffix;
  normalizer.space_ = options.escape_whitespaces ? kEscapedSpace : " ";
  std::vector<std::pair<std::string_view, uint32_t>> verbatim;
  for (const std::string_view piece : options.verbatim) verbatim.emplace_back(piece, 0);
  normalizer.verbatim_ = unicode::PrefixTrie(std::move(verbatim));
  if (options.rules.empty()) return normalizer;

  uint32_t array_bytes = 0;
  if (options.rules.size() <= sizeof(array_bytes)) return Malformed("is too short");
  std::memcpy(&array_bytes, options.rules.data(), sizeof(array_bytes));
  const std::string_view rest = options.rules.substr(sizeof(array_bytes));
  if (array_bytes >= rest.size()) return Malformed("the double array reaches past the end");
  if (array_bytes == 0 || array_bytes % 1024 != 0) {
    return Malformed("the size of the double array is no multiple of 1024");
  }
  if (rest.back() != '\0') return Malformed("the texts do not end with NUL");
  normalizer.units_.resize(array_bytes / sizeof(uint32_t));
  std::memcpy(normalizer.units_.data(), rest.data(), array_bytes);
  normalizer.rule_texts_ = rest.substr(array_bytes);
  return normalizer;
}

SentencePiece::Rewritten SentencePiece::LongestRule(std::string_view text) const {
  Rewritten longest{{}, 0};
  if (units_.empty()) return longest;
  uint32_t at = OffsetOf(units_[0]);
  // A table that is not SentencePiece's own could lead round in circles.
  for (size_t i = 0; i < std::min(text.size(), kMaxRuleBytes); ++i) {
    at ^= static_cast<uint8_t>(text[i]);
    if (at >= units_.size()) break;
    const uint32_t unit = units_[at];
    if (LabelOf(unit) != static_cast<uint8_t>(text[i])) break;
    at ^= OffsetOf(unit);
    if (!HasValue(unit)) continue;
    if (at >= units_.size() || ValueOf(units_[at]) >= rule_texts_.size()) break;
    longest = {rule_texts_.c_str() + ValueOf(units_[at]), i + 1};
  }
  // Nor need such a table keep characters whole.
  const bool is_sound = unicode::IsBoundary(text, longest.consumed) &&
                        !unicode::FindInvalidUtf8(longest.text).has_value();
  return is_sound ? longest : Rewritten{{}, 0};
}

SentencePiece::Rewritten SentencePiece::NormalizePrefix(std::string_view text) const {
  if (const auto piece = verbatim_.Longest(text)) return {text.substr(0, piece->size), piece->size};
  const Rewritten rule = LongestRule(text);
  if (rule.consumed > 0) return rule;
  const size_t size = unicode::DecodeAt(text, 0).size;
  return {text.substr(0, size), size};
}

absl::Status SentencePiece::Normalize(base::AlignedText& text) const {
  const std::string_view old = text.text();
  uint32_t at = 0;
  while (remove_extra_whitespaces_ && at < old.size()) {
    const Rewritten first = NormalizePrefix(old.substr(at));
    if (first.text != " ") break;
    at += static_cast<uint32_t>(first.consumed);
  }
  Output output(text, space_);
  const bool is_empty = at == old.size();
  if (!is_empty && add_dummy_prefix_ && !treat_whitespace_as_suffix_) output.AddSpace({at, at});
  bool after_space = remove_extra_whitespaces_;
  while (at < old.size()) {
    auto [rewritten, consumed] = NormalizePrefix(old.substr(at));
    while (after_space && rewritten.starts_with(' ')) rewritten.remove_prefix(1);
    const uint32_t end = at + static_cast<uint32_t>(consumed);
    output.AddEscaped(rewritten, {at, end});
    if (!rewritten.empty()) after_space = remove_extra_whitespaces_ && rewritten.ends_with(' ');
    at = end;
  }
  if (remove_extra_whitespaces_) output.RemoveSpacesAtEnd();
  if (!is_empty && add_dummy_prefix_ && treat_whitespace_as_suffix_) output.AddSpace({at, at});
  output.MoveTo(text);
  return absl::OkStatus();
}

}  // namespace triptych::normalizers
