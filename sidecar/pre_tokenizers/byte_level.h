// ByteLevel: `"type": "ByteLevel"`, the pre-tokenizer of GPT-2.
//
// In tokenizer.json it does three things: puts a space in front, cuts with GPT-2's pattern, and
// writes every byte as a character of the byte-level alphabet. The third is not done here: the
// model's vocabulary was translated to bytes when it was loaded, so text stays text. The loader
// therefore demands that ByteLevel is the last pre-tokenizer.
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
  // With `add_prefix_space` every piece that does not begin with U+0020 gets one in front; with
  // `use_regex` each piece is then cut with GPT-2's pattern. It fails only if that pattern does not
  // compile, which a test excludes.
  [[nodiscard]] static absl::StatusOr<ByteLevel> Create(bool add_prefix_space, bool use_regex);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;

 private:
  ByteLevel(bool add_prefix_space, std::optional<Split> split)
      : add_prefix_space_(add_prefix_space), split_(std::move(split)) {}

  bool add_prefix_space_;
  std::optional<Split> split_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_BYTE_LEVEL_H_
