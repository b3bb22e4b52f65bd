#include "server/encoder.h"

#include <vector>

#include "base/str_cat.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;

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

absl::Status Encoder::CheckBatch(int size) const {
  if (size <= limits_.max_batch) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat("requests: ", size, " texts are more than the ", limits_.max_batch,
                   " that --max-batch allows; send several messages"));
}

absl::Status Encoder::CheckSize(std::string_view field, const std::string& text) const {
  if (text.size() <= static_cast<size_t>(limits_.max_text_bytes)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat(field, ": ", text.size(), " bytes are more than the ", limits_.max_text_bytes,
                   " that --max-text-bytes allows; cut the text"));
}

absl::Status Encoder::Encode(const pb::EncodeRequest& request, pb::EncodeResponse& response) {
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

absl::Status Encoder::EncodeAll(const pb::StreamEncodeRequest& request,
                                pb::StreamEncodeResponse& response,
                                absl::FunctionRef<bool()> is_cancelled) {
  if (absl::Status checked = CheckBatch(request.requests_size()); !checked.ok()) return checked;
  for (const pb::EncodeRequest& one : request.requests()) {
    if (is_cancelled()) return absl::CancelledError();
    pb::EncodeResult& result = *response.add_results();
    absl::Status encoded = Encode(one, *result.mutable_response());
    if (encoded.ok()) continue;
    result.clear_response();
    result.mutable_failure()->set_code(static_cast<int>(encoded.code()));
    result.mutable_failure()->set_message(std::string(base::MessageOf(encoded)));
  }
  return absl::OkStatus();
}

}  // namespace triptych::server
