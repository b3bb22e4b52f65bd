#include "normalizers/bert_normalizer.h"

#include <iterator>
#include <string>

#include "normalizers/edit_characters.h"
#include "unicode/normalizer_tables.h"

namespace triptych::normalizers {
namespace {

constexpr uint8_t kRemove = 1, kSpace = 2, kChinese = 4;

// The blocks that BERT takes for Chinese. Extension E begins at U+2B820, but not in `tokenizers`.
constexpr unicode::CodePointRange kChineseBlocks[] = {
    {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
    {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};

}  // namespace

BertNormalizer::BertNormalizer(Options options, unicode::TableVersion version)
    : options_(options), decomposed_(unicode::NormalFormKind::kNfd, version) {
  if (options.clean_text) {
    characters_.Add(unicode::kBertControl, unicode::kBertControlSize, kRemove);
    characters_.Add(unicode::kBertSpace, unicode::kBertSpaceSize, kSpace);
  }
  if (options.handle_chinese_chars) {
    characters_.Add(kChineseBlocks, std::size(kChineseBlocks), kChinese);
  }
  accents_.Add(unicode::kBertAccent, unicode::kBertAccentSize, 1);
}

absl::Status BertNormalizer::Normalize(base::AlignedText& text) const {
  std::string bytes;
  EditCharacters(text, characters_, [&](base::TextRewriter& rewriter, char32_t c, size_t size) {
    const uint8_t flags = characters_[c];
    if (flags == kRemove) {
      rewriter.Remove(size);
    } else if (flags == kSpace) {
      rewriter.Replace(size, " ");
    } else {
      bytes.assign(1, ' ');
      unicode::AppendUtf8(c, bytes);
      bytes += ' ';
      rewriter.Replace(size, bytes);
    }
  });
  if (options_.strip_accents) {
    decomposed_.Apply(text);
    RemoveCharacters(text, accents_);
  }
  return options_.lowercase ? lowercase_.Normalize(text) : absl::OkStatus();
}

}  // namespace triptych::normalizers
