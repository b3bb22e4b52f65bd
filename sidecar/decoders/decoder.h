// Decoder: turns tokens, as tokenizer.json writes them, back into the bytes of text.
#ifndef SIDECAR_DECODERS_DECODER_H_
#define SIDECAR_DECODERS_DECODER_H_

#include <string>
#include <string_view>

namespace triptych::decoders {

// Implementations are immutable, so safe to share between threads.
//
// The interface is for decoders that see one token at a time: the bytes of all tokens are computed
// once, at load, and decoding a text is then a copy. Bytes may be half a character; see
// unicode::Utf8Repairer.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // The bytes that `token` stands for, wherever it stands. REQUIRES: valid UTF-8.
  [[nodiscard]] virtual std::string BytesOf(std::string_view token) const = 0;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_DECODER_H_
