// Model: the third stage of tokenizer.json's pipeline, which turns a piece into tokens.
#ifndef SIDECAR_MODELS_MODEL_H_
#define SIDECAR_MODELS_MODEL_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/byte_range.h"
#include "models/vocabulary.h"

namespace triptych::models {

// A token and the bytes of its piece that it stands for.
struct Token {
  uint32_t id;
  base::ByteRange range;

  friend bool operator==(const Token&, const Token&) = default;
};

// Implementations are safe to share between threads.
class Model {
 public:
  virtual ~Model() = default;

  // Appends the tokens of `piece`, in order. Time O(n log n). What the vocabulary cannot express
  // becomes the model's unknown token, or nothing where the model may drop it. INVALID_ARGUMENT
  // ("text: ...") where `tokenizers` fails too: the unknown token is needed and the vocabulary
  // lacks it.
  [[nodiscard]] virtual absl::Status Tokenize(std::string_view piece,
                                              std::vector<Token>& out) const = 0;

  // The tokens as tokenizer.json writes them. Lives as long as the model.
  [[nodiscard]] virtual const Vocabulary& vocabulary() const = 0;

  // The `"type"` in tokenizer.json.
  [[nodiscard]] virtual std::string_view type() const = 0;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_MODEL_H_
