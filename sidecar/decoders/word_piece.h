// WordPiece: `"type": "WordPiece"`, puts a space before each token but the first, unless it begins
// with the prefix, mostly "##", which is taken off: "play", "##ing", "now" -> "playing now".
#ifndef SIDECAR_DECODERS_WORD_PIECE_H_
#define SIDECAR_DECODERS_WORD_PIECE_H_

#include <memory>
#include <string>
#include <utility>

#include "decoders/decoder.h"

namespace triptych::decoders {

class WordPiece final : public Decoder {
 public:
  // With `cleanup` each token, with the space before it, goes through SpaceCleanup::OfTokenizers.
  WordPiece(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  // Holds back the beginning of a token while it may become the prefix.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kPerTokenFirst; }

 private:
  std::string prefix_;
  bool cleanup_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_WORD_PIECE_H_
