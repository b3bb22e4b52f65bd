#include "server/tokenizer_service.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
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

std::vector<base::ByteRange> ToRanges(
    const google::protobuf::RepeatedPtrField<pb::ByteSpan>& spans) {
  std::vector<base::ByteRange> ranges;
  ranges.reserve(static_cast<size_t>(spans.size()));
  for (const pb::ByteSpan& span : spans) ranges.push_back({span.begin(), span.end()});
  return ranges;
}

pb::TokenSource ToProto(base::Encoding::Source source) {
  switch (source) {
    case base::Encoding::Source::kFirstText:
      return pb::TOKEN_SOURCE_TEXT;
    case base::Encoding::Source::kSecondText:
      return pb::TOKEN_SOURCE_PAIR;
    case base::Encoding::Source::kSpecialToken:
      return pb::TOKEN_SOURCE_ADDED;
  }
  return pb::TOKEN_SOURCE_UNSPECIFIED;  // not reached; the compiler cannot know
}

void FillResponse(const pb::EncodeRequest& request, const base::Encoding& encoding,
                  pb::EncodeResponse& response) {
  response.mutable_token_ids()->Add(encoding.ids.begin(), encoding.ids.end());
  if (request.include_type_ids()) {
    response.mutable_type_ids()->Add(encoding.type_ids.begin(), encoding.type_ids.end());
    response.mutable_type_ids()->Resize(response.token_ids_size(), 0);  // empty: all are 0
  }
  if (!request.include_token_spans()) return;
  for (const base::ByteRange& range : encoding.ranges) {
    pb::ByteSpan& span = *response.add_token_spans();
    span.set_begin(range.begin);
    span.set_end(range.end);
  }
  for (const base::Encoding::Source source : encoding.sources) {
    response.add_sources(ToProto(source));
  }
}

}  // namespace

absl::Status TokenizerService::CheckBatch(int size) const {
  if (size <= limits_.max_batch) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat("requests: ", size, " texts are more than the ", limits_.max_batch,
                   " that --max-batch allows; send several messages"));
}

absl::Status TokenizerService::CheckSize(std::string_view field, const std::string& text) const {
  if (text.size() <= static_cast<size_t>(limits_.max_text_bytes)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat(field, ": ", text.size(), " bytes are more than the ", limits_.max_text_bytes,
                   " that --max-text-bytes allows; cut the text"));
}

absl::Status TokenizerService::EncodeOne(const pb::EncodeRequest& request,
                                         pb::EncodeResponse& response) {
  if (absl::Status checked = CheckSize("text", request.text()); !checked.ok()) return checked;
  if (absl::Status checked = CheckSize("pair", request.pair()); !checked.ok()) return checked;
  if (!request.has_pair() && request.pair_literal_spans_size() > 0) {
    return absl::InvalidArgumentError(
        "pair_literal_spans[0]: there is no pair; set it, or leave its spans out");
  }
  tokenizer::EncodeInput input;
  input.text = request.text();
  input.literal_spans = ToRanges(request.literal_spans());
  input.add_special_tokens = request.add_special_tokens();
  input.include_ranges = request.include_token_spans();
  if (request.has_pair()) input.pair = request.pair();
  input.pair_literal_spans = ToRanges(request.pair_literal_spans());
  const EncodeSlots::Holder slot(slots_);
  absl::StatusOr<base::Encoding> encoding = tokenizer_.Encode(input);
  if (!encoding.ok()) return encoding.status();
  FillResponse(request, *encoding, response);
  return absl::OkStatus();
}

grpc::Status TokenizerService::Encode(grpc::ServerContext* /*context*/,
                                      const pb::EncodeRequest* request,
                                      pb::EncodeResponse* response) {
  return ToGrpcStatus(EncodeOne(*request, *response));
}

grpc::Status TokenizerService::EncodeBatch(grpc::ServerContext* context,
                                           const pb::EncodeBatchRequest* request,
                                           pb::EncodeBatchResponse* response) {
  if (absl::Status checked = CheckBatch(request->requests_size()); !checked.ok()) {
    return ToGrpcStatus(checked);
  }
  for (int i = 0; i < request->requests_size(); ++i) {
    if (context->IsCancelled()) return grpc::Status::CANCELLED;
    absl::Status encoded = EncodeOne(request->requests(i), *response->add_responses());
    if (!encoded.ok()) return ToGrpcStatus(encoded, base::StrCat("requests[", i, "]."));
  }
  return grpc::Status::OK;
}

grpc::Status TokenizerService::StreamEncode(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<pb::StreamEncodeResponse, pb::StreamEncodeRequest>* stream) {
  const absl::Cleanup forget = [this, context] { calls_.Forget(context); };
  // Both are used again for each message, so that their room is allocated once.
  pb::StreamEncodeRequest request;
  pb::StreamEncodeResponse response;
  while (!calls_.MustEnd(context, /*has_work=*/false) && stream->Read(&request)) {
    calls_.NoteBusy(context);
    if (absl::Status checked = CheckBatch(request.requests_size()); !checked.ok()) {
      return ToGrpcStatus(checked);
    }
    response.Clear();
    for (const pb::EncodeRequest& one : request.requests()) {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      pb::EncodeResult& result = *response.add_results();
      absl::Status encoded = EncodeOne(one, *result.mutable_response());
      if (encoded.ok()) continue;
      result.clear_response();
      result.mutable_failure()->set_code(static_cast<int>(encoded.code()));
      result.mutable_failure()->set_message(std::string(base::MessageOf(encoded)));
    }
    if (!stream->Write(response)) break;
  }
  return calls_.EndStatus();
}

grpc::Status TokenizerService::Decode(grpc::ServerContext* /*context*/,
                                      const pb::DecodeRequest* request,
                                      pb::DecodeResponse* response) {
  const auto& ids = request->token_ids();
  absl::StatusOr<std::string> text =
      tokenizer_.Decode({ids.data(), static_cast<size_t>(ids.size())},
                        {.skip_special_tokens = request->skip_special_tokens(),
                         .clean_up_spaces = request->clean_up_spaces()});
  if (!text.ok()) return ToGrpcStatus(text.status());
  response->set_text(*std::move(text));
  return grpc::Status::OK;
}

grpc::Status TokenizerService::StreamDecode(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<pb::StreamDecodeResponse, pb::StreamDecodeRequest>* stream) {
  const absl::Cleanup forget = [this, context] { calls_.Forget(context); };
  DecodeSession session(tokenizer_, limits_.max_batch, stream_count_);
  // Both are used again for each message, so that their room is allocated once.
  pb::StreamDecodeRequest request;
  pb::StreamDecodeResponse response;
  while (!calls_.MustEnd(context, session.has_open_streams()) && stream->Read(&request)) {
    response.Clear();
    if (absl::Status ran = session.Run(request, response); !ran.ok()) return ToGrpcStatus(ran);
    if (!stream->Write(response)) break;
  }
  return calls_.EndStatus();
}

grpc::Status TokenizerService::GetInfo(grpc::ServerContext* /*context*/,
                                       const pb::GetInfoRequest* /*request*/,
                                       pb::GetInfoResponse* response) {
  FillInfo(tokenizer_, *response);
  return grpc::Status::OK;
}

}  // namespace triptych::server
