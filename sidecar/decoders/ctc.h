// Ctc: `"type": "CTC"`, for speech models that name a sound for each moment: of equal tokens in a
// row one stays, pads vanish, and the word delimiter becomes a space.
#ifndef SIDECAR_DECODERS_CTC_H_
#define SIDECAR_DECODERS_CTC_H_

#include <memory>
#include <string>
#include <utility>

#include "decoders/decoder.h"

namespace triptych::decoders {

class Ctc final : public Decoder {
 public:
  // Delimiters are read only with `cleanup`, and after SpaceCleanup::OfTokenizers.
  Ctc(std::string pad_token, std::string word_delimiter_token, bool cleanup)
      : pad_token_(std::move(pad_token)),
        word_delimiter_token_(std::move(word_delimiter_token)),
        cleanup_(cleanup) {}

  // Holds back an unfinished token. Tokens that become empty are dropped.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;

 private:
  friend class CtcSink;

  std::string pad_token_;
  std::string word_delimiter_token_;
  bool cleanup_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_CTC_H_
