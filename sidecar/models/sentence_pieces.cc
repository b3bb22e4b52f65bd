// Tested by sentence_piece_bpe_test.cc, sentence_piece_unigram_test.cc and
// tests/unit/tokenizer/test_sentence_piece.py.
#include "models/sentence_pieces.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::models {
namespace {

using Type = SentencePiece::Type;

// "<0x0A>" -> 10.
std::optional<uint8_t> ByteOf(std::string_view piece) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  const size_t high = kHex.find(piece[3]), low = kHex.find(piece[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

bool IsMadeOfText(Type type) {
  return type == Type::kNormal || type == Type::kUserDefined || type == Type::kUnused;
}

}  // namespace

absl::StatusOr<SentencePieces> SentencePieces::Create(const std::vector<SentencePiece>& pieces,
                                                      bool byte_fallback) {
  SentencePieces result;
  result.byte_fallback_ = byte_fallback;
  result.byte_ids_.fill(kNone);
  VocabularyBuilder builder;
  builder.Reserve(pieces.size());
  for (const SentencePiece& piece : pieces) {
    if (absl::Status added = result.Add(piece, byte_fallback, builder); !added.ok()) {
      return absl::InvalidArgumentError(
          base::StrCat("pieces[", result.types_.size(), "]: ", base::MessageOf(added)));
    }
  }
  if (absl::Status checked = result.Check(byte_fallback); !checked.ok()) return checked;
  absl::StatusOr<Vocabulary> vocabulary = builder.Build();
  if (!vocabulary.ok()) return vocabulary.status();
  if (vocabulary->size() != pieces.size()) {
    return absl::InvalidArgumentError("pieces: a piece is listed twice");
  }
  result.vocabulary_ = *std::move(vocabulary);
  std::vector<std::pair<std::string_view, uint32_t>> text_pieces, user_defined;
  for (uint32_t id = 0; id < pieces.size(); ++id) {
    if (IsMadeOfText(pieces[id].type)) text_pieces.emplace_back(pieces[id].text, id);
    if (pieces[id].type == Type::kUserDefined) user_defined.emplace_back(pieces[id].text, id);
  }
  result.text_pieces_ = unicode::PrefixTrie(std::move(text_pieces));
  result.user_defined_ = unicode::PrefixTrie(std::move(user_defined));
  return result;
}

absl::Status SentencePieces::Add(const SentencePiece& piece, bool byte_fallback,
                                 VocabularyBuilder& builder) {
  const auto id = static_cast<uint32_t>(types_.size());
  if (piece.text.empty()) return absl::InvalidArgumentError("is empty");
  if (piece.text.size() > kMaxPieceBytes) {
    return absl::InvalidArgumentError(
        base::StrCat("has ", piece.text.size(), " bytes, more than the allowed ", kMaxPieceBytes));
  }
  if (unicode::FindInvalidUtf8(piece.text).has_value()) {
    return absl::InvalidArgumentError("is not UTF-8");
  }
  if (!(piece.score == piece.score)) return absl::InvalidArgumentError("the score is not a number");
  if (piece.type == Type::kUnknown) {
    if (unknown_id_ != kNone) return absl::InvalidArgumentError("a second unknown piece");
    unknown_id_ = id;
  } else if (piece.type == Type::kByte) {
    const std::optional<uint8_t> byte = ByteOf(piece.text);
    if (!byte_fallback) {
      return absl::InvalidArgumentError("a byte piece, although byte_fallback is not set");
    }
    if (!byte.has_value()) {
      return absl::InvalidArgumentError(base::StrCat("\"", piece.text, "\" is not a byte"));
    }
    byte_ids_[*byte] = id;
  }
  if (absl::Status added = builder.Add(piece.text, id); !added.ok()) return added;
  types_.push_back(piece.type);
  scores_.push_back(piece.score);
  return absl::OkStatus();
}

absl::Status SentencePieces::Check(bool byte_fallback) const {
  if (unknown_id_ == kNone) return absl::InvalidArgumentError("pieces: none is the unknown piece");
  if (byte_fallback && std::count(byte_ids_.begin(), byte_ids_.end(), kNone) != 0) {
    return absl::InvalidArgumentError("pieces: byte_fallback is set, but a byte is missing");
  }
  return absl::OkStatus();
}

void SentencePieces::Append(const Token& token, std::string_view text, size_t first,
                            std::vector<Token>& out) const {
  if (token.id != unknown_id_) {
    out.push_back(token);
  } else if (byte_fallback_) {
    for (const char c : text) out.push_back({byte_ids_[static_cast<uint8_t>(c)], token.range});
  } else if (out.size() > first && out.back().id == unknown_id_) {
    out.back().range.end = token.range.end;
  } else {
    out.push_back(token);
  }
}

}  // namespace triptych::models
