#include "tokenizer/decode_stream.h"

namespace triptych::tokenizer {

absl::StatusOr<DecodeStream> DecodeStream::Create(const Detokenizer& detokenizer,
                                                  StreamOptions options) {
  absl::StatusOr<StepDecoder> decoder =
      StepDecoder::Create(detokenizer, options.skip_special_tokens, options.context);
  if (!decoder.ok()) return decoder.status();
  return DecodeStream(*std::move(decoder), options);
}

DecodeStream::DecodeStream(StepDecoder decoder, const StreamOptions& options)
    : decoder_(std::move(decoder)), ids_before_stops_(options.min_tokens) {
  if (options.clean_up_spaces) cleanup_ = decoders::SpaceCleanup::OfTransformers();
  if (!options.stop_strings.empty()) {
    stops_.emplace(options.stop_strings, options.include_stop_string);
  }
}

absl::StatusOr<StreamText> DecodeStream::Append(std::span<const uint32_t> ids) {
  StreamText out;
  for (; out.tokens_used < ids.size() && !stop_index_.has_value(); ++out.tokens_used) {
    std::string text;
    if (absl::Status added = decoder_.Step(ids[out.tokens_used], text); !added.ok()) return added;
    Pass(std::move(text), /*is_last=*/false, out);
    if (ids_before_stops_ > 0) --ids_before_stops_;
  }
  out.stop_index = stop_index_;
  return out;
}

StreamText DecodeStream::Flush() {
  StreamText out;
  if (!stop_index_.has_value()) Pass("", /*is_last=*/true, out);
  out.stop_index = stop_index_;
  return out;
}

void DecodeStream::Pass(std::string text, bool is_last, StreamText& out) {
  if (cleanup_.has_value()) {
    std::string clean;
    cleanup_->Append(text, clean);
    if (is_last) cleanup_->Flush(clean);
    text.swap(clean);
  }
  if (!stops_.has_value()) {
    out.text += text;
    return;
  }
  stop_index_ = stops_->Append(text, /*may_stop=*/ids_before_stops_ == 0, out.text);
  if (is_last && !stop_index_.has_value()) stops_->Flush(out.text);
}

}  // namespace triptych::tokenizer
