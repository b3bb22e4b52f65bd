#include "decoders/byte_level.h"

#include "unicode/byte_level_alphabet.h"
#include "unicode/utf8.h"

namespace triptych::decoders {
namespace {

class ByteLevelSink final : public TokenSink {
 public:
  explicit ByteLevelSink(TokenSink& next) : next_(next) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    token_ += piece;
    if (!ends_token) return absl::OkStatus();
    std::string text;
    repairer_.Append(ByteLevel::BytesOf(token_), text);
    token_.clear();
    return next_.Append(text, /*ends_token=*/false);
  }

  absl::Status Finish() override {
    std::string text;
    repairer_.Flush(text);
    if (absl::Status ended = next_.Append(text, /*ends_token=*/true); !ended.ok()) return ended;
    return next_.Finish();
  }

 private:
  TokenSink& next_;
  std::string token_;
  unicode::Utf8Repairer repairer_;
};

}  // namespace

std::string ByteLevel::BytesOf(std::string_view token) {
  return unicode::FromByteLevel(token).value_or(std::string(token));
}

std::unique_ptr<TokenSink> ByteLevel::Start(TokenSink& next) const {
  return std::make_unique<ByteLevelSink>(next);
}

}  // namespace triptych::decoders
