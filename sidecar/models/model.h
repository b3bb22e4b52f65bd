// Model: the third stage of tokenizer.json's pipeline, which turns a piece into tokens.
#ifndef SIDECAR_MODELS_MODEL_H_
#define SIDECAR_MODELS_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/byte_range.h"
#include "models/blank_splitter.h"
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

  // Appends the ids of several words of `text`: of its bytes from `begin` to ends[0], from there to
  // ends[1] and so on. For each word they are those of Tokenize, but a model with a splitter()
  // takes words in which blanks are still blanks. This is how nearly all text is encoded: a model
  // that remembers words overrides it.
  [[nodiscard]] virtual absl::Status AppendIds(std::string_view text, size_t begin,
                                               std::span<const uint32_t> ends,
                                               std::vector<uint32_t>& ids) const;

  // Cuts text in which blanks were not yet replaced by "▁" so that its words have the tokens of the
  // whole; null where the model has no such splitter. Lives as long as the model.
  [[nodiscard]] virtual const BlankSplitter* splitter() const { return nullptr; }

  // The tokens as tokenizer.json writes them. Lives as long as the model.
  [[nodiscard]] virtual const Vocabulary& vocabulary() const = 0;

  // The `"type"` in tokenizer.json.
  [[nodiscard]] virtual std::string_view type() const = 0;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_MODEL_H_
