#include "decoders/metaspace.h"

#include <string_view>

#include "decoders/literal_replacer.h"

namespace triptych::decoders {
namespace {

class MetaspaceSink final : public TokenSink {
 public:
  MetaspaceSink(std::string_view replacement, bool drops, TokenSink& next)
      : next_(next), replacement_(replacement), drops_(drops) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    const std::string text = ReplaceAll(piece, replacement_, drops_ ? "" : " ");
    if (ends_token) drops_ = false;
    return next_.Append(text, ends_token);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  TokenSink& next_;
  std::string_view replacement_;
  bool drops_;  // this is the first token, and it loses the character
};

}  // namespace

std::unique_ptr<TokenSink> Metaspace::Start(TokenSink& next) const {
  return std::make_unique<MetaspaceSink>(replacement_, drops_in_first_token_, next);
}

}  // namespace triptych::decoders
