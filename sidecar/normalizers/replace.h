// Replace: `"type": "Replace"`, puts one text in place of every match of a pattern.
//
// What is put there has the origin of the last character of the match, and where the match is
// empty, of the character before it. It is literal where any byte of the match is.
#ifndef SIDECAR_NORMALIZERS_REPLACE_H_
#define SIDECAR_NORMALIZERS_REPLACE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/byte_range.h"
#include "normalizers/normalizer.h"
#include "unicode/regex.h"

namespace triptych::normalizers {

class Replace final : public Normalizer {
 public:
  // Replaces `pattern` as it stands. REQUIRES: it is not empty.
  static Replace Text(std::string pattern, std::string content) {
    return Replace(std::move(pattern), std::nullopt, std::move(content));
  }

  // INVALID_ARGUMENT where `pattern` is no regular expression that we know; see unicode/regex.h.
  [[nodiscard]] static absl::StatusOr<Replace> Pattern(std::string_view pattern,
                                                       std::string content);

  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  Replace(std::string text, std::optional<unicode::Regex> regex, std::string content)
      : text_(std::move(text)), regex_(std::move(regex)), content_(std::move(content)) {}

  absl::Status FindMatches(std::string_view text, std::vector<base::ByteRange>& matches) const;

  std::string text_;  // what to look for where there is no regex
  std::optional<unicode::Regex> regex_;
  std::string content_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_REPLACE_H_
