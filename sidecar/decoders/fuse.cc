#include "decoders/fuse.h"

namespace triptych::decoders {
namespace {

class FuseSink final : public TokenSink {
 public:
  explicit FuseSink(TokenSink& next) : next_(next) {}

  absl::Status Append(std::string_view piece, bool /*ends_token*/) override {
    return next_.Append(piece, /*ends_token=*/false);
  }

  absl::Status Finish() override {
    if (absl::Status ended = next_.Append("", /*ends_token=*/true); !ended.ok()) return ended;
    return next_.Finish();
  }

  bool is_transparent() const override { return true; }

 private:
  TokenSink& next_;
};

}  // namespace

std::unique_ptr<TokenSink> Fuse::Start(TokenSink& next) const {
  return std::make_unique<FuseSink>(next);
}

}  // namespace triptych::decoders
