#include "decoders/space_joiner.h"

#include <string>
#include <string_view>

namespace triptych::decoders {
namespace {

class SpaceJoinerSink final : public TokenSink {
 public:
  explicit SpaceJoinerSink(TokenSink& next) : next_(next) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    std::string text = needs_space_ ? " " : "";
    text += piece;
    needs_space_ = ends_token;
    return next_.Append(text, ends_token);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  TokenSink& next_;
  bool needs_space_ = false;
};

}  // namespace

std::unique_ptr<TokenSink> SpaceJoiner::Start(TokenSink& next) const {
  return std::make_unique<SpaceJoinerSink>(next);
}

}  // namespace triptych::decoders
