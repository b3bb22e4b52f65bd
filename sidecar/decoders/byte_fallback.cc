#include "decoders/byte_fallback.h"

#include <charconv>
#include <cstddef>
#include <string>

namespace triptych::decoders {
namespace {

constexpr size_t kByteTokenSize = 6;  // "<0xE4>"

class ByteFallbackSink final : public TokenSink {
 public:
  explicit ByteFallbackSink(TokenSink& next) : next_(next) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    if (!is_passing_) {
      token_ += piece;
      if (token_.size() <= kByteTokenSize && !ends_token) return absl::OkStatus();
      const std::optional<uint8_t> byte = ByteFallback::ByteOf(token_);
      if (ends_token && byte.has_value()) {
        run_.push_back(static_cast<char>(*byte));
        token_.clear();
        return absl::OkStatus();
      }
      if (absl::Status ended = EndRun(); !ended.ok()) return ended;
      piece = token_;
    }
    absl::Status passed = next_.Append(piece, ends_token);
    is_passing_ = !ends_token;
    token_.clear();
    return passed;
  }

  absl::Status Finish() override {
    if (absl::Status ended = EndRun(); !ended.ok()) return ended;
    return next_.Finish();
  }

 private:
  absl::Status EndRun() {
    absl::Status ended = ByteFallback::ForEachTokenOf(
        run_, [this](std::string_view token) { return next_.Append(token, /*ends_token=*/true); });
    run_.clear();
    return ended;
  }

  TokenSink& next_;
  std::string run_;          // the bytes of the byte tokens before this token
  std::string token_;        // the beginning of this token, while it may still be a byte token
  bool is_passing_ = false;  // this token is known not to be one
};

}  // namespace

std::optional<uint8_t> ByteFallback::ByteOf(std::string_view token) {
  if (token.size() != kByteTokenSize || !token.starts_with("<0x") || token.back() != '>') {
    return std::nullopt;
  }
  std::string_view digits = token.substr(3, 2);
  if (digits.front() == '+') digits.remove_prefix(1);
  uint8_t byte = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), byte, /*base=*/16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return byte;
}

std::unique_ptr<TokenSink> ByteFallback::Start(TokenSink& next) const {
  return std::make_unique<ByteFallbackSink>(next);
}

}  // namespace triptych::decoders
