// SpaceJoiner: what a tokenizer.json without a decoder does: tokens with a space between them.
#ifndef SIDECAR_DECODERS_SPACE_JOINER_H_
#define SIDECAR_DECODERS_SPACE_JOINER_H_

#include <memory>

#include "decoders/decoder.h"

namespace triptych::decoders {

// Holds nothing back.
class SpaceJoiner final : public Decoder {
 public:
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kPerTokenFirst; }
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_SPACE_JOINER_H_
