#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/aligned_text.h"
#include "base/str_cat.h"
#include "unicode/utf8.h"

namespace triptych::tokenizer {
namespace {

using base::ByteRange;

absl::Status CheckText(std::string_view text) {
  if (text.size() > Tokenizer::kMaxTextBytes) {
    return absl::InvalidArgumentError(base::StrCat(
        "text: ", text.size(), " bytes are more than the allowed ", Tokenizer::kMaxTextBytes));
  }
  if (const auto invalid = unicode::FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(base::StrCat("text: not valid UTF-8 at byte ", *invalid));
  }
  return absl::OkStatus();
}

absl::Status CheckSpans(std::string_view text, const std::vector<ByteRange>& spans) {
  uint32_t end = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    const ByteRange span = spans[i];
    const auto error = [&](std::string_view what) {
      return absl::InvalidArgumentError(
          base::StrCat("literal_spans[", i, "]: [", span.begin, ", ", span.end, ") ", what));
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

}  // namespace

absl::StatusOr<Tokenizer> Tokenizer::Create(TokenizerParts parts) {
  absl::StatusOr<AddedVocabulary> added = AddedVocabulary::Create(
      std::move(parts.added_tokens), parts.model->vocabulary(), parts.normalizer.get());
  if (!added.ok()) return added.status();
  return Tokenizer(std::move(parts), *std::move(added));
}

Tokenizer::Tokenizer(TokenizerParts parts, AddedVocabulary added)
    : normalizer_(std::move(parts.normalizer)),
      pre_tokenizer_(std::move(parts.pre_tokenizer)),
      model_(std::move(parts.model)),
      post_processor_(std::move(parts.post_processor)),
      added_(std::move(added)),
      settings_(std::move(parts.settings)) {
  FillTokenBytes(*parts.decoder);
}

void Tokenizer::FillTokenBytes(const decoders::Decoder& decoder) {
  const models::Vocabulary& vocabulary = model_->vocabulary();
  size_t limit = vocabulary.id_limit();
  for (const AddedToken& token : added_.tokens()) limit = std::max<size_t>(limit, token.id + 1);
  tokens_.resize(limit);
  for (uint32_t id = 0; id < limit; ++id) {
    const AddedToken* added = added_.Find(id);
    const std::optional<std::string_view> content =
        added != nullptr ? std::optional<std::string_view>(added->content) : vocabulary.TokenOf(id);
    if (!content.has_value()) continue;
    const std::string bytes = decoder.BytesOf(*content);
    tokens_[id] = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(bytes.size()),
                   /*is_known=*/true, added != nullptr && added->special};
    bytes_ += bytes;
    ++vocab_size_;
  }
}

absl::StatusOr<base::Encoding> Tokenizer::Encode(const EncodeInput& input) const {
  if (absl::Status checked = CheckText(input.text); !checked.ok()) return checked;
  if (absl::Status checked = CheckSpans(input.text, input.literal_spans); !checked.ok()) {
    return checked;
  }
  base::Encoding encoding;
  for (const Section& section : added_.Cut(input.text, /*normalized=*/false, input.literal_spans)) {
    if (section.id.has_value()) {
      encoding.Append(*section.id, section.range);
      continue;
    }
    base::AlignedText text(input.text.substr(section.range.begin, section.range.size()),
                           section.range.begin);
    absl::Status encoded = EncodePlain(std::move(text), input.literal_spans, encoding);
    if (!encoded.ok()) return encoded;
  }
  if (input.add_special_tokens && post_processor_ != nullptr) {
    post_processor_->AddSpecialTokens(encoding);
  }
  return encoding;
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

absl::Status Tokenizer::AppendBytesOf(const std::vector<uint32_t>& ids, bool skip_special_tokens,
                                      std::string& out) const {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= tokens_.size() || !tokens_[ids[i]].is_known) {
      return absl::InvalidArgumentError(base::StrCat("token_ids[", i, "]: ", ids[i],
                                                     " is not the id of a token; ids are below ",
                                                     tokens_.size()));
    }
  }
  for (const uint32_t id : ids) {
    const TokenBytes& token = tokens_[id];
    if (skip_special_tokens && token.is_special) continue;
    out.append(bytes_, token.begin, token.size);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Tokenizer::Decode(const std::vector<uint32_t>& ids,
                                              bool skip_special_tokens) const {
  std::string bytes, text;
  absl::Status appended = AppendBytesOf(ids, skip_special_tokens, bytes);
  if (!appended.ok()) return appended;
  unicode::Utf8Repairer repairer;
  repairer.Append(bytes, text);
  repairer.Flush(text);
  return text;
}

}  // namespace triptych::tokenizer
