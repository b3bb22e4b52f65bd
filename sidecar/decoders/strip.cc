#include "decoders/strip.h"

#include <algorithm>
#include <string_view>

namespace triptych::decoders {
namespace {

class StripSink final : public TokenSink {
 public:
  StripSink(std::string_view content, size_t start, size_t stop, TokenSink& next)
      : next_(next), content_(content), start_(start), stop_(stop), start_left_(start) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    for (; start_left_ > 0 && !piece.empty(); --start_left_) {
      if (!piece.starts_with(content_)) {
        start_left_ = 0;
        break;
      }
      piece.remove_prefix(content_.size());
    }
    std::string released;
    if (stop_ > 0) {
      HoldEnd(piece, released);
      piece = released;
    }
    if (ends_token) {
      start_left_ = start_;
      held_ = 0;
    }
    return next_.Append(piece, ends_token);
  }

  absl::Status Finish() override { return next_.Finish(); }

  bool is_transparent() const override { return start_left_ == 0 && stop_ == 0; }

 private:
  // Puts into `released` what is held back and `piece`, but for what may now be the end.
  void HoldEnd(std::string_view piece, std::string& released) {
    size_t run = 0;
    std::string_view body = piece;
    while (body.ends_with(content_)) {
      body.remove_suffix(content_.size());
      ++run;
    }
    if (body.empty()) {
      run += held_;
    } else {
      AppendContent(held_, released);
      released += body;
    }
    held_ = std::min(run, stop_);
    AppendContent(run - held_, released);
  }

  void AppendContent(size_t times, std::string& out) const {
    for (; times > 0; --times) out += content_;
  }

  TokenSink& next_;
  std::string_view content_;
  size_t start_;
  size_t stop_;
  size_t start_left_;  // how many may still be taken off in front of this token
  size_t held_ = 0;    // how many are held back
};

}  // namespace

std::unique_ptr<TokenSink> Strip::Start(TokenSink& next) const {
  return std::make_unique<StripSink>(content_, start_, stop_, next);
}

}  // namespace triptych::decoders
