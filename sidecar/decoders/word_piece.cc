#include "decoders/word_piece.h"

#include <optional>
#include <string_view>

#include "decoders/space_cleanup.h"

namespace triptych::decoders {
namespace {

class WordPieceSink final : public TokenSink {
 public:
  WordPieceSink(std::string_view prefix, bool cleanup, TokenSink& next)
      : next_(next), prefix_(prefix) {
    if (cleanup) cleanup_ = SpaceCleanup::OfTokenizers();
  }

  absl::Status Append(std::string_view piece, bool ends_token) override {
    std::string text = is_begun_ ? std::string(piece) : Begin(piece, ends_token);
    if (cleanup_.has_value()) {
      std::string clean;
      cleanup_->Append(text, clean);
      if (ends_token) cleanup_->Flush(clean);
      text = std::move(clean);
    }
    if (ends_token) is_begun_ = false;
    return next_.Append(text, ends_token);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  // The beginning of a token, or nothing as long as it may become the prefix.
  std::string Begin(std::string_view piece, bool ends_token) {
    beginning_ += piece;
    if (beginning_.size() < prefix_.size() && prefix_.starts_with(beginning_) && !ends_token) {
      return "";
    }
    is_begun_ = true;
    std::string begun =
        beginning_.starts_with(prefix_) ? beginning_.substr(prefix_.size()) : " " + beginning_;
    beginning_.clear();
    return begun;
  }

  TokenSink& next_;
  std::string_view prefix_;
  std::optional<SpaceCleanup> cleanup_;
  std::string beginning_;
  bool is_begun_ = true;  // the first token has neither prefix nor space
};

}  // namespace

std::unique_ptr<TokenSink> WordPiece::Start(TokenSink& next) const {
  return std::make_unique<WordPieceSink>(prefix_, cleanup_, next);
}

}  // namespace triptych::decoders
