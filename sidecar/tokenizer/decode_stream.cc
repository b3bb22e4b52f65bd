#include "tokenizer/decode_stream.h"

#include <cstddef>

namespace triptych::tokenizer {

DecodeStream::DecodeStream(const Detokenizer& detokenizer, StreamOptions options)
    : detokenizer_(&detokenizer),
      options_(std::move(options)),
      decoded_(detokenizer, options_.skip_special_tokens) {
  if (options_.clean_up_spaces) cleanup_ = decoders::SpaceCleanup::OfTransformers();
  if (!options_.stop_strings.empty()) {
    stops_.emplace(options_.stop_strings, options_.include_stop_string);
  }
}

absl::StatusOr<StreamText> DecodeStream::Append(std::span<const uint32_t> ids) {
  StreamText out;
  if (!stop_index_.has_value()) {
    if (absl::Status checked = detokenizer_->Check(ids); !checked.ok()) return checked;
    if (absl::Status appended = AppendUntilStop(ids, out); !appended.ok()) return appended;
  }
  out.stop_index = stop_index_;
  return out;
}

absl::Status DecodeStream::AppendUntilStop(std::span<const uint32_t> ids, StreamText& out) {
  // Which token completes a stop string shows only where they come one by one.
  const size_t step = stops_.has_value() ? 1 : ids.size();
  while (out.tokens_used < ids.size() && !stop_index_.has_value()) {
    std::string text;
    absl::Status appended = decoded_.Append(ids.subspan(out.tokens_used, step), text);
    if (!appended.ok()) return appended;
    out.tokens_used += static_cast<uint32_t>(step);
    Pass(std::move(text), /*is_last=*/false, out);
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamText> DecodeStream::Flush() {
  StreamText out;
  absl::Status finished;
  if (!stop_index_.has_value()) {
    std::string text;
    finished = decoded_.Finish(text);
    if (finished.ok()) Pass(std::move(text), /*is_last=*/true, out);
  }
  out.stop_index = std::exchange(stop_index_, std::nullopt);
  decoded_ = Detokenizer::Stream(*detokenizer_, options_.skip_special_tokens);
  if (cleanup_.has_value()) cleanup_ = decoders::SpaceCleanup::OfTransformers();
  if (!finished.ok()) return finished;
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
  stop_index_ = stops_->Append(text, out.text);
  if (is_last && !stop_index_.has_value()) stops_->Flush(out.text);
}

}  // namespace triptych::tokenizer
