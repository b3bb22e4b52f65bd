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

// The bytes of `text` that came from `spans` of the request.
std::vector<ByteRange> SpansWithin(const base::AlignedText& text,
                                   const std::vector<ByteRange>& spans) {
  std::vector<ByteRange> within;
  if (spans.empty()) return within;
  auto span = spans.begin();
  for (uint32_t i = 0; i < text.text().size(); ++i) {
    const ByteRange origin = text.OriginOf({i, i + 1});
    while (span != spans.end() && span->end <= origin.begin) ++span;
    if (span == spans.end()) break;
    if (!span->Overlaps(origin)) continue;
    if (!within.empty() && within.back().end == i) {
      within.back().end = i + 1;
    } else {
      within.push_back({i, i + 1});
    }
  }
  return within;
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
    : normalizer_(std::move(parts.normalizer)),
      pre_tokenizer_(std::move(parts.pre_tokenizer)),
      model_(std::move(parts.model)),
      added_(std::move(added)),
      layouts_(std::move(layouts)),
      detokenizer_(std::move(detokenizer)),
      settings_(std::move(parts.settings)) {}

absl::StatusOr<base::Encoding> Tokenizer::Encode(const EncodeInput& input) const {
  if (absl::Status checked = CheckInput(input); !checked.ok()) return checked;
  const bool is_pair = input.pair.has_value();
  base::Encoding encoding;
  uint32_t end = 0;  // of the text before a special token
  for (const Piece& piece : layouts_.For(is_pair, input.add_special_tokens)) {
    const size_t before = encoding.ids.size();
    if (piece.kind == Piece::Kind::kToken) {
      encoding.Append(piece.id, {end, end});
    } else {
      const bool is_first = piece.kind == Piece::Kind::kFirstText;
      absl::Status encoded =
          EncodeText(is_first ? input.text : *input.pair,
                     is_first ? input.literal_spans : input.pair_literal_spans, encoding);
      if (!encoded.ok()) return encoded;
      end = encoding.ids.size() == before ? 0 : encoding.ranges.back().end;
    }
    if (is_pair) encoding.sources.resize(encoding.ids.size(), SourceOf(piece));
    if (piece.type_id != 0) encoding.type_ids.resize(before);
    if (piece.type_id != 0 || !encoding.type_ids.empty()) {
      encoding.type_ids.resize(encoding.ids.size(), piece.type_id);
    }
  }
  return encoding;
}

absl::Status Tokenizer::EncodeText(std::string_view text, const std::vector<ByteRange>& literal,
                                   base::Encoding& encoding) const {
  for (const Section& section : added_.Cut(text, /*normalized=*/false, literal)) {
    if (section.id.has_value()) {
      encoding.Append(*section.id, section.range);
      continue;
    }
    absl::Status encoded =
        EncodePlain(base::AlignedText(text.substr(section.range.begin, section.range.size()),
                                      section.range.begin),
                    literal, encoding);
    if (!encoded.ok()) return encoded;
  }
  return absl::OkStatus();
}

absl::Status Tokenizer::EncodePlain(base::AlignedText text, const std::vector<ByteRange>& literal,
                                    base::Encoding& encoding) const {
  if (normalizer_ != nullptr) normalizer_->Normalize(text);
  if (!added_.has_any(/*normalized=*/true)) return EncodePieces(std::move(text), encoding);
  for (const Section& section :
       added_.Cut(text.text(), /*normalized=*/true, SpansWithin(text, literal))) {
    if (section.id.has_value()) {
      encoding.Append(*section.id, text.OriginOf(section.range));
    } else if (absl::Status encoded = EncodePieces(text.Slice(section.range), encoding);
               !encoded.ok()) {
      return encoded;
    }
  }
  return absl::OkStatus();
}

absl::Status Tokenizer::EncodePieces(base::AlignedText text, base::Encoding& encoding) const {
  pre_tokenizers::PreTokenizedText pieces(std::move(text));
  if (pre_tokenizer_ != nullptr) {
    if (absl::Status cut = pre_tokenizer_->PreTokenize(pieces); !cut.ok()) return cut;
  }
  const std::string_view whole = pieces.text.text();
  std::vector<models::Token> tokens;
  for (const ByteRange& piece : pieces.pieces) {
    tokens.clear();
    absl::Status made = model_->Tokenize(whole.substr(piece.begin, piece.size()), tokens);
    if (!made.ok()) return made;
    for (const models::Token& token : tokens) {
      const ByteRange range{piece.begin + token.range.begin, piece.begin + token.range.end};
      encoding.Append(token.id, pieces.text.OriginOf(range));
    }
  }
  return absl::OkStatus();
}

}  // namespace triptych::tokenizer
