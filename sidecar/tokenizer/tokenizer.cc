#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/aligned_text.h"
#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::tokenizer {
namespace {

using base::ByteRange;
using post_processors::Piece;

// A short text's ids are then allocated once, with what a model may write behind them.
constexpr size_t kSpareIds = 32, kReservedIds = 256;

absl::Status CheckText(std::string_view name, std::string_view text) {
  if (text.size() > Tokenizer::kMaxTextBytes) {
    return absl::InvalidArgumentError(base::StrCat(
        name, ": ", text.size(), " bytes are more than the allowed ", Tokenizer::kMaxTextBytes));
  }
  if (const auto invalid = unicode::FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(base::StrCat(name, ": not valid UTF-8 at byte ", *invalid));
  }
  return absl::OkStatus();
}

absl::Status CheckSpans(std::string_view name, std::string_view text,
                        const std::vector<ByteRange>& spans) {
  uint32_t end = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    const ByteRange span = spans[i];
    const auto error = [&](std::string_view what) {
      return absl::InvalidArgumentError(
          base::StrCat(name, "[", i, "]: [", span.begin, ", ", span.end, ") ", what));
    };
    if (span.begin > span.end) return error("ends before it begins");
    if (span.end > text.size()) {
      return error(base::StrCat("reaches past the text, which has ", text.size(), " bytes"));
    }
    if (span.begin < end) return error("begins before the span in front of it ends");
    if (!unicode::IsBoundary(text, span.begin) || !unicode::IsBoundary(text, span.end)) {
      return error("cuts a UTF-8 character in two");
    }
    end = span.end;
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const EncodeInput& input) {
  absl::Status checked = CheckText("text", input.text);
  if (checked.ok()) checked = CheckSpans("literal_spans", input.text, input.literal_spans);
  if (!checked.ok() || !input.pair.has_value()) return checked;
  checked = CheckText("pair", *input.pair);
  if (!checked.ok()) return checked;
  return CheckSpans("pair_literal_spans", *input.pair, input.pair_literal_spans);
}

base::Encoding::Source SourceOf(const Piece& piece) {
  using Source = base::Encoding::Source;
  switch (piece.kind) {
    case Piece::Kind::kFirstText:
      return Source::kFirstText;
    case Piece::Kind::kSecondText:
      return Source::kSecondText;
    case Piece::Kind::kToken:
      break;
  }
  return Source::kSpecialToken;
}

// Views into the two vocabularies. Where both know an id, the added token counts.
std::vector<Detokenizer::Token> AllTokens(const models::Vocabulary& vocabulary,
                                          const AddedVocabulary& added) {
  std::vector<Detokenizer::Token> tokens;
  tokens.reserve(vocabulary.size() + added.tokens().size());
  for (uint32_t id = 0; id < vocabulary.id_limit(); ++id) {
    const std::optional<std::string_view> content = vocabulary.TokenOf(id);
    if (content.has_value() && added.Find(id) == nullptr) {
      tokens.push_back({id, *content, /*is_special=*/false});
    }
  }
  for (const AddedToken& token : added.tokens()) {
    tokens.push_back({token.id, token.content, token.special});
  }
  return tokens;
}

}  // namespace

absl::StatusOr<Tokenizer> Tokenizer::Create(TokenizerParts parts) {
  absl::StatusOr<AddedVocabulary> added = AddedVocabulary::Create(
      std::move(parts.added_tokens), parts.model->vocabulary(), parts.normalizer.get());
  if (!added.ok()) return added.status();
  absl::StatusOr<post_processors::Layouts> layouts =
      post_processors::Layouts::Create(parts.post_processor.get());
  if (!layouts.ok()) {
    return absl::Status(layouts.status().code(),
                        base::StrCat("post_processor: ", base::MessageOf(layouts.status())));
  }
  absl::StatusOr<Detokenizer> detokenizer =
      Detokenizer::Create(AllTokens(parts.model->vocabulary(), *added), std::move(parts.decoder));
  if (!detokenizer.ok()) return detokenizer.status();
  return Tokenizer(std::move(parts), *std::move(added), *std::move(layouts),
                   *std::move(detokenizer));
}

Tokenizer::Tokenizer(TokenizerParts parts, AddedVocabulary added, post_processors::Layouts layouts,
                     Detokenizer detokenizer)
    : encoder_({.normalizer = std::move(parts.normalizer),
                .pre_tokenizer = std::move(parts.pre_tokenizer),
                .model = std::move(parts.model),
                .blank_rule = parts.blank_rule},
               std::move(added)),
      layouts_(std::move(layouts)),
      detokenizer_(std::move(detokenizer)),
      settings_(std::move(parts.settings)) {}

absl::StatusOr<base::Encoding> Tokenizer::Encode(const EncodeInput& input) const {
  if (absl::Status checked = CheckInput(input); !checked.ok()) return checked;
  const bool is_pair = input.pair.has_value();
  absl::StatusOr<base::Encoding> result{base::Encoding()};
  base::Encoding& encoding = *result;
  encoding.ids.reserve(std::min(2 * input.text.size() + kSpareIds, kReservedIds));
  uint32_t end = 0;  // of the text before a special token
  for (const Piece& piece : layouts_.For(is_pair, input.add_special_tokens)) {
    const size_t before = encoding.ids.size();
    if (piece.kind == Piece::Kind::kToken) {
      encoding.ids.push_back(piece.id);
      if (input.include_ranges) encoding.ranges.push_back({end, end});
    } else {
      const bool is_first = piece.kind == Piece::Kind::kFirstText;
      const std::string_view text = is_first ? input.text : *input.pair;
      const auto& literal = is_first ? input.literal_spans : input.pair_literal_spans;
      absl::Status encoded = input.include_ranges ? encoder_.Append(text, literal, encoding)
                                                  : encoder_.AppendIds(text, literal, encoding.ids);
      if (!encoded.ok()) return encoded;
      if (input.include_ranges) {
        end = encoding.ids.size() == before ? 0 : encoding.ranges.back().end;
      }
    }
    if (is_pair) encoding.sources.resize(encoding.ids.size(), SourceOf(piece));
    if (piece.type_id != 0) encoding.type_ids.resize(before);
    if (piece.type_id != 0 || !encoding.type_ids.empty()) {
      encoding.type_ids.resize(encoding.ids.size(), piece.type_id);
    }
  }
  return result;
}

}  // namespace triptych::tokenizer
