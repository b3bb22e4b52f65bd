#include "decoders/sequence.h"

#include <algorithm>

namespace triptych::decoders {

absl::Status Pipeline::TextSink::Append(std::string_view piece, bool /*ends_token*/) {
  out->append(piece);
  return absl::OkStatus();
}

Pipeline::Pipeline(const Sequence& sequence, size_t begin, size_t end)
    : text_(std::make_unique<TextSink>()) {
  for (size_t i = end; i-- > begin;) {
    TokenSink& next = sinks_.empty() ? static_cast<TokenSink&>(*text_) : *sinks_.back();
    sinks_.push_back(sequence.steps()[i]->Start(next));
  }
}

absl::Status Pipeline::Append(std::string_view piece, bool ends_token, std::string& out) {
  text_->out = &out;
  return sinks_.empty() ? text_->Append(piece, ends_token)
                        : sinks_.back()->Append(piece, ends_token);
}

absl::Status Pipeline::Finish(std::string& out) {
  text_->out = &out;
  return sinks_.empty() ? text_->Finish() : sinks_.back()->Finish();
}

bool Pipeline::is_transparent() const {
  return std::all_of(sinks_.begin(), sinks_.end(),
                     [](const auto& sink) { return sink->is_transparent(); });
}

}  // namespace triptych::decoders
