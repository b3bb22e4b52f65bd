// ByteLevel: `"type": "ByteLevel"`, the pre-tokenizer of GPT-2.
//
// It puts a space in front, cuts with GPT-2's pattern, and writes every byte as a character of the
// byte-level alphabet ("é b" -> Ã©Ġb). Where nothing but the model sees the result, the third is
// not done: the model's vocabulary is translated to bytes once, when it is loaded, and text stays
// text. Where another step follows, such as Falcon's Split at digits, that step must see the
// alphabet, so the text is really rewritten, and the model works on the characters of the alphabet.
#ifndef SIDECAR_PRE_TOKENIZERS_BYTE_LEVEL_H_
#define SIDECAR_PRE_TOKENIZERS_BYTE_LEVEL_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "pre_tokenizers/split.h"

namespace triptych::pre_tokenizers {

class ByteLevel final : public PreTokenizer {
 public:
  // What the pieces are made of.
  enum class Output {
    kBytes,     // the text's own bytes; for the last step, where the model knows bytes
    kAlphabet,  // characters of the byte-level alphabet
  };

  // With `add_prefix_space` every piece that does not begin with U+0020 gets one in front; with
  // `use_regex` each piece is then cut with GPT-2's pattern. It fails only if that pattern does not
  // compile, which a test excludes.
  [[nodiscard]] static absl::StatusOr<ByteLevel> Create(bool add_prefix_space, bool use_regex,
                                                        Output output);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;
  [[nodiscard]] bool yields_bytes() const override { return output_ == Output::kBytes; }
  [[nodiscard]] const WordSplitter* word_splitter() const override {
    return changes_text() || !split_.has_value() ? nullptr : split_->word_splitter();
  }

  // Whether a text can come out changed. If not, and there is no pattern, this does nothing.
  [[nodiscard]] bool changes_text() const {
    return add_prefix_space_ || output_ == Output::kAlphabet;
  }
  [[nodiscard]] bool does_nothing() const override {
    return !changes_text() && !split_.has_value();
  }

 private:
  ByteLevel(bool add_prefix_space, std::optional<Split> split, Output output)
      : add_prefix_space_(add_prefix_space), split_(std::move(split)), output_(output) {}

  bool add_prefix_space_;
  std::optional<Split> split_;
  Output output_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_BYTE_LEVEL_H_
