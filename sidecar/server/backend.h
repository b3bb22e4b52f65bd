// Backend: the tokenizer, and what all calls share of it, whichever socket they come by.
#ifndef SIDECAR_SERVER_BACKEND_H_
#define SIDECAR_SERVER_BACKEND_H_

#include "server/decode_session.h"
#include "server/encoder.h"
#include "server/limits.h"
#include "server/open_calls.h"
#include "tokenizer/tokenizer.h"

namespace triptych::server {

// Thread-safe.
struct Backend {
  // `tokenizer` must outlive this object. REQUIRES: every limit is at least 1.
  Backend(const tokenizer::Tokenizer& tokenizer_in, const Limits& limits_in)
      : tokenizer(tokenizer_in),
        limits(limits_in),
        encoder(tokenizer_in, limits_in),
        stream_count{limits_in.max_streams} {}

  const tokenizer::Tokenizer& tokenizer;
  const Limits limits;
  Encoder encoder;
  StreamCount stream_count;
  OpenCalls calls;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_BACKEND_H_
