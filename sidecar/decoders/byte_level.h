// ByteLevel: `"type": "ByteLevel"`, reads tokens in the byte-level alphabet: "Ġthe" -> " the".
//
// A token with any character outside the alphabet (an added token such as "<｜end｜>") stands for
// its own UTF-8 bytes. The bytes of all tokens together are one text, in which each maximal broken
// piece becomes U+FFFD: a single token for the decoders behind.
#ifndef SIDECAR_DECODERS_BYTE_LEVEL_H_
#define SIDECAR_DECODERS_BYTE_LEVEL_H_

#include <memory>
#include <string>
#include <string_view>

#include "decoders/decoder.h"

namespace triptych::decoders {

class ByteLevel final : public Decoder {
 public:
  // The bytes that `token` stands for, perhaps half a character. REQUIRES: valid UTF-8.
  [[nodiscard]] static std::string BytesOf(std::string_view token);

  // Holds back an unfinished token and an unfinished character.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kByteLevel; }
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_BYTE_LEVEL_H_
