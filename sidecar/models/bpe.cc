// Two ways to the same result. A short piece, which is nearly every piece, is scanned for its best
// pair again and again: quadratic, but without any bookkeeping. A long one ("aaaa...", 50 KB) goes
// through a heap of candidate pairs over a linked list: O(n log n). A candidate is not removed when
// one of its symbols merges elsewhere; it is recognised as stale when it is taken.
//
// Why leftmost first among equal ranks: `tokenizers` orders its heap so, and "aaa" shows the
// difference: with the merge (a, a) it is [aa, a], not [a, aa].
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

namespace triptych::models {
namespace {

constexpr size_t kFewSymbols = 32;

uint64_t PairKey(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

}  // namespace

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Create(Vocabulary vocabulary, BpeOptions options) {
  std::unique_ptr<Bpe> bpe(new Bpe(std::move(vocabulary)));
  for (int byte = 0; byte < 256; ++byte) {
    bpe->byte_ids_[byte] =
        bpe->vocabulary_.IdOf(unicode::ByteLevelCharacter(static_cast<uint8_t>(byte)));
  }
  if (absl::Status added = bpe->AddMerges(options.merges); !added.ok()) return added;
  if (options.unk_token.has_value()) {
    bpe->unk_id_ = bpe->vocabulary_.IdOf(*options.unk_token);
    if (!bpe->unk_id_.has_value()) {
      return absl::InvalidArgumentError(
          base::StrCat("unk_token: \"", *options.unk_token, "\" is not in the vocabulary"));
    }
  }
  bpe->fuse_unk_ = options.fuse_unk;
  if (options.ignore_merges) {
    for (uint32_t id = 0; id < bpe->vocabulary_.id_limit(); ++id) {
      const auto token = bpe->vocabulary_.TokenOf(id);
      if (!token.has_value()) continue;
      if (auto bytes = unicode::FromByteLevel(*token)) bpe->whole_piece_ids_[*bytes] = id;
    }
  }
  return bpe;
}

absl::Status Bpe::AddMerges(const std::vector<std::pair<std::string, std::string>>& merges) {
  merges_.reserve(merges.size());
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    uint32_t ids[3];
    const std::string tokens[3] = {left, right, left + right};
    for (int i = 0; i < 3; ++i) {
      const std::optional<uint32_t> id = vocabulary_.IdOf(tokens[i]);
      if (!id.has_value() || tokens[i].empty()) {
        return absl::InvalidArgumentError(base::StrCat("merges[", rank, "]: \"", tokens[i],
                                                       "\" is not a token of the vocabulary"));
      }
      ids[i] = *id;
    }
    // A pair that is listed twice has its last rank, as in `tokenizers`.
    merges_.insert_or_assign(PairKey(ids[0], ids[1]), Merge{rank, ids[2]});
  }
  return absl::OkStatus();
}

const Bpe::Merge* Bpe::FindMerge(uint32_t left, uint32_t right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

absl::Status Bpe::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  if (const auto whole = whole_piece_ids_.find(piece); whole != whole_piece_ids_.end()) {
    out.push_back({whole->second, {0, static_cast<uint32_t>(piece.size())}});
    return absl::OkStatus();
  }
  if (cache_.Find(piece, out)) return absl::OkStatus();
  std::vector<Symbol> symbols = ToSymbols(piece);
  if (symbols.size() <= kFewSymbols) {
    MergeFew(symbols);
  } else {
    MergeMany(symbols);
  }
  std::vector<Token> tokens;
  for (const Symbol& symbol : symbols) {
    if (symbol.is_alive) tokens.push_back({symbol.id, symbol.range});
  }
  out.insert(out.end(), tokens.begin(), tokens.end());
  cache_.Insert(piece, std::move(tokens));
  return absl::OkStatus();
}

std::vector<Bpe::Symbol> Bpe::ToSymbols(std::string_view piece) const {
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  bool after_unknown = false;
  for (uint32_t at = 0; at < piece.size(); ++at) {
    const std::optional<uint32_t> known = byte_ids_[static_cast<uint8_t>(piece[at])];
    const std::optional<uint32_t> id = known.has_value() ? known : unk_id_;
    if (!id.has_value()) continue;
    if (!known.has_value() && fuse_unk_ && after_unknown) {
      symbols.back().range.end = at + 1;
      continue;
    }
    after_unknown = !known.has_value();
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({*id, {at, at + 1}, index - 1, index + 1});
  }
  if (!symbols.empty()) symbols.back().next = -1;
  return symbols;
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
    symbols[best].range.end = symbols[best + 1].range.end;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

void Bpe::MergeMany(std::vector<Symbol>& symbols) const {
  struct Candidate {
    uint32_t rank;
    int32_t left;  // the index of its symbol
    uint32_t left_id;
    uint32_t right_id;
    uint32_t id;

    bool operator>(const Candidate& other) const {
      return std::tie(rank, left) > std::tie(other.rank, other.left);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto add_candidate = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    const uint32_t left_id = symbols[left].id, right_id = symbols[symbols[left].next].id;
    if (const Merge* merge = FindMerge(left_id, right_id)) {
      candidates.push({merge->rank, left, left_id, right_id, merge->id});
    }
  };
  for (size_t i = 0; i < symbols.size(); ++i) add_candidate(static_cast<int32_t>(i));

  while (!candidates.empty()) {
    const Candidate candidate = candidates.top();
    candidates.pop();
    Symbol& left = symbols[candidate.left];
    if (!left.is_alive || left.next < 0 || left.id != candidate.left_id) continue;
    Symbol& right = symbols[left.next];
    if (right.id != candidate.right_id) continue;

    left.id = candidate.id;
    left.range.end = right.range.end;
    left.next = right.next;
    right.is_alive = false;
    if (left.next >= 0) symbols[left.next].previous = candidate.left;
    add_candidate(left.previous);
    add_candidate(candidate.left);
  }
}

}  // namespace triptych::models
