// Split: `"type": "Split"`, cuts at the matches of a pattern. ByteLevel is built on it.
#ifndef SIDECAR_PRE_TOKENIZERS_SPLIT_H_
#define SIDECAR_PRE_TOKENIZERS_SPLIT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "pre_tokenizers/split_behavior.h"
#include "unicode/regex.h"

namespace triptych::pre_tokenizers {

class Split final : public PreTokenizer {
 public:
  // Cuts at the matches of a regular expression. INVALID_ARGUMENT where `pattern` is malformed or
  // uses what unicode/regex.h does not know. With `invert`, what the pattern does not match is the
  // match.
  [[nodiscard]] static absl::StatusOr<Split> CreateFromRegex(std::string_view pattern,
                                                             SplitBehavior behavior, bool invert);

  // Cuts at each occurrence of `literal`. An empty one occurs between all characters.
  [[nodiscard]] static absl::StatusOr<Split> CreateFromString(std::string_view literal,
                                                              SplitBehavior behavior, bool invert);

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;
  [[nodiscard]] const WordSplitter* word_splitter() const override { return splitter_.get(); }

 private:
  Split(std::unique_ptr<unicode::Regex> regex, std::string literal, SplitBehavior behavior,
        bool invert);

  absl::Status FindMatches(std::string_view piece, std::vector<base::ByteRange>& matches) const;

  std::unique_ptr<unicode::Regex> regex_;  // null: cuts at literal_
  std::string literal_;
  SplitBehavior behavior_;
  bool invert_;
  std::unique_ptr<const WordSplitter> splitter_;  // null: not one of the patterns that it knows
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_SPLIT_H_
