// Tokenizer: the whole of a tokenizer.json, ready to encode and decode.
//
//     text ─▶ added tokens ─▶ normalizer ─▶ pre-tokenizer ─▶ model ─▶ post-processor ─▶ ids
//     ids ─▶ decoder ─▶ bytes ─▶ text
//
// It knows nothing of files (see loader/) and nothing of the wire (see server/).
#ifndef SIDECAR_TOKENIZER_TOKENIZER_H_
#define SIDECAR_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/byte_range.h"
#include "base/encoding.h"
#include "decoders/sequence.h"
#include "models/model.h"
#include "normalizers/normalizer.h"
#include "post_processors/layout.h"
#include "post_processors/post_processor.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "tokenizer/added_vocabulary.h"
#include "tokenizer/detokenizer.h"
#include "tokenizer/settings.h"
#include "tokenizer/text_encoder.h"

namespace triptych::tokenizer {

// The stages, as the loader read them.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<normalizers::Normalizer> normalizer;             // null: none
  std::unique_ptr<pre_tokenizers::PreTokenizer> pre_tokenizer;     // null: none
  std::unique_ptr<models::Model> model;                            // REQUIRES: not null
  std::unique_ptr<post_processors::PostProcessor> post_processor;  // null: none
  decoders::Sequence decoder;
  Settings settings;
  std::optional<BlankRule> blank_rule;  // what normalizer and pre-tokenizer come to, if it is that
};

struct EncodeInput {
  std::string_view text;
  // The bytes in which added tokens are not recognised: what a user wrote. Sorted, not overlapping,
  // on character boundaries. The model still sees the text as a whole.
  std::vector<base::ByteRange> literal_spans = {};
  bool add_special_tokens = false;
  // Whether to fill Encoding::ranges. Ids alone are found several times as fast.
  bool include_ranges = false;
  // A second text, for models that compare two.
  std::optional<std::string_view> pair = std::nullopt;
  std::vector<base::ByteRange> pair_literal_spans = {};
};

// Immutable but for the model's cache: safe to share between threads.
class Tokenizer {
 public:
  static constexpr size_t kMaxTextBytes = size_t{256} << 20;

  // INVALID_ARGUMENT where the added tokens do not fit the model.
  [[nodiscard]] static absl::StatusOr<Tokenizer> Create(TokenizerParts parts);

  // INVALID_ARGUMENT ("text: ...", "literal_spans[2]: ...", "pair: ...") where a text is not UTF-8
  // or too long, or a span is malformed; RESOURCE_EXHAUSTED where a pattern takes too long for the
  // text.
  [[nodiscard]] absl::StatusOr<base::Encoding> Encode(const EncodeInput& input) const;

  // See Detokenizer::Decode.
  [[nodiscard]] absl::StatusOr<std::string> Decode(std::span<const uint32_t> ids,
                                                   const DecodeOptions& options) const {
    return detokenizer_.Decode(ids, options);
  }
  [[nodiscard]] const Detokenizer& detokenizer() const { return detokenizer_; }

  // The number of tokens, added ones included.
  [[nodiscard]] size_t vocab_size() const { return detokenizer_.vocab_size(); }
  // One more than the highest id.
  [[nodiscard]] size_t id_limit() const { return detokenizer_.id_limit(); }
  [[nodiscard]] std::string_view model_type() const { return encoder_.model().type(); }
  [[nodiscard]] const std::vector<AddedToken>& added_tokens() const {
    return encoder_.added().tokens();
  }
  // What the files say and nothing here applies.
  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  Tokenizer(TokenizerParts parts, AddedVocabulary added, post_processors::Layouts layouts,
            Detokenizer detokenizer);

  TextEncoder encoder_;
  post_processors::Layouts layouts_;
  Detokenizer detokenizer_;
  Settings settings_;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_TOKENIZER_H_
