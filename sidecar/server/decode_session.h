// DecodeSession: the streams of one StreamDecode call.
#ifndef SIDECAR_SERVER_DECODE_SESSION_H_
#define SIDECAR_SERVER_DECODE_SESSION_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenizer/decode_stream.h"
#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {

// Not thread-safe: a call has one thread.
class DecodeSession {
 public:
  // `tokenizer` must outlive this object.
  explicit DecodeSession(const tokenizer::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // Runs all operations of `request` and fills `response` with as many results. It never fails as a
  // whole.
  void Run(const sidecar::v1::StreamDecodeRequest& request,
           sidecar::v1::StreamDecodeResponse& response);

  [[nodiscard]] bool has_open_streams() const { return !streams_.empty(); }

 private:
  absl::StatusOr<std::string> RunOne(const sidecar::v1::StreamOperation& operation);

  const tokenizer::Tokenizer& tokenizer_;
  absl::flat_hash_map<uint64_t, tokenizer::DecodeStream> streams_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_DECODE_SESSION_H_
