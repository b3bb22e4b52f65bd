// TokenizerService: the servicer. It converts messages and calls the tokenizer; what the rpcs mean
// is written in tokenizer_service.proto.
#ifndef SIDECAR_SERVER_TOKENIZER_SERVICE_H_
#define SIDECAR_SERVER_TOKENIZER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "server/backend.h"
#include "triptych/sidecar/v1/tokenizer_service.grpc.pb.h"

namespace triptych::server {

// Thread-safe: gRPC calls it from many threads.
class TokenizerService final : public sidecar::v1::TokenizerService::Service {
 public:
  // `backend` must outlive this object.
  explicit TokenizerService(Backend& backend) : backend_(backend) {}

  grpc::Status Encode(grpc::ServerContext* context, const sidecar::v1::EncodeRequest* request,
                      sidecar::v1::EncodeResponse* response) override;
  grpc::Status EncodeBatch(grpc::ServerContext* context,
                           const sidecar::v1::EncodeBatchRequest* request,
                           sidecar::v1::EncodeBatchResponse* response) override;
  grpc::Status StreamEncode(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<sidecar::v1::StreamEncodeResponse, sidecar::v1::StreamEncodeRequest>*
          stream) override;
  grpc::Status Decode(grpc::ServerContext* context, const sidecar::v1::DecodeRequest* request,
                      sidecar::v1::DecodeResponse* response) override;
  grpc::Status StreamDecode(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<sidecar::v1::StreamDecodeResponse, sidecar::v1::StreamDecodeRequest>*
          stream) override;
  grpc::Status GetInfo(grpc::ServerContext* context, const sidecar::v1::GetInfoRequest* request,
                       sidecar::v1::GetInfoResponse* response) override;

 private:
  // What a streaming call that ends is answered: UNAVAILABLE while draining, else OK.
  grpc::Status EndStatus();

  Backend& backend_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_TOKENIZER_SERVICE_H_
