// TokenizerService: the servicer. It converts messages and calls the tokenizer; what the rpcs mean
// is written in tokenizer_service.proto.
#ifndef SIDECAR_SERVER_TOKENIZER_SERVICE_H_
#define SIDECAR_SERVER_TOKENIZER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.grpc.pb.h"

namespace triptych::server {

// Thread-safe: gRPC calls it from many threads.
class TokenizerService final : public sidecar::v1::TokenizerService::Service {
 public:
  // `tokenizer` must outlive this object.
  explicit TokenizerService(const tokenizer::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // Ends the StreamDecode calls that have no open stream, now and as soon as the others have none.
  // Without this a call that is open as long as the service lives would hold up every shutdown.
  void BeginDrain();

  grpc::Status Encode(grpc::ServerContext* context, const sidecar::v1::EncodeRequest* request,
                      sidecar::v1::EncodeResponse* response) override;
  grpc::Status EncodeBatch(grpc::ServerContext* context,
                           const sidecar::v1::EncodeBatchRequest* request,
                           sidecar::v1::EncodeBatchResponse* response) override;
  grpc::Status Decode(grpc::ServerContext* context, const sidecar::v1::DecodeRequest* request,
                      sidecar::v1::DecodeResponse* response) override;
  grpc::Status StreamDecode(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<sidecar::v1::StreamDecodeResponse, sidecar::v1::StreamDecodeRequest>*
          stream) override;
  grpc::Status GetInfo(grpc::ServerContext* context, const sidecar::v1::GetInfoRequest* request,
                       sidecar::v1::GetInfoResponse* response) override;

 private:
  // Notes whether the call has open streams; returns whether it must end.
  bool ShouldEnd(grpc::ServerContext* context, bool has_open_streams);

  const tokenizer::Tokenizer& tokenizer_;
  absl::Mutex mutex_;
  bool is_draining_ ABSL_GUARDED_BY(mutex_) = false;
  // The StreamDecode calls that run now, and whether each has open streams.
  absl::flat_hash_map<grpc::ServerContext*, bool> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_TOKENIZER_SERVICE_H_
