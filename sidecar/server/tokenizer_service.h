// TokenizerService: the servicer. It converts messages and calls the tokenizer; what the rpcs mean
// is written in tokenizer_service.proto.
#ifndef SIDECAR_SERVER_TOKENIZER_SERVICE_H_
#define SIDECAR_SERVER_TOKENIZER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/decode_session.h"
#include "server/encode_slots.h"
#include "server/limits.h"
#include "server/open_calls.h"
#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.grpc.pb.h"

namespace triptych::server {

// Thread-safe: gRPC calls it from many threads.
class TokenizerService final : public sidecar::v1::TokenizerService::Service {
 public:
  // `tokenizer` must outlive this object. REQUIRES: every limit is at least 1.
  TokenizerService(const tokenizer::Tokenizer& tokenizer, const Limits& limits)
      : tokenizer_(tokenizer),
        limits_(limits),
        slots_(limits.threads),
        stream_count_{limits.max_streams} {}

  // Ends the streaming calls that have nothing to finish, now and as soon as the others have.
  void BeginDrain() { calls_.BeginDrain(); }

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
  absl::Status CheckBatch(int size) const;
  absl::Status CheckSize(std::string_view field, const std::string& text) const;
  absl::Status EncodeOne(const sidecar::v1::EncodeRequest& request,
                         sidecar::v1::EncodeResponse& response);

  const tokenizer::Tokenizer& tokenizer_;
  const Limits limits_;
  EncodeSlots slots_;
  StreamCount stream_count_;
  OpenCalls calls_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_TOKENIZER_SERVICE_H_
