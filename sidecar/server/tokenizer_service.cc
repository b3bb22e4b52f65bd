#include "server/tokenizer_service.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "server/tokenizer_info.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;

// absl and gRPC share their codes. `prefix` leads to the field: "requests[3].".
grpc::Status ToGrpcStatus(const absl::Status& status, std::string_view prefix = "") {
  return {static_cast<grpc::StatusCode>(status.code()),
          base::StrCat(prefix, base::MessageOf(status))};
}

}  // namespace

grpc::Status TokenizerService::Encode(grpc::ServerContext* /*context*/,
                                      const pb::EncodeRequest* request,
                                      pb::EncodeResponse* response) {
  return ToGrpcStatus(backend_.encoder.Encode(*request, *response));
}

grpc::Status TokenizerService::EncodeBatch(grpc::ServerContext* context,
                                           const pb::EncodeBatchRequest* request,
                                           pb::EncodeBatchResponse* response) {
  if (absl::Status checked = backend_.encoder.CheckBatch(request->requests_size()); !checked.ok()) {
    return ToGrpcStatus(checked);
  }
  for (int i = 0; i < request->requests_size(); ++i) {
    if (context->IsCancelled()) return grpc::Status::CANCELLED;
    absl::Status encoded =
        backend_.encoder.Encode(request->requests(i), *response->add_responses());
    if (!encoded.ok()) return ToGrpcStatus(encoded, base::StrCat("requests[", i, "]."));
  }
  return grpc::Status::OK;
}

grpc::Status TokenizerService::StreamEncode(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<pb::StreamEncodeResponse, pb::StreamEncodeRequest>* stream) {
  OpenCalls::Call call(backend_.calls, [context] { context->TryCancel(); });
  // Both are used again for each message, so that their room is allocated once.
  pb::StreamEncodeRequest request;
  pb::StreamEncodeResponse response;
  while (!call.MustEnd(/*has_work=*/false) && stream->Read(&request)) {
    call.NoteBusy();
    response.Clear();
    absl::Status encoded =
        backend_.encoder.EncodeAll(request, response, [context] { return context->IsCancelled(); });
    if (!encoded.ok()) return ToGrpcStatus(encoded);
    if (!stream->Write(response)) break;
  }
  return EndStatus();
}

grpc::Status TokenizerService::Decode(grpc::ServerContext* /*context*/,
                                      const pb::DecodeRequest* request,
                                      pb::DecodeResponse* response) {
  const auto& ids = request->token_ids();
  absl::StatusOr<std::string> text =
      backend_.tokenizer.Decode({ids.data(), static_cast<size_t>(ids.size())},
                                {.skip_special_tokens = request->skip_special_tokens(),
                                 .clean_up_spaces = request->clean_up_spaces()});
  if (!text.ok()) return ToGrpcStatus(text.status());
  response->set_text(*std::move(text));
  return grpc::Status::OK;
}

grpc::Status TokenizerService::StreamDecode(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<pb::StreamDecodeResponse, pb::StreamDecodeRequest>* stream) {
  OpenCalls::Call call(backend_.calls, [context] { context->TryCancel(); });
  DecodeSession session(backend_.tokenizer, backend_.limits.max_batch, backend_.stream_count);
  // Both are used again for each message, so that their room is allocated once.
  pb::StreamDecodeRequest request;
  pb::StreamDecodeResponse response;
  while (!call.MustEnd(session.has_open_streams()) && stream->Read(&request)) {
    response.Clear();
    if (absl::Status ran = session.Run(request, response); !ran.ok()) return ToGrpcStatus(ran);
    if (!stream->Write(response)) break;
  }
  return EndStatus();
}

grpc::Status TokenizerService::GetInfo(grpc::ServerContext* /*context*/,
                                       const pb::GetInfoRequest* /*request*/,
                                       pb::GetInfoResponse* response) {
  FillInfo(backend_.tokenizer, *response);
  return grpc::Status::OK;
}

grpc::Status TokenizerService::EndStatus() {
  if (!backend_.calls.is_draining()) return grpc::Status::OK;
  return {grpc::StatusCode::UNAVAILABLE, "the sidecar is shutting down"};
}

}  // namespace triptych::server
