// Decoder: the stage of tokenizer.json that turns tokens back into text.
//
// `tokenizers` gives a decoder all tokens at once and takes a list of strings from it. Here a
// decoder is a transformation of a stream of tokens, so that a growing text can be decoded token by
// token: what it says about all tokens it also says about the first ones, and what it cannot say
// yet it holds back. A whole text is then a stream that is fed once and finished, and the two
// cannot differ.
#ifndef SIDECAR_DECODERS_DECODER_H_
#define SIDECAR_DECODERS_DECODER_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"

namespace triptych::decoders {

// Where tokens go: into the next decoder, or, at the end, into the text.
//
// A token comes in pieces: behind Fuse the whole text is one token, and it must not wait for its
// end. Not thread-safe. A failure (RESOURCE_EXHAUSTED: a pattern takes too long for a token) leaves
// a sink that may only be destroyed.
class TokenSink {
 public:
  virtual ~TokenSink() = default;

  // The next piece of the token that is under way; where `ends_token`, its last. A token without
  // text is Append("", true). REQUIRES: `piece` is valid UTF-8.
  [[nodiscard]] virtual absl::Status Append(std::string_view piece, bool ends_token) = 0;

  // There are no more tokens: gives on what was held back. REQUIRES: the last token has ended.
  // Nothing but the destructor may be called afterwards.
  [[nodiscard]] virtual absl::Status Finish() = 0;

  // Whether from now on the pieces of the token under way (or of all tokens, where none is) pass
  // unchanged and at once. Callers may then pass them on themselves.
  [[nodiscard]] virtual bool is_transparent() const { return false; }
};

// Implementations are immutable, so safe to share between threads.
class Decoder {
 public:
  // What is known of a decoder without running it.
  enum class Kind {
    kPerToken,       // a token becomes one token, which depends on nothing but the token
    kPerTokenFirst,  // the same, but the first token of a text is treated differently
    kByteLevel,      // see byte_level.h
    kByteFallback,   // see byte_fallback.h
    kFuse,           // see fuse.h
    kOther,
  };

  virtual ~Decoder() = default;

  // Begins a text. The sink gives its output to `next`; this object and `next` must outlive it.
  [[nodiscard]] virtual std::unique_ptr<TokenSink> Start(TokenSink& next) const = 0;

  [[nodiscard]] virtual Kind kind() const { return Kind::kOther; }
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_DECODER_H_
