// DecodeSession: the streams of one StreamDecode call.
#ifndef SIDECAR_SERVER_DECODE_SESSION_H_
#define SIDECAR_SERVER_DECODE_SESSION_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenizer/decode_stream.h"
#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {

// How many streams are open, over all sessions. Thread-safe.
struct StreamCount {
  const int limit;
  std::atomic<int> open = 0;
};

// Not thread-safe: a call has one thread.
class DecodeSession {
 public:
  // `tokenizer` and `count` must outlive this object.
  DecodeSession(const tokenizer::Tokenizer& tokenizer, int max_stop_strings, StreamCount& count)
      : tokenizer_(tokenizer), max_stop_strings_(max_stop_strings), count_(count) {}
  ~DecodeSession() { count_.open -= static_cast<int>(streams_.size()); }
  DecodeSession(const DecodeSession&) = delete;
  DecodeSession& operator=(const DecodeSession&) = delete;

  // Runs all operations of `request` and fills `response`, which must be empty, with their results.
  // Fails as a whole, with INVALID_ARGUMENT and before anything has run, only where columns do not
  // fit each other.
  [[nodiscard]] absl::Status Run(const sidecar::v1::StreamDecodeRequest& request,
                                 sidecar::v1::StreamDecodeResponse& response);

  [[nodiscard]] bool has_open_streams() const { return !streams_.empty(); }

 private:
  void RunOperation(const sidecar::v1::StreamOperation& operation,
                    sidecar::v1::StreamResult& result);
  void RunAppends(const sidecar::v1::AppendColumns& appends, sidecar::v1::TextColumns& texts);
  void RunCloses(const sidecar::v1::StreamDecodeRequest& request, sidecar::v1::TextColumns& texts);

  absl::Status Open(uint64_t id, const sidecar::v1::OpenStream& options);
  absl::StatusOr<tokenizer::StreamText> Append(uint64_t id, std::span<const uint32_t> ids);
  absl::StatusOr<tokenizer::StreamText> Close(uint64_t id);

  const tokenizer::Tokenizer& tokenizer_;
  const int max_stop_strings_;
  StreamCount& count_;
  absl::flat_hash_map<uint64_t, tokenizer::DecodeStream> streams_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_DECODE_SESSION_H_
