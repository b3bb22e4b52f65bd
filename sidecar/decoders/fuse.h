// Fuse: `"type": "Fuse"`, makes one token of all tokens, for the decoders behind it.
#ifndef SIDECAR_DECODERS_FUSE_H_
#define SIDECAR_DECODERS_FUSE_H_

#include <memory>

#include "decoders/decoder.h"

namespace triptych::decoders {

// Holds nothing back. Makes a token even of no tokens.
class Fuse final : public Decoder {
 public:
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kFuse; }
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_FUSE_H_
