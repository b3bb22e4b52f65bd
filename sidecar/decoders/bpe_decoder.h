// BpeDecoder: `"type": "BPEDecoder"`, reads the suffix that ends a word, mostly "</w>", as a space,
// but in the last token as nothing.
#ifndef SIDECAR_DECODERS_BPE_DECODER_H_
#define SIDECAR_DECODERS_BPE_DECODER_H_

#include <memory>
#include <string>
#include <utility>

#include "decoders/decoder.h"

namespace triptych::decoders {

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  // Holds back each token until there is another.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;

 private:
  std::string suffix_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_BPE_DECODER_H_
