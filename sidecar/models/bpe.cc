// Two ways to the same result. A short piece, which is nearly every piece, is scanned for its best
// pair again and again: quadratic, but without any bookkeeping. A long one ("aaaa...", 50 KB) goes
// through a heap of candidate pairs over a linked list: O(n log n). A candidate is not removed when
// one of its symbols merges elsewhere; it is recognised as stale when it is taken.
//
// Why leftmost first among equal ranks: `tokenizers` orders its heap so, and "aaa" shows the
// difference: with the merge (a, a) it is [aa, a], not [a, aa].
//
// When a candidate is stale: `tokenizers` takes it if the pair that is now at its place becomes the
// same token, though it be another pair of another rank. That can only happen where a merge does
// not make its token longer, which takes a right part that is nothing but the prefix; then
// everything goes through the heap, which asks the same question.
//
// Tested by bpe_test.cc, which holds both ways against a plain 40-line encoder.
#include "models/bpe.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

constexpr size_t kFewSymbols = 32;

uint64_t PairKey(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

}  // namespace

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Create(Vocabulary vocabulary, BpeOptions options) {
  std::unique_ptr<Bpe> bpe(new Bpe(std::move(vocabulary), std::move(options)));
  if (absl::Status added = bpe->AddMerges(); !added.ok()) return added;
  bpe->FillByteIds();
  if (bpe->options_.ignore_merges && bpe->options_.is_byte_level) bpe->FillWholePieces();
  if (bpe->options_.unk_token.has_value()) {
    bpe->unk_id_ = bpe->vocabulary_.IdOf(*bpe->options_.unk_token);
  }
  return bpe;
}

absl::Status Bpe::AddMerges() {
  const size_t prefix_size = options_.continuing_subword_prefix.size();
  merges_.reserve(options_.merges.size());
  for (uint32_t rank = 0; rank < options_.merges.size(); ++rank) {
    const auto& [left, right] = options_.merges[rank];
    const auto error = [&](std::string_view token, std::string_view what) {
      return absl::InvalidArgumentError(
          base::StrCat("merges[", rank, "]: \"", token, "\" is ", what));
    };
    // As `tokenizers` does, without asking whether it is the prefix that is cut off.
    if (right.size() < prefix_size) return error(right, "shorter than continuing_subword_prefix");
    const std::string whole = left + right.substr(prefix_size);
    uint32_t ids[3];
    const std::string_view tokens[3] = {left, right, whole};
    for (int i = 0; i < 3; ++i) {
      const std::optional<uint32_t> id = vocabulary_.IdOf(tokens[i]);
      if (!id.has_value()) return error(tokens[i], "not a token of the vocabulary");
      ids[i] = *id;
    }
    if (right.size() == prefix_size) merges_grow_ = false;
    // A pair that is listed twice has its last rank, as in `tokenizers`.
    merges_.insert_or_assign(PairKey(ids[0], ids[1]), Merge{rank, ids[2]});
  }
  options_.merges = {};
  return absl::OkStatus();
}

void Bpe::FillByteIds() {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character(unicode::ByteLevelCharacter(static_cast<uint8_t>(byte)));
    byte_ids_[byte] = vocabulary_.IdOf(character);
    written_sizes_[byte] = static_cast<uint8_t>(character.size());
    constexpr char kDigits[] = "0123456789ABCDEF";
    const char token[] = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    fallback_ids_[byte] = vocabulary_.IdOf({token, sizeof(token)});
  }
}

void Bpe::FillWholePieces() {
  for (uint32_t id = 0; id < vocabulary_.id_limit(); ++id) {
    const auto token = vocabulary_.TokenOf(id);
    if (!token.has_value()) continue;
    if (auto bytes = unicode::FromByteLevel(*token)) whole_piece_ids_[*bytes] = id;
  }
}

const Bpe::Merge* Bpe::FindMerge(uint32_t left, uint32_t right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::optional<uint32_t> Bpe::WholePiece(std::string_view piece) const {
  if (!options_.ignore_merges) return std::nullopt;
  if (!options_.is_byte_level) return vocabulary_.IdOf(piece);
  const auto whole = whole_piece_ids_.find(piece);
  return whole == whole_piece_ids_.end() ? std::nullopt : std::optional(whole->second);
}

absl::Status Bpe::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  if (piece.empty()) return absl::OkStatus();
  if (const std::optional<uint32_t> whole = WholePiece(piece)) {
    out.push_back({*whole, {0, static_cast<uint32_t>(piece.size())}});
    return absl::OkStatus();
  }
  if (cache_.Find(piece, out)) return absl::OkStatus();
  absl::StatusOr<std::vector<Symbol>> symbols = ToSymbols(piece);
  if (!symbols.ok()) return symbols.status();
  if (symbols->size() <= kFewSymbols && merges_grow_) {
    MergeFew(*symbols);
  } else {
    MergeMany(*symbols);
  }
  std::vector<Token> tokens = ToTokens(piece, *symbols);
  out.insert(out.end(), tokens.begin(), tokens.end());
  cache_.Insert(piece, std::move(tokens));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Bpe::Symbol>> Bpe::ToSymbols(std::string_view piece) const {
  const bool has_affixes =
      !options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty();
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  // The unknown token goes in front of the next known one, so byte_fallback tokens overtake it.
  std::optional<Symbol> unknown;
  for (size_t at = 0, end; at < piece.size(); at = end) {
    const auto byte = static_cast<uint8_t>(piece[at]);
    end = at + (options_.is_byte_level ? 1 : unicode::DecodeAt(piece, at).size);
    const std::string character(options_.is_byte_level ? unicode::ByteLevelCharacter(byte)
                                                       : piece.substr(at, end - at));
    const auto written_size = static_cast<uint32_t>(character.size());
    std::string affixed;
    std::string_view spelled = character;
    if (has_affixes) spelled = affixed = Spelled(character, at == 0, end == piece.size());
    const std::optional<uint32_t> id =
        options_.is_byte_level && !has_affixes ? byte_ids_[byte] : vocabulary_.IdOf(spelled);
    if (id.has_value()) {
      if (unknown.has_value()) symbols.push_back(*std::exchange(unknown, std::nullopt));
      symbols.push_back({*id, written_size});
    } else if (!options_.byte_fallback || !AppendBytes(spelled, symbols)) {
      absl::Status added = AddUnknown(written_size, unknown, symbols);
      if (!added.ok()) return added;
    }
  }
  if (unknown.has_value()) symbols.push_back(*unknown);
  return symbols;
}

std::string Bpe::Spelled(std::string_view character, bool is_first, bool is_last) const {
  return base::StrCat(is_first ? "" : options_.continuing_subword_prefix, character,
                      is_last ? options_.end_of_word_suffix : "");
}

bool Bpe::AppendBytes(std::string_view spelled, std::vector<Symbol>& symbols) const {
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
                             std::vector<Symbol>& symbols) const {
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

std::vector<Token> Bpe::ToTokens(std::string_view piece, const std::vector<Symbol>& symbols) const {
  // The byte form's pieces are shorter than they are written: a walk along both finds the bytes
  // that a written range touches. An affix can make the symbols longer than the piece.
  const auto written_size_at = [&](size_t at) -> uint32_t {
    return options_.is_byte_level ? written_sizes_[static_cast<uint8_t>(piece[at])] : 1;
  };
  const auto piece_size = static_cast<uint32_t>(piece.size());
  std::vector<Token> tokens;
  uint32_t at = 0, written_at = 0, written_end = 0;
  for (const Symbol& symbol : symbols) {
    if (!symbol.is_alive) continue;
    const uint32_t written_begin = written_end;
    written_end += symbol.written_size;
    while (at < piece_size && written_at + written_size_at(at) <= written_begin) {
      written_at += written_size_at(at++);
    }
    const uint32_t begin = at;
    while (at < piece_size && written_at + written_size_at(at) < written_end) {
      written_at += written_size_at(at++);
    }
    tokens.push_back({symbol.id, {begin, std::min(at + 1, piece_size)}});
  }
  return tokens;
}

void Bpe::MergeFew(std::vector<Symbol>& symbols) const {
  while (true) {
    size_t best = 0;
    Merge best_merge{std::numeric_limits<uint32_t>::max(), 0};
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge* merge = FindMerge(symbols[i].id, symbols[i + 1].id);
      if (merge != nullptr && merge->rank < best_merge.rank) {
        best = i;
        best_merge = *merge;
      }
    }
    if (best_merge.rank == std::numeric_limits<uint32_t>::max()) return;
    symbols[best].id = best_merge.id;
    symbols[best].written_size += symbols[best + 1].written_size;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

void Bpe::MergeMany(std::vector<Symbol>& symbols) const {
  struct Candidate {
    uint32_t rank;
    int32_t left;  // the index of its symbol
    uint32_t id;   // of the token that it becomes

    bool operator>(const Candidate& other) const {
      return std::tie(rank, left) > std::tie(other.rank, other.left);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto add_candidate = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    if (const Merge* merge = FindMerge(symbols[left].id, symbols[symbols[left].next].id)) {
      candidates.push({merge->rank, left, merge->id});
    }
  };
  const auto count = static_cast<int32_t>(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[i].previous = i - 1;
    symbols[i].next = i + 1 < count ? i + 1 : -1;
  }
  for (int32_t i = 0; i < count; ++i) add_candidate(i);

  while (!candidates.empty()) {
    const Candidate candidate = candidates.top();
    candidates.pop();
    Symbol& left = symbols[candidate.left];
    if (!left.is_alive || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    const Merge* merge = FindMerge(left.id, right.id);
    if (merge == nullptr || merge->id != candidate.id) continue;

    left.id = candidate.id;
    left.written_size += right.written_size;
    left.next = right.next;
    right.is_alive = false;
    if (left.next >= 0) symbols[left.next].previous = candidate.left;
    add_candidate(left.previous);
    add_candidate(candidate.left);
  }
}

}  // namespace triptych::models
