#include "tokenizer/text_encoder.h"

#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "pre_tokenizers/word_splitter.h"

namespace triptych::tokenizer {
namespace {

using base::ByteRange;

// Words that are cut before the model sees them: enough to keep its memory accesses in flight.
constexpr size_t kBatch = 1024;
// Texts of less are copied to get a blank in front.
constexpr size_t kPrefixedBytes = 512;

}  // namespace

TextEncoder::TextEncoder(Stages stages, AddedVocabulary added)
    : stages_(std::move(stages)), added_(std::move(added)) {}

absl::Status TextEncoder::Append(std::string_view text, const std::vector<ByteRange>& literal,
                                 base::Encoding& encoding) const {
  for (const Section& section : added_.Cut(text, /*normalized=*/false, literal)) {
    if (section.id.has_value()) {
      encoding.Append(*section.id, section.range);
      continue;
    }
    const std::string_view plain = text.substr(section.range.begin, section.range.size());
    absl::Status appended =
        AppendPlain(base::AlignedText(plain, section.range.begin), literal, encoding);
    if (!appended.ok()) return appended;
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::AppendPlain(base::AlignedText text, const std::vector<ByteRange>& literal,
                                      base::Encoding& encoding) const {
  if (absl::Status done = Normalize(literal, text); !done.ok()) return done;
  if (!added_.has_any(/*normalized=*/true)) return AppendPieces(std::move(text), encoding);
  for (const Section& section :
       added_.Cut(text.text(), /*normalized=*/true, text.LiteralRanges())) {
    if (section.id.has_value()) {
      encoding.Append(*section.id, text.OriginOf(section.range));
    } else if (absl::Status appended = AppendPieces(text.Slice(section.range), encoding);
               !appended.ok()) {
      return appended;
    }
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::Normalize(const std::vector<ByteRange>& literal,
                                    base::AlignedText& text) const {
  // Only the search for normalized tokens, behind the normalizer, asks for the marks.
  if (!literal.empty() && added_.has_any(/*normalized=*/true)) text.MarkLiteral(literal);
  if (stages_.normalizer == nullptr) return absl::OkStatus();
  return stages_.normalizer->Normalize(text);
}

absl::Status TextEncoder::AppendPieces(base::AlignedText text, base::Encoding& encoding) const {
  pre_tokenizers::PreTokenizedText pieces(std::move(text));
  if (stages_.pre_tokenizer != nullptr) {
    absl::Status cut = stages_.pre_tokenizer->PreTokenize(pieces);
    if (!cut.ok()) return cut;
  }
  const std::string_view whole = pieces.text.text();
  std::vector<models::Token> tokens;
  for (const ByteRange& piece : pieces.pieces) {
    tokens.clear();
    absl::Status made = stages_.model->Tokenize(whole.substr(piece.begin, piece.size()), tokens);
    if (!made.ok()) return made;
    for (const models::Token& token : tokens) {
      const ByteRange range{piece.begin + token.range.begin, piece.begin + token.range.end};
      encoding.Append(token.id, pieces.text.OriginOf(range));
    }
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::AppendIds(std::string_view text, const std::vector<ByteRange>& literal,
                                    std::vector<uint32_t>& ids) const {
  if (text.empty()) return absl::OkStatus();
  if (!added_.MayCut(text, /*normalized=*/false)) return AppendPlainIds(text, 0, literal, ids);
  for (const Section& section : added_.Cut(text, /*normalized=*/false, literal)) {
    if (section.id.has_value()) {
      ids.push_back(*section.id);
      continue;
    }
    absl::Status appended = AppendPlainIds(text.substr(section.range.begin, section.range.size()),
                                           section.range.begin, literal, ids);
    if (!appended.ok()) return appended;
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::AppendPlainIds(std::string_view text, uint32_t origin,
                                         const std::vector<ByteRange>& literal,
                                         std::vector<uint32_t>& ids) const {
  const bool finds_normalized = added_.has_any(/*normalized=*/true);
  if (!finds_normalized) {
    if (stages_.blank_rule.has_value() && stages_.model->splitter() != nullptr) {
      return AppendBlankWords(text, origin == 0, ids);
    }
    if (stages_.normalizer == nullptr && stages_.pre_tokenizer != nullptr &&
        stages_.pre_tokenizer->word_splitter() != nullptr) {
      return AppendWords(*stages_.pre_tokenizer->word_splitter(), text, 0, ids);
    }
  }
  base::AlignedText aligned(text, origin);
  if (absl::Status done = Normalize(literal, aligned); !done.ok()) return done;
  if (!finds_normalized) return AppendNormalizedIds(std::move(aligned), ids);
  for (const Section& section :
       added_.Cut(aligned.text(), /*normalized=*/true, aligned.LiteralRanges())) {
    if (section.id.has_value()) {
      ids.push_back(*section.id);
    } else if (absl::Status appended = AppendNormalizedIds(aligned.Slice(section.range), ids);
               !appended.ok()) {
      return appended;
    }
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::AppendNormalizedIds(base::AlignedText text,
                                              std::vector<uint32_t>& ids) const {
  const pre_tokenizers::PreTokenizer* pre_tokenizer = stages_.pre_tokenizer.get();
  if (pre_tokenizer != nullptr && pre_tokenizer->word_splitter() != nullptr) {
    return AppendWords(*pre_tokenizer->word_splitter(), text.text(), 0, ids);
  }
  // A model with a splitter takes blanks, not the "▁" that stand here now.
  if (stages_.model->splitter() != nullptr) {
    base::Encoding encoding;
    absl::Status appended = AppendPieces(std::move(text), encoding);
    ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
    return appended;
  }
  pre_tokenizers::PreTokenizedText pieces(std::move(text));
  if (pre_tokenizer != nullptr) {
    if (absl::Status cut = pre_tokenizer->PreTokenize(pieces); !cut.ok()) return cut;
  }
  std::vector<uint32_t> ends;
  for (size_t i = 0; i < pieces.pieces.size();) {
    // What lies between pieces was removed; each run of pieces that adjoin is one call.
    const size_t begin = pieces.pieces[i].begin;
    ends.clear();
    do {
      ends.push_back(pieces.pieces[i++].end);
    } while (i < pieces.pieces.size() && pieces.pieces[i].begin == ends.back());
    absl::Status appended = stages_.model->AppendIds(pieces.text.text(), begin, ends, ids);
    if (!appended.ok()) return appended;
  }
  return absl::OkStatus();
}

absl::Status TextEncoder::AppendBlankWords(std::string_view text, bool is_start,
                                           std::vector<uint32_t>& ids) const {
  using Prefix = BlankRule::Prefix;
  if (text.empty()) return absl::OkStatus();
  const models::BlankSplitter& splitter = *stages_.model->splitter();
  const Prefix prefix = stages_.blank_rule->prefix;
  const bool begins_blank = text[0] == ' ' || text.starts_with(models::kBlankMark);
  const bool is_prefixed = prefix == Prefix::kAlways ||
                           (prefix == Prefix::kUnlessBlank && !begins_blank) ||
                           (prefix == Prefix::kAtStartUnlessBlank && is_start && !begins_blank);
  if (!is_prefixed) return AppendWords(splitter, text, 0, ids);
  if (text.size() < kPrefixedBytes) {
    char prefixed[kPrefixedBytes];
    prefixed[0] = ' ';
    std::memcpy(prefixed + 1, text.data(), text.size());
    // Cut where the text itself is: what was just copied is slow to read in large parts.
    uint32_t ends[kPrefixedBytes + models::BlankSplitter::kMinCapacity];
    size_t count = 0;
    if (splitter.cuts_at_newlines() && text[0] == '\n') ends[count++] = 0;
    count += splitter.Split(text, 0, ends + count, std::size(ends) - count);
    for (size_t i = 0; i < count; ++i) ++ends[i];
    return stages_.model->AppendIds({prefixed, text.size() + 1}, 0, std::span(ends, count), ids);
  }
  // Of a long text only the first word is copied, with its blank.
  uint32_t ends[models::BlankSplitter::kMinCapacity];
  static_cast<void>(splitter.Split(text, 0, ends, std::size(ends)));
  const size_t end = splitter.cuts_at_newlines() && text[0] == '\n' ? 0 : ends[0];
  std::string first(1, ' ');
  first.append(text.substr(0, end));
  const auto size = static_cast<uint32_t>(first.size());
  absl::Status appended = stages_.model->AppendIds(first, 0, std::span(&size, 1), ids);
  if (!appended.ok() || end == text.size()) return appended;
  return AppendWords(splitter, text, end, ids);
}

template <typename Splitter>
absl::Status TextEncoder::AppendWords(const Splitter& splitter, std::string_view text, size_t begin,
                                      std::vector<uint32_t>& ids) const {
  uint32_t ends[kBatch];
  while (begin < text.size()) {
    const size_t count = splitter.Split(text, begin, ends, kBatch);
    absl::Status appended = stages_.model->AppendIds(text, begin, std::span(ends, count), ids);
    if (!appended.ok()) return appended;
    begin = ends[count - 1];
  }
  return absl::OkStatus();
}

}  // namespace triptych::tokenizer
