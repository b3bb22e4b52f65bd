#include "tokenizer/step_decoder.h"

#include <string_view>
#include <utility>

#include "unicode/utf8.h"

namespace triptych::tokenizer {
namespace {

bool MayBeUnfinished(std::string_view text) { return text.ends_with(unicode::kReplacement); }

}  // namespace

absl::StatusOr<StepDecoder> StepDecoder::Create(const Detokenizer& detokenizer,
                                                bool skip_special_tokens,
                                                std::span<const uint32_t> context) {
  StepDecoder decoder(detokenizer, skip_special_tokens);
  if (absl::Status begun = decoder.BeginBehind(context); !begun.ok()) return begun;
  return decoder;
}

absl::Status StepDecoder::BeginBehind(std::span<const uint32_t> context) {
  while (!context.empty() && detokenizer_->ContinuesCharacter(context.front())) {
    context = context.subspan(1);
  }
  std::vector<uint32_t> ids;
  for (const uint32_t id : context) {
    if (detokenizer_->HasText(id, skip_special_tokens_)) ids.push_back(id);
  }
  if (detokenizer_->only_joins()) {
    joined_.emplace(*detokenizer_, skip_special_tokens_);
    std::string text;
    return joined_->Append(ids, text);
  }
  window_ = std::move(ids);
  if (absl::Status taken = TakePrefix(); !taken.ok()) return taken;
  if (!MayBeUnfinished(prefix_)) prefix_count_ = window_.size();
  while (MayBeUnfinished(prefix_)) prefix_.resize(prefix_.size() - unicode::kReplacement.size());
  return absl::OkStatus();
}

absl::Status StepDecoder::TakePrefix() {
  absl::StatusOr<std::string> decoded = detokenizer_->Decode(window_, {});
  if (!decoded.ok()) return decoded.status();
  prefix_ = *std::move(decoded);
  is_prefix_known_ = true;
  return absl::OkStatus();
}

absl::Status StepDecoder::Step(uint32_t id, std::string& out) {
  if (!detokenizer_->HasText(id, skip_special_tokens_)) return absl::OkStatus();
  return joined_.has_value() ? StepJoined(id, out) : StepWindow(id, out);
}

absl::Status StepDecoder::StepJoined(uint32_t id, std::string& out) {
  if (absl::Status appended = joined_->Append({&id, 1}, held_); !appended.ok()) return appended;
  if (joined_->is_in_character() || MayBeUnfinished(held_)) return absl::OkStatus();
  out += held_;
  held_.clear();
  return absl::OkStatus();
}

bool StepDecoder::StepSettled(uint32_t id, std::string& out) {
  if (window_.size() != 1 || prefix_count_ != 1 || !detokenizer_->IsSettled(window_[0])) {
    return false;
  }
  const std::optional<std::string_view> text = detokenizer_->PlainTextOf(id);
  if (!text.has_value() || text->empty() || MayBeUnfinished(*text)) return false;
  out += *text;
  window_[0] = id;
  is_prefix_known_ = false;
  return true;
}

absl::Status StepDecoder::StepWindow(uint32_t id, std::string& out) {
  if (StepSettled(id, out)) return absl::OkStatus();
  if (!is_prefix_known_) {
    if (absl::Status taken = TakePrefix(); !taken.ok()) return taken;
  }
  // The ids of the window have no text so far, where they are the first: the next one's is behind.
  if (prefix_.empty()) {
    if (absl::Status taken = TakePrefix(); !taken.ok()) return taken;
    if (MayBeUnfinished(prefix_)) {
      prefix_.clear();
    } else {
      prefix_count_ = window_.size();
    }
  }
  window_.push_back(id);
  absl::StatusOr<std::string> text = detokenizer_->Decode(window_, {});
  if (!text.ok()) return text.status();
  if (text->size() <= prefix_.size() || MayBeUnfinished(*text)) return absl::OkStatus();
  if (!text->starts_with(prefix_)) {  // what was given out is so no longer
    window_ = {id};
    prefix_.clear();
    prefix_count_ = 0;
    text = detokenizer_->Decode(window_, {});
    if (!text.ok()) return text.status();
    if (text->empty() || MayBeUnfinished(*text)) return absl::OkStatus();
  }
  out.append(*text, prefix_.size());
  window_.erase(window_.begin(), window_.begin() + static_cast<ptrdiff_t>(prefix_count_));
  prefix_count_ = window_.size();
  return TakePrefix();
}

}  // namespace triptych::tokenizer
