// Strip: `"type": "Strip"`, takes a character off the ends of every token: with content "_", start
// 1 and stop 2, "__a___" -> "_a_".
#ifndef SIDECAR_DECODERS_STRIP_H_
#define SIDECAR_DECODERS_STRIP_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "decoders/decoder.h"

namespace triptych::decoders {

// A token that is not long enough to lose all that it should becomes empty; `tokenizers` panics
// there.
class Strip final : public Decoder {
 public:
  // Takes `content` off at most `start` times in front and `stop` times behind.
  // REQUIRES: `content` is one character.
  Strip(std::string content, size_t start, size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  // Holds back the last `stop` of a run of `content`, as they may be the end of the token.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kPerToken; }

 private:
  std::string content_;
  size_t start_;
  size_t stop_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_STRIP_H_
