#include "decoders/ctc.h"

#include <optional>
#include <string_view>

#include "decoders/literal_replacer.h"
#include "decoders/space_cleanup.h"

namespace triptych::decoders {

class CtcSink final : public TokenSink {
 public:
  CtcSink(const Ctc& ctc, TokenSink& next) : next_(next), ctc_(ctc) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    token_ += piece;
    if (!ends_token) return absl::OkStatus();
    if (token_ == previous_) {
      token_.clear();
      return absl::OkStatus();
    }
    const std::string text = Read(token_);
    previous_ = std::move(token_);
    token_.clear();
    return text.empty() ? absl::OkStatus() : next_.Append(text, /*ends_token=*/true);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  std::string Read(std::string_view token) {
    std::string text = ReplaceAll(token, ctc_.pad_token_, "");
    if (!ctc_.cleanup_) return text;
    std::string clean;
    cleanup_.Append(text, clean);
    cleanup_.Flush(clean);
    return ReplaceAll(clean, ctc_.word_delimiter_token_, " ");
  }

  TokenSink& next_;
  const Ctc& ctc_;
  SpaceCleanup cleanup_ = SpaceCleanup::OfTokenizers();
  std::string token_;
  std::optional<std::string> previous_;
};

std::unique_ptr<TokenSink> Ctc::Start(TokenSink& next) const {
  return std::make_unique<CtcSink>(*this, next);
}

}  // namespace triptych::decoders
