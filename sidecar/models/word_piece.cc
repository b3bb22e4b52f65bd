// Tested by word_models_test.cc, which holds it against a plain search.
#include "models/word_piece.h"

#include <optional>
#include <utility>

#include "models/unknown_token.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

// The tokens that begin with `prefix`, without it.
std::vector<TokenTrie::Entry> EntriesBehind(std::string_view prefix, const Vocabulary& vocabulary) {
  std::vector<TokenTrie::Entry> entries;
  for (uint32_t id = 0; id < vocabulary.id_limit(); ++id) {
    const std::optional<std::string_view> token = vocabulary.TokenOf(id);
    if (token.has_value() && token->starts_with(prefix)) {
      entries.push_back({token->substr(prefix.size()), id});
    }
  }
  return entries;
}

bool HasMoreCharacters(std::string_view text, uint64_t limit) {
  if (text.size() <= limit) return false;
  uint64_t count = 0;
  for (size_t at = 0; at < text.size(); at += unicode::DecodeAt(text, at).size) ++count;
  return count > limit;
}

}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, WordPieceOptions options)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      beginnings_(EntriesBehind("", vocabulary_)),
      continuations_(EntriesBehind(options_.continuing_subword_prefix, vocabulary_)) {}

absl::Status WordPiece::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  const auto unknown = [&] { return AppendUnknown(vocabulary_, options_.unk_token, piece, out); };
  if (HasMoreCharacters(piece, options_.max_input_chars_per_word)) return unknown();
  const size_t before = out.size();
  for (uint32_t begin = 0; begin < piece.size(); begin = out.back().range.end) {
    std::optional<Token> longest;
    (begin == 0 ? beginnings_ : continuations_)
        .ForEachPrefix(piece.substr(begin), [&](size_t size, uint32_t id) {
          longest = Token{id, {begin, begin + static_cast<uint32_t>(size)}};
        });
    if (!longest.has_value()) {
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
      return unknown();
    }
    out.push_back(*longest);
  }
  return absl::OkStatus();
}

}  // namespace triptych::models
