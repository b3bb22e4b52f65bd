// Candidate pairs wait in a heap over a linked list of symbols, as in bpe.cc. A candidate whose
// symbols have merged elsewhere since is stale: one of them is gone, or has grown.
//
// Tested by sentence_piece_bpe_test.cc, against a plain encoder, and by
// tests/unit/tokenizer/test_sentence_piece.py.
#include "models/sentence_piece_bpe.h"

#include <cstdint>
#include <optional>
#include <queue>

#include "absl/container/flat_hash_map.h"
#include "base/string_map.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using base::ByteRange;
using Type = SentencePiece::Type;

// One text on its way to tokens.
class Merger {
 public:
  Merger(const SentencePieces& pieces, std::string_view text) : pieces_(pieces), text_(text) {}

  void Run(std::vector<Token>& out) {
    Split();
    for (size_t i = 1; i < symbols_.size(); ++i) AddCandidate(static_cast<int32_t>(i) - 1);
    while (!candidates_.empty()) {
      const Candidate candidate = candidates_.top();
      candidates_.pop();
      Merge(candidate);
    }
    const size_t first = out.size();
    for (int32_t at = symbols_.empty() ? -1 : 0; at >= 0; at = symbols_[at].next) {
      AppendParts(symbols_[at].range, first, out);
    }
  }

 private:
  struct Symbol {
    ByteRange range;  // empty: merged into the one before
    int32_t previous;
    int32_t next;
    bool is_frozen;
  };

  struct Candidate {
    float score;
    int32_t left;
    int32_t right;
    uint32_t size;

    bool operator<(const Candidate& other) const {
      return score < other.score || (score == other.score && left > other.left);
    }
  };

  [[nodiscard]] std::string_view Text(ByteRange range) const {
    return text_.substr(range.begin, range.size());
  }

  // Of a piece that is made of text.
  [[nodiscard]] std::optional<uint32_t> TextPiece(ByteRange range) const {
    if (range.size() > SentencePieces::kMaxPieceBytes) return std::nullopt;
    const std::optional<uint32_t> id = pieces_.vocabulary().IdOf(Text(range));
    if (!id.has_value()) return std::nullopt;
    const Type type = pieces_.type(*id);
    const bool is_text =
        type == Type::kNormal || type == Type::kUserDefined || type == Type::kUnused;
    return is_text ? id : std::nullopt;
  }

  void Split() {
    for (uint32_t at = 0; at < text_.size();) {
      const auto defined = pieces_.user_defined().Longest(text_.substr(at));
      const size_t size = defined.has_value() ? defined->size : unicode::DecodeAt(text_, at).size;
      const auto index = static_cast<int32_t>(symbols_.size());
      const auto end = at + static_cast<uint32_t>(size);
      symbols_.push_back(
          {{at, end}, index - 1, end < text_.size() ? index + 1 : -1, defined.has_value()});
      at = end;
    }
  }

  void AddCandidate(int32_t left) {
    if (left < 0) return;
    const int32_t right = symbols_[left].next;
    if (right < 0 || symbols_[left].is_frozen || symbols_[right].is_frozen) return;
    const ByteRange joined{symbols_[left].range.begin, symbols_[right].range.end};
    const std::optional<uint32_t> id = TextPiece(joined);
    if (!id.has_value()) return;
    candidates_.push({pieces_.score(*id), left, right, joined.size()});
    if (pieces_.type(*id) == Type::kUnused) {
      parts_[Text(joined)] = {symbols_[left].range, symbols_[right].range};
    }
  }

  void Merge(const Candidate& candidate) {
    Symbol& left = symbols_[candidate.left];
    Symbol& right = symbols_[candidate.right];
    if (left.range.empty() || right.range.empty() ||
        left.range.size() + right.range.size() != candidate.size) {
      return;
    }
    left.range.end = right.range.end;
    left.next = right.next;
    if (right.next >= 0) symbols_[right.next].previous = candidate.left;
    right.range.end = right.range.begin;
    AddCandidate(left.previous);
    AddCandidate(candidate.left);
  }

  // Takes unused pieces apart into what was merged to make them, which may be unused again.
  void AppendParts(ByteRange range, size_t first, std::vector<Token>& out) const {
    std::vector<ByteRange> pending = {range};
    while (!pending.empty()) {
      const ByteRange part = pending.back();
      pending.pop_back();
      const uint32_t id = pieces_.vocabulary().IdOf(Text(part)).value_or(pieces_.unknown_id());
      const auto apart = pieces_.type(id) == Type::kUnused ? parts_.find(Text(part)) : parts_.end();
      if (apart == parts_.end()) {
        pieces_.Append({id, part}, Text(part), first, out);
        continue;
      }
      // Noted where it was seen last, which may be elsewhere in the text.
      const uint32_t middle = part.begin + apart->second.first.size();
      pending.push_back({middle, part.end});
      pending.push_back({part.begin, middle});
    }
  }

  const SentencePieces& pieces_;
  const std::string_view text_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
  absl::flat_hash_map<std::string_view, std::pair<ByteRange, ByteRange>, base::StringHash,
                      std::equal_to<>>
      parts_;  // of unused pieces
};

}  // namespace

absl::Status SentencePieceBpe::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  Merger(pieces_, piece).Run(out);
  return absl::OkStatus();
}

}  // namespace triptych::models
