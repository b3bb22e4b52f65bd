// SpaceCleanup: takes out the spaces that tokenizing put before punctuation: "do n't , no ." ->
// "don't, no.".
#ifndef SIDECAR_DECODERS_SPACE_CLEANUP_H_
#define SIDECAR_DECODERS_SPACE_CLEANUP_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decoders/literal_replacer.h"

namespace triptych::decoders {

// Replacements one after the other, in a text that arrives in pieces. However it is cut, the
// outputs joined are the same. Held back are the last few bytes. Not thread-safe.
class SpaceCleanup {
 public:
  // The list of WordPiece and CTC in `tokenizers`.
  [[nodiscard]] static SpaceCleanup OfTokenizers();
  // The list of clean_up_tokenization in `transformers`: the same, but without " do not".
  [[nodiscard]] static SpaceCleanup OfTransformers();

  // Appends to `out` all that is certain after `piece`. REQUIRES: `piece` does not lie in `out`.
  void Append(std::string_view piece, std::string& out);

  // Appends to `out` what is held back. Afterwards the object is as new.
  void Flush(std::string& out);

 private:
  explicit SpaceCleanup(std::vector<LiteralReplacer> steps) : steps_(std::move(steps)) {}

  std::vector<LiteralReplacer> steps_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_SPACE_CLEANUP_H_
