// Metaspace: `"type": "Metaspace"`, reads a character, mostly "▁", as a space. In the first token
// it is nothing, wherever it stands, unless the prepend_scheme is "never".
#ifndef SIDECAR_DECODERS_METASPACE_H_
#define SIDECAR_DECODERS_METASPACE_H_

#include <memory>
#include <string>
#include <utility>

#include "decoders/decoder.h"

namespace triptych::decoders {

class Metaspace final : public Decoder {
 public:
  // REQUIRES: `replacement` is one character.
  Metaspace(std::string replacement, bool drops_in_first_token)
      : replacement_(std::move(replacement)), drops_in_first_token_(drops_in_first_token) {}

  // Holds nothing back.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override {
    return drops_in_first_token_ ? Kind::kPerTokenFirst : Kind::kPerToken;
  }

 private:
  std::string replacement_;
  bool drops_in_first_token_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_METASPACE_H_
