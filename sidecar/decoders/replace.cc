#include "decoders/replace.h"

#include <vector>

#include "base/byte_range.h"
#include "base/text_limit.h"
#include "decoders/literal_replacer.h"

namespace triptych::decoders {
namespace {

class LiteralReplaceSink final : public TokenSink {
 public:
  LiteralReplaceSink(std::string literal, std::string content, TokenSink& next)
      : next_(next), replacer_(std::move(literal), std::move(content)) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    std::string text;
    replacer_.Append(piece, text);
    if (ends_token) replacer_.Flush(text);
    if (absl::Status checked = base::CheckTokenGrowth(piece.size(), text.size()); !checked.ok()) {
      return checked;
    }
    return next_.Append(text, ends_token);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  TokenSink& next_;
  LiteralReplacer replacer_;
};

class RegexReplaceSink final : public TokenSink {
 public:
  RegexReplaceSink(const unicode::Regex& regex, std::string_view content, TokenSink& next)
      : next_(next), regex_(regex), content_(content) {}

  absl::Status Append(std::string_view piece, bool ends_token) override {
    token_ += piece;
    if (!ends_token) return absl::OkStatus();
    std::vector<base::ByteRange> matches;
    if (!token_.empty()) {
      if (absl::Status found = regex_.FindAll(token_, matches); !found.ok()) return found;
    }
    if (absl::Status checked =
            base::CheckTokenGrowth(token_.size(), matches.size() * content_.size());
        !checked.ok()) {
      return checked;
    }
    const std::string text = ReplaceMatches(matches);
    token_.clear();
    return next_.Append(text, /*ends_token=*/true);
  }

  absl::Status Finish() override { return next_.Finish(); }

 private:
  std::string ReplaceMatches(const std::vector<base::ByteRange>& matches) const {
    std::string text;
    size_t end = 0;
    for (const base::ByteRange& match : matches) {
      text.append(token_, end, match.begin - end);
      text += content_;
      end = match.end;
    }
    return text.append(token_, end);
  }

  TokenSink& next_;
  const unicode::Regex& regex_;
  std::string_view content_;
  std::string token_;
};

}  // namespace

absl::StatusOr<Replace> Replace::CreateFromRegex(std::string_view pattern, std::string content) {
  absl::StatusOr<unicode::Regex> regex = unicode::Regex::Create(pattern);
  if (!regex.ok()) return regex.status();
  return Replace(*std::move(regex), "", std::move(content));
}

absl::StatusOr<Replace> Replace::CreateFromString(std::string literal, std::string content) {
  if (literal.empty()) return CreateFromRegex("(?:)", std::move(content));
  return Replace(std::nullopt, std::move(literal), std::move(content));
}

std::unique_ptr<TokenSink> Replace::Start(TokenSink& next) const {
  if (regex_.has_value()) return std::make_unique<RegexReplaceSink>(*regex_, content_, next);
  return std::make_unique<LiteralReplaceSink>(literal_, content_, next);
}

}  // namespace triptych::decoders
