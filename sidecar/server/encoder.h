// Encoder: the requests to encode, whichever rpc they come by, within the limits.
#ifndef SIDECAR_SERVER_ENCODER_H_
#define SIDECAR_SERVER_ENCODER_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/encode_slots.h"
#include "server/limits.h"
#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {

// Thread-safe.
class Encoder {
 public:
  // `tokenizer` must outlive this object. REQUIRES: every limit is at least 1.
  Encoder(const tokenizer::Tokenizer& tokenizer, const Limits& limits)
      : tokenizer_(tokenizer), limits_(limits), slots_(limits.threads) {}

  // INVALID_ARGUMENT where a message may not have so many texts.
  [[nodiscard]] absl::Status CheckBatch(int size) const;

  // Encodes one text into `response`, which must be empty; waits for its turn. The error names the
  // field of `request`.
  [[nodiscard]] absl::Status Encode(const sidecar::v1::EncodeRequest& request,
                                    sidecar::v1::EncodeResponse& response);

  // Answers one message of a StreamEncode call: fills `response`, which must be empty. A text that
  // fails does so in its result. Fails as a whole with INVALID_ARGUMENT, before anything has run,
  // where the texts are too many, and with CANCELLED as soon as `is_cancelled`, asked before each
  // text, says so.
  [[nodiscard]] absl::Status EncodeAll(const sidecar::v1::StreamEncodeRequest& request,
                                       sidecar::v1::StreamEncodeResponse& response,
                                       absl::FunctionRef<bool()> is_cancelled);

 private:
  absl::Status CheckSize(std::string_view field, const std::string& text) const;

  const tokenizer::Tokenizer& tokenizer_;
  const Limits limits_;
  EncodeSlots slots_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_ENCODER_H_
