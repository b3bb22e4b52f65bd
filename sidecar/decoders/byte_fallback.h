// ByteFallback: `"type": "ByteFallback"`, reads tokens such as "<0xE4>" as bytes.
//
// A run of byte tokens becomes one token where its bytes are valid UTF-8. Where they are not, even
// if only the last character is cut short, each of its bytes becomes a token U+FFFD. So a run is
// held back until a token that is no byte, even an empty one, ends it.
#ifndef SIDECAR_DECODERS_BYTE_FALLBACK_H_
#define SIDECAR_DECODERS_BYTE_FALLBACK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "decoders/decoder.h"
#include "unicode/utf8.h"

namespace triptych::decoders {

class ByteFallback final : public Decoder {
 public:
  // The byte that `token` stands for ("<0x0a>" -> 10), or nothing where it is no byte token.
  // "<0x+A>" is one too: Rust reads the sign.
  [[nodiscard]] static std::optional<uint8_t> ByteOf(std::string_view token);

  // Gives each token of a run of bytes to `give(std::string_view) -> absl::Status`; none for an
  // empty run.
  template <typename Give>
  [[nodiscard]] static absl::Status ForEachTokenOf(std::string_view run, Give give) {
    const bool is_valid = !unicode::FindInvalidUtf8(run).has_value();
    const size_t tokens = run.empty() ? 0 : is_valid ? 1 : run.size();
    for (size_t i = 0; i < tokens; ++i) {
      absl::Status given = give(is_valid ? run : std::string_view("\uFFFD"));
      if (!given.ok()) return given;
    }
    return absl::OkStatus();
  }

  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kByteFallback; }
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_BYTE_FALLBACK_H_
