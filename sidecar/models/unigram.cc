// Viterbi's algorithm: from left to right, the best way to each byte is the best over the tokens
// that end there, each behind the best way to its first byte. Walking back from the end along the
// begins of tokens then gives the best way of all.
//
// Tested by unigram_test.cc, which tries all ways to cut a piece.
#include "models/unigram.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "models/byte_tokens.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr size_t kMaxKeptPaths = 4'096;  // 64 KiB a thread

std::vector<TokenTrie::Entry> EntriesOf(const Vocabulary& vocabulary) {
  std::vector<TokenTrie::Entry> entries;
  entries.reserve(vocabulary.size());
  for (uint32_t id = 0; id < vocabulary.id_limit(); ++id) {
    if (const auto token = vocabulary.TokenOf(id)) entries.push_back({*token, id});
  }
  return entries;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Unigram>> Unigram::Create(Vocabulary vocabulary,
                                                         UnigramOptions options) {
  if (options.unk_id.has_value() && *options.unk_id >= vocabulary.id_limit()) {
    return absl::InvalidArgumentError(base::StrCat("unk_id: ", *options.unk_id,
                                                   " is not the id of a token; the vocabulary has ",
                                                   vocabulary.size()));
  }
  return std::unique_ptr<Unigram>(new Unigram(std::move(vocabulary), std::move(options)));
}

Unigram::Unigram(Vocabulary vocabulary, UnigramOptions options)
    : vocabulary_(std::move(vocabulary)),
      scores_(std::move(options.scores)),
      trie_(EntriesOf(vocabulary_)),
      unk_id_(options.unk_id) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const double score : scores_) lowest = std::min(lowest, score);
  unk_score_ = lowest - kUnknownPenalty;
  if (options.byte_fallback) byte_ids_ = ByteTokenIds(vocabulary_);
}

absl::Status Unigram::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  if (piece.empty()) return absl::OkStatus();
  // Pieces are short and many: to ask for memory for each would take a quarter of the time.
  thread_local std::vector<Path> paths;
  thread_local std::vector<Token> best;  // from the last token to the first
  paths.assign(piece.size() + 1, Path{});
  best.clear();
  if (absl::Status found = FindPaths(piece, paths); !found.ok()) return found;

  for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = paths[end].begin) {
    const auto [score, begin, id] = paths[end];
    if (!best.empty() && id == unk_id_ && best.back().id == unk_id_) {
      best.back().range.begin = begin;
    } else {
      best.push_back({id, {begin, end}});
    }
  }
  for (auto token = best.rbegin(); token != best.rend(); ++token) Append(piece, *token, out);
  if (paths.capacity() > kMaxKeptPaths) {
    paths = {};
    best = {};
  }
  return absl::OkStatus();
}

absl::Status Unigram::FindPaths(std::string_view piece, std::vector<Path>& paths) const {
  for (uint32_t begin = 0, next; begin < piece.size(); begin = next) {
    next = begin + static_cast<uint32_t>(unicode::DecodeAt(piece, begin).size);
    const double score_so_far = paths[begin].score;
    bool is_covered = false;  // the character at `begin` is a token
    // Whether a token of this score is the best so far to lead to `end`.
    const auto improves = [&](uint32_t end, double score) {
      return paths[end].begin == Path::kNone || score > paths[end].score;
    };
    trie_.ForEachPrefix(piece.substr(begin), [&](size_t size, uint32_t id) {
      const uint32_t end = begin + static_cast<uint32_t>(size);
      const double score = scores_[id] + score_so_far;
      if (improves(end, score)) paths[end] = {score, begin, id};
      is_covered = is_covered || end == next;
    });
    if (is_covered) continue;
    const double score = unk_score_ + score_so_far;
    if (!improves(next, score)) continue;
    if (!unk_id_.has_value()) {
      return absl::InvalidArgumentError(
          "text: a character is not in the vocabulary, and the model has no unk_id");
    }
    paths[next] = {score, begin, *unk_id_};
  }
  return absl::OkStatus();
}

void Unigram::Append(std::string_view piece, Token token, std::vector<Token>& out) const {
  const auto [id, range] = token;
  if (id != unk_id_) {
    out.push_back(token);
    return;
  }
  const std::string_view text = piece.substr(range.begin, range.size());
  if (const std::optional<uint32_t> known = vocabulary_.IdOf(text)) {
    out.push_back({*known, range});
    return;
  }
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
  if (std::all_of(text.begin(), text.end(), [&](char b) { return id_of(b).has_value(); })) {
    for (const char byte : text) out.push_back({*id_of(byte), range});
  } else {
    out.push_back(token);
  }
}

}  // namespace triptych::models
