// TextEncoder: one text on its way to token ids, without what a post-processor adds.
//
//     text ─▶ added tokens ─▶ normalizer ─▶ added tokens ─▶ pre-tokenizer ─▶ model ─▶ ids
//
// There are two ways with the same ids. One follows tokenizer.json stage by stage and keeps, for
// each token, the bytes that it came from. The other is for ids alone, which is what a prompt
// needs: where the stages are those of the models in wide use it cuts the text as it came into
// words, without a copy, and asks the model for many words at once. sidecar/DESIGN.md shows why the
// ids are equal.
//
// Tested by text_encoder_test.cc, which holds the second way against the first, and both against
// `tokenizers` by tests/parity.
#ifndef SIDECAR_TOKENIZER_TEXT_ENCODER_H_
#define SIDECAR_TOKENIZER_TEXT_ENCODER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/aligned_text.h"
#include "base/byte_range.h"
#include "base/encoding.h"
#include "models/model.h"
#include "normalizers/normalizer.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "tokenizer/added_vocabulary.h"

namespace triptych::tokenizer {

// That normalizer and pre-tokenizer together do nothing but write "▁" for each blank, and perhaps
// one in front. The model's splitter then cuts the text before any of it is done.
struct BlankRule {
  enum class Prefix : uint8_t {
    kNever,
    kAlways,              // normalizer Prepend: also before a blank
    kUnlessBlank,         // Metaspace with prepend_scheme "always"
    kAtStartUnlessBlank,  // Metaspace with prepend_scheme "first": only where the request's text
                          // begins
  };

  Prefix prefix = Prefix::kNever;
};

// Immutable but for the model's table of words: safe to share between threads.
class TextEncoder {
 public:
  struct Stages {
    std::unique_ptr<normalizers::Normalizer> normalizer;          // null: none
    std::unique_ptr<pre_tokenizers::PreTokenizer> pre_tokenizer;  // null: none
    std::unique_ptr<models::Model> model;                         // REQUIRES: not null
    std::optional<BlankRule> blank_rule;
  };

  TextEncoder(Stages stages, AddedVocabulary added);

  // Appends the tokens of `text` with their ranges. REQUIRES: valid UTF-8; `literal` as
  // EncodeInput::literal_spans. Fails as Tokenizer::Encode.
  absl::Status Append(std::string_view text, const std::vector<base::ByteRange>& literal,
                      base::Encoding& encoding) const;

  // Appends the ids alone: the same.
  absl::Status AppendIds(std::string_view text, const std::vector<base::ByteRange>& literal,
                         std::vector<uint32_t>& ids) const;

  [[nodiscard]] const models::Model& model() const { return *stages_.model; }
  [[nodiscard]] const AddedVocabulary& added() const { return added_; }

 private:
  absl::Status AppendPlain(base::AlignedText text, const std::vector<base::ByteRange>& literal,
                           base::Encoding& encoding) const;
  absl::Status Normalize(const std::vector<base::ByteRange>& literal,
                         base::AlignedText& text) const;
  absl::Status AppendPieces(base::AlignedText text, base::Encoding& encoding) const;

  absl::Status AppendPlainIds(std::string_view text, uint32_t origin,
                              const std::vector<base::ByteRange>& literal,
                              std::vector<uint32_t>& ids) const;
  absl::Status AppendNormalizedIds(base::AlignedText text, std::vector<uint32_t>& ids) const;
  absl::Status AppendBlankWords(std::string_view text, bool is_start,
                                std::vector<uint32_t>& ids) const;
  template <typename Splitter>
  absl::Status AppendWords(const Splitter& splitter, std::string_view text, size_t begin,
                           std::vector<uint32_t>& ids) const;

  Stages stages_;
  AddedVocabulary added_;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_TEXT_ENCODER_H_
