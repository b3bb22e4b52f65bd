// Tested by sentence_piece_unigram_test.cc and tests/unit/tokenizer/test_sentence_piece.py.
#include "models/sentence_piece_unigram.h"

#include <algorithm>
#include <cfloat>
#include <cstdint>
#include <utility>

#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using Type = SentencePiece::Type;

constexpr float kUnknownPenalty = 10.0F;
// Beyond it sums are set back, so that a long text does not lose the low bits.
constexpr float kMaxSum = 100000.0F;

// More than any other cut of the same text can have, whose scores are logarithms.
float UserDefinedScore(size_t size) {
  return static_cast<float>(0.1 * (static_cast<int>(size) - 1));
}

// The best way to cut the text up to a place.
struct Best {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t id = 0;         // of its last piece
  uint32_t begin = kNone;  // of its last piece
  float score = 0;
};

// The best ways up to each place of a text, while they are found from its beginning to its end.
class Paths {
 public:
  explicit Paths(size_t size) : best_(size + 1) {}

  // The text is cut at `at`, from where pieces are now offered.
  void MoveTo(uint32_t at) {
    at_ = at;
    const float sum = best_[at].score;
    if (sum >= -kMaxSum && sum <= kMaxSum) return;
    for (uint32_t i = at; i <= last_; ++i) {
      if (i == at || best_[i].begin != Best::kNone) best_[i].score -= sum;
    }
  }

  void Offer(uint32_t id, size_t size, float score) {
    const auto end = static_cast<uint32_t>(at_ + size);
    last_ = std::max(last_, end);
    const float sum = score + best_[at_].score;
    Best& best = best_[end];
    if (best.begin == Best::kNone || sum > best.score) best = {id, at_, sum};
  }

  // The tokens of the best way to the end.
  [[nodiscard]] std::vector<Token> Tokens() const {
    std::vector<Token> tokens;
    for (auto end = static_cast<uint32_t>(best_.size() - 1); end > 0; end = best_[end].begin) {
      tokens.push_back({best_[end].id, {best_[end].begin, end}});
    }
    std::reverse(tokens.begin(), tokens.end());
    return tokens;
  }

 private:
  std::vector<Best> best_;
  uint32_t at_ = 0;
  uint32_t last_ = 0;  // the furthest place that was offered
};

}  // namespace

SentencePieceUnigram::SentencePieceUnigram(SentencePieces pieces) : pieces_(std::move(pieces)) {
  float lowest = FLT_MAX;
  for (uint32_t id = 0; id < pieces_.vocabulary().size(); ++id) {
    if (pieces_.type(id) == Type::kNormal) lowest = std::min(lowest, pieces_.score(id));
  }
  unknown_score_ = lowest - kUnknownPenalty;
}

absl::Status SentencePieceUnigram::Tokenize(std::string_view piece, std::vector<Token>& out) const {
  Paths paths(piece.size());
  for (size_t at = 0; at < piece.size();) {
    const size_t character = unicode::DecodeAt(piece, at).size;
    bool has_character = false;
    paths.MoveTo(static_cast<uint32_t>(at));
    pieces_.text_pieces().ForEachPrefix(
        piece.substr(at), [&](const unicode::PrefixTrie::Match& match) {
          const Type type = pieces_.type(match.value);
          if (type == Type::kUnused) return;
          paths.Offer(match.value, match.size,
                      type == Type::kUserDefined ? UserDefinedScore(match.size)
                                                 : pieces_.score(match.value));
          has_character = has_character || match.size == character;
        });
    if (!has_character) paths.Offer(pieces_.unknown_id(), character, unknown_score_);
    at += character;
  }
  const size_t first = out.size();
  for (const Token& token : paths.Tokens()) {
    pieces_.Append(token, piece.substr(token.range.begin, token.range.size()), first, out);
  }
  return absl::OkStatus();
}

}  // namespace triptych::models
