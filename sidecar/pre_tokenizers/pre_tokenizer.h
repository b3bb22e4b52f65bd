// PreTokenizer: the second stage of tokenizer.json's pipeline, which cuts a text into pieces. The
// model never joins what was cut here.
#ifndef SIDECAR_PRE_TOKENIZERS_PRE_TOKENIZER_H_
#define SIDECAR_PRE_TOKENIZERS_PRE_TOKENIZER_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/aligned_text.h"
#include "base/byte_range.h"
#include "pre_tokenizers/word_splitter.h"

namespace triptych::pre_tokenizers {

// A text and its pieces: non-empty, in order, not overlapping. Bytes between pieces were removed.
struct PreTokenizedText {
  // The whole of `whole` as one piece; no piece where it is empty.
  explicit PreTokenizedText(base::AlignedText whole) : text(std::move(whole)) {
    if (!text.text().empty()) pieces.push_back({0, static_cast<uint32_t>(text.text().size())});
  }

  base::AlignedText text;
  std::vector<base::ByteRange> pieces;
};

// Implementations are immutable, so safe to share between threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  // Cuts each piece of `text` further, as if it stood alone: no pattern sees past its piece.
  // RESOURCE_EXHAUSTED where a pattern takes too long for this text; `text` is then unspecified.
  [[nodiscard]] virtual absl::Status PreTokenize(PreTokenizedText& text) const = 0;

  // The splitter that cuts any text exactly as this does, where all this does is cut with one of
  // the patterns that it knows; null otherwise. Lives as long as this.
  [[nodiscard]] virtual const WordSplitter* word_splitter() const { return nullptr; }

  // Whether it leaves every text as it is, in one piece.
  [[nodiscard]] virtual bool does_nothing() const { return false; }

  // Whether the pieces are bytes for a model whose vocabulary was translated to bytes; see
  // byte_level.h. Otherwise they are the text that the vocabulary is written in.
  [[nodiscard]] virtual bool yields_bytes() const { return false; }
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_PRE_TOKENIZER_H_
