// From a piece to its symbols, and from symbols to tokens. How symbols merge is symbol_merger.cc.
//
// Encoding without ranges (bpe_words.cc) goes through a table of words that were seen before
// (word_table.h), seeded with the tokens of the vocabulary themselves: most words of a text are
// tokens. What the table gives is what merging gave, so it can change no result.
//
// Tested by bpe_test.cc, which holds both ways against a plain 40-line encoder.
#include "models/bpe.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

// Of the character of the byte-level alphabet: the printable bytes of ASCII stand for themselves.
uint32_t ByteLevelSize(char character) {
  const auto byte = static_cast<uint8_t>(character);
  return byte > 0x20 && byte < 0x7F ? 1 : 2;
}

// " the" -> "▁the"
std::string MarkBlanks(std::string_view word) {
  std::string marked;
  for (const char c : word) {
    if (c == ' ') {
      marked += kBlankMark;
    } else {
      marked += c;
    }
  }
  return marked;
}

// "▁the" -> " the"
std::string UnmarkBlanks(std::string_view token) {
  std::string word;
  for (size_t at = 0; at < token.size();) {
    const bool is_blank = token.substr(at).starts_with(kBlankMark);
    word += is_blank ? ' ' : token[at];
    at += is_blank ? kBlankMark.size() : 1;
  }
  return word;
}

// Whether each merge makes its left part longer.
bool AlwaysGrow(const BpeOptions& options) {
  const size_t prefix_size = options.continuing_subword_prefix.size();
  return std::none_of(options.merges.begin(), options.merges.end(),
                      [&](const auto& merge) { return merge.second.size() == prefix_size; });
}

// `last` is what the merge before made; `buffer` is written over.
absl::StatusOr<Merge> MergeOf(const Vocabulary& vocabulary, const BpeOptions& options,
                              uint32_t rank, uint32_t last, std::string& buffer) {
  const auto& [left, right] = options.merges[rank];
  const auto error = [&](std::string_view token, std::string_view what) {
    return absl::InvalidArgumentError(
        base::StrCat("merges[", rank, "]: \"", token, "\" is ", what));
  };
  // As `tokenizers` does, without asking whether it is the prefix that is cut off.
  const size_t prefix_size = options.continuing_subword_prefix.size();
  if (right.size() < prefix_size) return error(right, "shorter than continuing_subword_prefix");
  const std::string_view whole = buffer.assign(left).append(right, prefix_size);
  // Mostly merges make one token after the other: to look at the next is faster than to search.
  const auto id_of_whole = [&]() -> std::optional<uint32_t> {
    for (uint32_t id = last; id <= last + 1; ++id) {
      if (vocabulary.TokenOf(id) == whole) return id;
    }
    return vocabulary.IdOf(whole);
  };
  constexpr std::string_view kMissing = "not a token of the vocabulary";
  const std::optional<uint32_t> left_id = vocabulary.IdOf(left);
  if (!left_id.has_value()) return error(left, kMissing);
  const std::optional<uint32_t> right_id = vocabulary.IdOf(right);
  if (!right_id.has_value()) return error(right, kMissing);
  const std::optional<uint32_t> whole_id = id_of_whole();
  if (!whole_id.has_value()) return error(whole, kMissing);
  return Merge{*left_id, *right_id, *whole_id};
}

absl::StatusOr<std::vector<Merge>> MergesOf(const Vocabulary& vocabulary,
                                            const BpeOptions& options) {
  const size_t most = MergeTable::MaxSize(vocabulary.id_limit());
  if (options.merges.size() > most) {
    return absl::InvalidArgumentError(base::StrCat(
        "merges: ", options.merges.size(), " are more than the ", most, " that ids so high allow"));
  }
  std::vector<Merge> merges;
  merges.reserve(options.merges.size());
  std::string buffer;
  for (uint32_t rank = 0; rank < options.merges.size(); ++rank) {
    const uint32_t last = merges.empty() ? 0 : merges.back().whole;
    const absl::StatusOr<Merge> merge = MergeOf(vocabulary, options, rank, last, buffer);
    if (!merge.ok()) return merge.status();
    merges.push_back(*merge);
  }
  return merges;
}

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, BpeOptions options, std::span<const Merge> merges)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      merges_(merges, vocabulary_.id_limit(), AlwaysGrow(options_)),
      memory_(merges.size()) {}

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Create(Vocabulary vocabulary, BpeOptions options) {
  const auto merges = MergesOf(vocabulary, options);
  if (!merges.ok()) return merges.status();
  std::unique_ptr<Bpe> bpe(new Bpe(std::move(vocabulary), std::move(options), *merges));
  bpe->FillCharacterIds();
  if (bpe->options_.unk_token.has_value()) {
    bpe->unk_id_ = bpe->vocabulary_.IdOf(*bpe->options_.unk_token);
  }
  bpe->FindCuts();
  bpe->FindCharacterSymbols(*merges);
  bpe->options_.merges = {};
  bpe->Seed();
  return bpe;
}

void Bpe::FillCharacterIds() {
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = static_cast<char>(byte);
    const std::string token = options_.is_byte_level
                                  ? unicode::ByteLevelCharacter(static_cast<uint8_t>(byte))
                                  : std::string(1, character);
    byte_ids_[byte] = vocabulary_.IdOf(token).value_or(CharacterIds::kNone);
    constexpr char kDigits[] = "0123456789ABCDEF";
    const char fallback[] = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    fallback_ids_[byte] = vocabulary_.IdOf({fallback, sizeof(fallback)});
  }
  if (!options_.is_byte_level) characters_ = CharacterIds(vocabulary_);
}

void Bpe::FindCharacterSymbols(std::span<const Merge> merges) {
  if (!options_.is_byte_level || !merges_.always_grow()) return;
  CharacterSymbolsBuilder builder(vocabulary_.id_limit());
  for (uint32_t i = 0; i < merges.size(); ++i) {
    const auto& [left, right] = options_.merges[i];
    const uint32_t rank = merges_.LowestRankOf(i, merges[i]);
    builder.Add({left, merges[i].left}, {right, merges[i].right}, rank);
  }
  character_symbols_ = builder.Build(byte_ids_, merges_);
}

// Where the cuts of a BlankSplitter change nothing: no rule looks at the piece as a whole, and no
// character is dropped, which would move the ranges of all that follow in it.
void Bpe::FindCuts() {
  const bool is_whole_seen = options_.is_byte_level || options_.ignore_merges ||
                             !options_.continuing_subword_prefix.empty() ||
                             !options_.end_of_word_suffix.empty();
  const bool may_drop =
      !unk_id_.has_value() &&
      (!options_.byte_fallback || !std::all_of(fallback_ids_.begin(), fallback_ids_.end(),
                                               [](const auto& id) { return id.has_value(); }));
  if (is_whole_seen || may_drop || !vocabulary_.IdOf(kBlankMark).has_value()) return;
  // A line break that is unknown could share its unknown token with its neighbours.
  if (!vocabulary_.IdOf("\n").has_value() &&
      !(options_.byte_fallback && fallback_ids_['\n'].has_value())) {
    return;
  }
  blank_id_ = *vocabulary_.IdOf(kBlankMark);
  splitter_.emplace();
  for (const auto& [left, right] : options_.merges) {
    splitter_->AddToken(left + right);
    // The byte tokens of a line break may merge too.
    if (left == "<0x0A>" || right == "<0x0A>") splitter_->AddToken("\n\n");
  }
}

void Bpe::Seed() {
  using Short = WordTable::Short;
  auto table = std::make_shared<WordTable>(vocabulary_.size());
  std::array<ShortWord, kWordsTogether> words;
  std::array<Short::Key, kWordsTogether> keys;
  size_t count = 0;
  const auto insert_all = [&] {
    MergeWords(merges_, memory_, std::span(words).first(count));
    for (size_t i = 0; i < count; ++i) {
      table->InsertSeed(keys[i], words[i].ids.data(), words[i].size);
    }
    count = 0;
  };
  Symbols symbols;
  for (uint32_t id = 0; id < vocabulary_.id_limit(); ++id) {
    const auto token = vocabulary_.TokenOf(id);
    if (!token.has_value()) continue;
    const std::optional<std::string> word = WordOf(*token);
    if (!word.has_value() || word->empty()) continue;
    if (word->size() > Short::kMaxBytes) {
      long_tokens_.Add(*word);
      continue;
    }
    const Short::Key key = Short::KeyOf(*word, /*is_readable=*/false);
    table->Prefetch(key);  // it is larger than the cache, and merging takes as long as reading it
    if (!options_.ignore_merges && FindSymbols(*word, words[count])) {
      keys[count++] = key;
      if (count == kWordsTogether) insert_all();
      continue;
    }
    symbols.clear();
    if (!AppendWord(*word, /*is_no_token=*/false, symbols).ok()) continue;
    MergeSymbols(merges_, memory_, symbols);
    if (symbols.empty() || symbols.size() > WordTable::kMaxIds) continue;
    uint32_t ids[WordTable::kMaxIds] = {};
    for (size_t i = 0; i < symbols.size(); ++i) ids[i] = symbols[i].id;
    table->InsertSeed(key, ids, symbols.size());
  }
  insert_all();
  const std::lock_guard lock(words_mutex_);
  words_ = std::move(table);
}

std::optional<std::string> Bpe::WordOf(std::string_view token) const {
  if (options_.is_byte_level) return unicode::FromByteLevel(token);
  return splitter_.has_value() ? UnmarkBlanks(token) : std::string(token);
}

std::shared_ptr<WordTable> Bpe::words() const {
  const std::lock_guard lock(words_mutex_);
  if (words_->IsFull()) words_ = words_->Renewed();
  return words_;
}

absl::Status Bpe::AppendWord(std::string_view word, bool is_no_token, Symbols& symbols) const {
  if (!splitter_.has_value()) return AppendUnmerged(word, is_no_token, symbols);
  // Mostly all is known, and the word need not be written with its marks.
  if (AppendKnown(word, blank_id_, symbols) == word.size()) return absl::OkStatus();
  symbols.clear();
  return AppendUnmerged(MarkBlanks(word), is_no_token, symbols);
}

absl::Status Bpe::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  // A text that is one piece is cut here too, so that it takes no more memory than its words.
  for (size_t begin = 0, end; begin < piece.size(); begin = end) {
    end = splitter_.has_value() ? splitter_->EndOfMarkedWord(piece, begin) : piece.size();
    const std::string_view word = piece.substr(begin, end - begin);
    const auto symbols = SymbolsOf(word);
    if (!symbols.ok()) return symbols.status();
    AppendTokens(word, static_cast<uint32_t>(begin), *symbols, out);
  }
  return absl::OkStatus();
}

absl::StatusOr<Symbols> Bpe::SymbolsOf(std::string_view piece, bool is_no_token) const {
  Symbols symbols;
  if (absl::Status made = AppendUnmerged(piece, is_no_token, symbols); !made.ok()) return made;
  MergeSymbols(merges_, memory_, symbols);
  return symbols;
}

absl::Status Bpe::AppendUnmerged(std::string_view piece, bool is_no_token, Symbols& symbols) const {
  if (const auto whole = is_no_token ? std::nullopt : WholeToken(piece)) {
    symbols.push_back(*whole);
    return absl::OkStatus();
  }
  return AppendCharacters(piece, symbols);
}

std::optional<Symbol> Bpe::WholeToken(std::string_view piece) const {
  if (!options_.ignore_merges || piece.size() > vocabulary_.longest()) return std::nullopt;
  const std::string written =
      options_.is_byte_level ? unicode::ToByteLevel(piece) : std::string(piece);
  const std::optional<uint32_t> id = vocabulary_.IdOf(written);
  if (!id.has_value()) return std::nullopt;
  return Symbol{*id, static_cast<uint32_t>(written.size())};
}

bool Bpe::FindSymbols(std::string_view word, ShortWord& out) const {
  if (has_affixes()) return false;
  return options_.is_byte_level ? FindBytes(word, out) : FindCharacters(word, out);
}

bool Bpe::FindCharacters(std::string_view word, ShortWord& out) const {
  const uint32_t blank = splitter_.has_value() ? blank_id_ : byte_ids_[' '];
  out.size = 0;
  for (size_t at = 0; at < word.size();) {
    const auto [id, size] = CharacterAt(word, at);
    const uint32_t known = word[at] == ' ' ? blank : id;
    if (known == CharacterIds::kNone || out.size == ShortWord::kMaxSymbols) return false;
    out.ids[out.size++] = known;
    at += size;
  }
  return true;
}

bool Bpe::FindBytes(std::string_view word, ShortWord& out) const {
  size_t count = 0;
  for (size_t at = 0; at < word.size();) {
    if (count + 2 > ShortWord::kMaxSymbols) return false;
    const auto byte = static_cast<uint8_t>(word[at]);
    const size_t size = byte < 0xC0 || byte >= 0xF0 ? 1 : byte < 0xE0 ? 2 : 3;
    if (size > 1 && size <= word.size() - at && (at == 0 || word[at - 1] != ' ')) {
      const char32_t character = unicode::DecodeCharacter(&word[at]).value;
      const auto [first, second] = character_symbols_.Find(character);
      if (first != CharacterSymbols::kNone) {
        out.ids[count] = first;
        out.ids[count + 1] = second;
        count += second == CharacterSymbols::kNone ? 1 : 2;
        at += size;
        continue;
      }
    }
    if (byte_ids_[byte] == CharacterIds::kNone) return false;
    out.ids[count++] = byte_ids_[byte];
    ++at;
  }
  out.size = count;
  return true;
}

absl::Status Bpe::AppendCharacters(std::string_view piece, Symbols& symbols) const {
  size_t at = has_affixes() ? 0 : AppendKnown(piece, byte_ids_[' '], symbols);
  if (at == piece.size()) return absl::OkStatus();
  // The unknown token goes in front of the next known one, so byte_fallback tokens overtake it.
  std::optional<Symbol> unknown;
  std::string written, affixed;
  for (size_t end; at < piece.size(); at = end) {
    auto [id, size] = CharacterAt(piece, at);
    end = at + size;
    std::string_view spelled;
    if (has_affixes()) {
      affixed = Spelled(Written(piece.substr(at, size), written), at == 0, end == piece.size());
      spelled = affixed;
      id = vocabulary_.IdOf(spelled).value_or(CharacterIds::kNone);
    }
    const uint32_t written_size = WrittenSize(piece[at], size);
    if (id != CharacterIds::kNone) {
      if (unknown.has_value()) symbols.push_back(*std::exchange(unknown, std::nullopt));
      symbols.push_back({id, written_size});
      continue;
    }
    if (spelled.empty()) spelled = Written(piece.substr(at, size), written);
    if (!options_.byte_fallback || !AppendBytes(spelled, symbols)) {
      absl::Status added = AddUnknown(written_size, unknown, symbols);
      if (!added.ok()) return added;
    }
  }
  if (unknown.has_value()) symbols.push_back(*unknown);
  return absl::OkStatus();
}

size_t Bpe::AppendKnown(std::string_view piece, uint32_t blank, Symbols& symbols) const {
  symbols.resize(piece.size());
  size_t at = 0, count = 0;
  while (at < piece.size()) {
    const auto [id, size] = CharacterAt(piece, at);
    const uint32_t known = piece[at] == ' ' ? blank : id;
    if (known == CharacterIds::kNone) break;
    symbols[count++] = {known, WrittenSize(piece[at], size)};
    at += size;
  }
  symbols.resize(count);
  return at;
}

uint32_t Bpe::WrittenSize(char first, size_t size) const {
  return options_.is_byte_level ? ByteLevelSize(first) : static_cast<uint32_t>(size);
}

Bpe::Character Bpe::CharacterAt(std::string_view piece, size_t at) const {
  const auto byte = static_cast<uint8_t>(piece[at]);
  if (options_.is_byte_level || byte < 0x80) return {byte_ids_[byte], 1};
  const auto [character, size] = unicode::DecodeCharacter(piece.data() + at);
  return {characters_.Find(character), size};
}

std::string_view Bpe::Written(std::string_view character, std::string& buffer) const {
  if (!options_.is_byte_level) return character;
  return buffer = unicode::ByteLevelCharacter(static_cast<uint8_t>(character[0]));
}

std::string Bpe::Spelled(std::string_view character, bool is_first, bool is_last) const {
  return base::StrCat(is_first ? "" : options_.continuing_subword_prefix, character,
                      is_last ? options_.end_of_word_suffix : "");
}

bool Bpe::AppendBytes(std::string_view spelled, Symbols& symbols) const {
  const size_t before = symbols.size();
  for (const char byte : spelled) {
    const std::optional<uint32_t> id = fallback_ids_[static_cast<uint8_t>(byte)];
    if (!id.has_value()) {
      symbols.resize(before, Symbol{});
      return false;
    }
    symbols.push_back({*id, 1});
  }
  return true;
}

absl::Status Bpe::AddUnknown(uint32_t written_size, std::optional<Symbol>& pending,
                             Symbols& symbols) const {
  if (!options_.unk_token.has_value()) return absl::OkStatus();
  if (!unk_id_.has_value()) {
    return absl::InvalidArgumentError(base::StrCat("text: a character needs the unknown token \"",
                                                   *options_.unk_token,
                                                   "\", which is not in the vocabulary"));
  }
  if (pending.has_value() && options_.fuse_unk) {
    pending->written_size += written_size;
    return absl::OkStatus();
  }
  if (pending.has_value()) symbols.push_back(*pending);
  pending = Symbol{*unk_id_, written_size};
  return absl::OkStatus();
}

void Bpe::AppendTokens(std::string_view piece, uint32_t offset, const Symbols& symbols,
                       std::vector<Token>& out) const {
  // The byte form's pieces are shorter than they are written: a walk along both finds the bytes
  // that a written range touches. An affix can make the symbols longer than the piece.
  const auto written_size_at = [&](size_t at) -> uint32_t { return WrittenSize(piece[at], 1); };
  const auto piece_size = static_cast<uint32_t>(piece.size());
  uint32_t at = 0, written_at = 0, written_end = 0;
  for (const Symbol& symbol : symbols) {
    const uint32_t written_begin = written_end;
    written_end += symbol.written_size;
    while (at < piece_size && written_at + written_size_at(at) <= written_begin) {
      written_at += written_size_at(at++);
    }
    const uint32_t begin = at;
    while (at < piece_size && written_at + written_size_at(at) < written_end) {
      written_at += written_size_at(at++);
    }
    out.push_back({symbol.id, {offset + begin, offset + std::min(at + 1, piece_size)}});
  }
}

}  // namespace triptych::models
