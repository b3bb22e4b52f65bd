#include "pre_tokenizers/unicode_scripts.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "unicode/pre_tokenizer_tables.h"
#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {
namespace {

using base::ByteRange;

constexpr uint8_t kAny = 0;

uint8_t ScriptOf(char32_t code_point) {
  using unicode::kScriptRuns, unicode::ScriptRun;
  const auto after =
      std::upper_bound(kScriptRuns, kScriptRuns + unicode::kScriptRunsSize, code_point,
                       [](char32_t c, const ScriptRun& run) { return c < run.first; });
  return std::prev(after)->script;
}

}  // namespace

absl::Status UnicodeScripts::PreTokenize(PreTokenizedText& text) const {
  std::vector<ByteRange> cut;
  const std::string_view whole = text.text.text();
  for (const ByteRange& piece : text.pieces) {
    uint8_t last = kAny;  // kAny: there was no script yet, so nothing that goes on
    for (uint32_t at = piece.begin; at < piece.end;) {
      const auto [code_point, size] = unicode::DecodeAt(whole, at);
      const auto end = static_cast<uint32_t>(at + size);
      const uint8_t script = ScriptOf(code_point);
      if (script != kAny && script != last) {
        cut.push_back({at, end});
        last = script;
      } else if (last != kAny) {
        cut.back().end = end;
      }
      at = end;
    }
  }
  text.pieces = std::move(cut);
  return absl::OkStatus();
}

}  // namespace triptych::pre_tokenizers
