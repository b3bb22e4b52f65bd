#include "decoders/bpe_decoder.h"

#include <string_view>

#include "decoders/literal_replacer.h"

namespace triptych::decoders {
namespace {

class BpeDecoderSink final : public TokenSink {
 public:
  BpeDecoderSink(std::string_view suffix, TokenSink& next) : next_(next), suffix_(suffix) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    if (has_ended_) {
      if (absl::Status given = Give(" "); !given.ok()) return given;
    }
    token_ += piece;
    has_ended_ = ends_token;
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    if (has_ended_) {
      if (absl::Status given = Give(""); !given.ok()) return given;
    }
    return next_.Finish();
  }

 private:
  absl::Status Give(std::string_view instead_of_suffix) {
    const std::string text = ReplaceAll(token_, suffix_, instead_of_suffix);
    token_.clear();
    return next_.Append(text, /*ends_token=*/true);
  }

  TokenSink& next_;
  std::string_view suffix_;
  std::string token_;
  bool has_ended_ = false;  // token_ is whole
};

}  // namespace

std::unique_ptr<TokenSink> BpeDecoder::Start(TokenSink& next) const {
  return std::make_unique<BpeDecoderSink>(suffix_, next);
}

}  // namespace triptych::decoders
