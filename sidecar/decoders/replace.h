// Replace: `"type": "Replace"`, replaces a string or what a regular expression matches in each
// token.
#ifndef SIDECAR_DECODERS_REPLACE_H_
#define SIDECAR_DECODERS_REPLACE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "decoders/decoder.h"
#include "unicode/regex.h"

namespace triptych::decoders {

class Replace final : public Decoder {
 public:
  // INVALID_ARGUMENT as for unicode::Regex::Create.
  [[nodiscard]] static absl::StatusOr<Replace> CreateFromRegex(std::string_view pattern,
                                                               std::string content);
  // An empty `literal` stands before every character of a token and at its end, but not in an empty
  // token. (It cannot fail, but CreateFromRegex can.)
  [[nodiscard]] static absl::StatusOr<Replace> CreateFromString(std::string literal,
                                                                std::string content);

  // Holds back what may become the string; with a regular expression, a token until it ends.
  [[nodiscard]] std::unique_ptr<TokenSink> Start(TokenSink& next) const override;
  [[nodiscard]] Kind kind() const override { return Kind::kPerToken; }

 private:
  Replace(std::optional<unicode::Regex> regex, std::string literal, std::string content)
      : regex_(std::move(regex)), literal_(std::move(literal)), content_(std::move(content)) {}

  std::optional<unicode::Regex> regex_;  // nothing: replaces literal_
  std::string literal_;
  std::string content_;
};

}  // namespace triptych::decoders

#endif  // SIDECAR_DECODERS_REPLACE_H_
