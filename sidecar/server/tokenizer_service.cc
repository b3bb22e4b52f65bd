#include "server/tokenizer_service.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "base/str_cat.h"
#include "server/decode_session.h"
#include "server/version.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;

// absl and gRPC share their codes. `prefix` leads to the field: "requests[3].".
grpc::Status ToGrpcStatus(const absl::Status& status, std::string_view prefix = "") {
  return {static_cast<grpc::StatusCode>(status.code()),
          base::StrCat(prefix, base::MessageOf(status))};
}

absl::Status EncodeOne(const tokenizer::Tokenizer& tokenizer, const pb::EncodeRequest& request,
                       pb::EncodeResponse& response) {
  tokenizer::EncodeInput input;
  input.text = request.text();
  input.add_special_tokens = request.add_special_tokens();
  for (const pb::ByteSpan& span : request.literal_spans()) {
    input.literal_spans.push_back({span.begin(), span.end()});
  }
  absl::StatusOr<base::Encoding> encoding = tokenizer.Encode(input);
  if (!encoding.ok()) return encoding.status();
  response.mutable_token_ids()->Add(encoding->ids.begin(), encoding->ids.end());
  if (!request.include_token_spans()) return absl::OkStatus();
  for (const base::ByteRange& range : encoding->ranges) {
    pb::ByteSpan& span = *response.add_token_spans();
    span.set_begin(range.begin);
    span.set_end(range.end);
  }
  return absl::OkStatus();
}

}  // namespace

grpc::Status TokenizerService::Encode(grpc::ServerContext* /*context*/,
                                      const pb::EncodeRequest* request,
                                      pb::EncodeResponse* response) {
  return ToGrpcStatus(EncodeOne(tokenizer_, *request, *response));
}

grpc::Status TokenizerService::EncodeBatch(grpc::ServerContext* context,
                                           const pb::EncodeBatchRequest* request,
                                           pb::EncodeBatchResponse* response) {
  for (int i = 0; i < request->requests_size(); ++i) {
    if (context->IsCancelled()) return grpc::Status::CANCELLED;
    absl::Status encoded = EncodeOne(tokenizer_, request->requests(i), *response->add_responses());
    if (!encoded.ok()) return ToGrpcStatus(encoded, base::StrCat("requests[", i, "]."));
  }
  return grpc::Status::OK;
}

grpc::Status TokenizerService::Decode(grpc::ServerContext* /*context*/,
                                      const pb::DecodeRequest* request,
                                      pb::DecodeResponse* response) {
  const std::vector<uint32_t> ids(request->token_ids().begin(), request->token_ids().end());
  absl::StatusOr<std::string> text = tokenizer_.Decode(ids, request->skip_special_tokens());
  if (!text.ok()) return ToGrpcStatus(text.status());
  response->set_text(*std::move(text));
  return grpc::Status::OK;
}

grpc::Status TokenizerService::StreamDecode(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<pb::StreamDecodeResponse, pb::StreamDecodeRequest>* stream) {
  const absl::Cleanup forget = [this, context] {
    absl::MutexLock lock(&mutex_);
    calls_.erase(context);
  };
  DecodeSession session(tokenizer_);
  pb::StreamDecodeRequest request;
  while (!ShouldEnd(context, session.has_open_streams()) && stream->Read(&request)) {
    pb::StreamDecodeResponse response;
    session.Run(request, response);
    if (!stream->Write(response)) break;
  }
  absl::MutexLock lock(&mutex_);
  return is_draining_ ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the sidecar is shutting down")
                      : grpc::Status::OK;
}

grpc::Status TokenizerService::GetInfo(grpc::ServerContext* /*context*/,
                                       const pb::GetInfoRequest* /*request*/,
                                       pb::GetInfoResponse* response) {
  response->set_sidecar_version(std::string(kVersion));
  response->set_model_type(std::string(tokenizer_.model_type()));
  response->set_vocab_size(static_cast<uint32_t>(tokenizer_.vocab_size()));
  response->set_id_limit(static_cast<uint32_t>(tokenizer_.id_limit()));
  for (const tokenizer::AddedToken& token : tokenizer_.added_tokens()) {
    pb::AddedToken& added = *response->add_added_tokens();
    added.set_id(token.id);
    added.set_content(token.content);
    added.set_single_word(token.single_word);
    added.set_lstrip(token.lstrip);
    added.set_rstrip(token.rstrip);
    added.set_normalized(token.normalized);
    added.set_special(token.special);
  }
  return grpc::Status::OK;
}

void TokenizerService::BeginDrain() {
  absl::MutexLock lock(&mutex_);
  is_draining_ = true;
  for (const auto& [context, has_open_streams] : calls_) {
    if (!has_open_streams) context->TryCancel();
  }
}

bool TokenizerService::ShouldEnd(grpc::ServerContext* context, bool has_open_streams) {
  absl::MutexLock lock(&mutex_);
  calls_[context] = has_open_streams;
  return is_draining_ && !has_open_streams;
}

}  // namespace triptych::server
