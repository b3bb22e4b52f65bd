// SentencePiece: the whole normalization of a SentencePiece model.
//
// At each place of a text the longest rule of the model's table applies; then runs of spaces are
// joined, a space goes in front, and spaces are written "▁". The Precompiled of tokenizer.json
// reads the same table, but applies it to grapheme clusters and characters, and leaves the spaces
// to other steps, so neither can stand in for the other.
#ifndef SIDECAR_NORMALIZERS_SENTENCE_PIECE_H_
#define SIDECAR_NORMALIZERS_SENTENCE_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "normalizers/normalizer.h"
#include "unicode/prefix_trie.h"

namespace triptych::normalizers {

struct SentencePieceOptions {
  // The `precompiled_charsmap` of the model: the size of a double array in bytes, the double array,
  // and the texts that it points into, each with a NUL behind it. Empty: no rules.
  std::string_view rules = {};
  // What is left as it is: the user-defined pieces.
  std::vector<std::string_view> verbatim = {};
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool treat_whitespace_as_suffix = false;  // the dummy prefix goes behind the text
};

class SentencePiece final : public Normalizer {
 public:
  // INVALID_ARGUMENT ("precompiled_charsmap: ...") where the rules are malformed. The options need
  // not outlive the call.
  [[nodiscard]] static absl::StatusOr<SentencePiece> Create(const SentencePieceOptions& options);

  // Forgets which bytes are literal: REQUIRES that no added token is looked for behind it.
  [[nodiscard]] absl::Status Normalize(base::AlignedText& text) const override;

 private:
  // What the beginning of a text becomes.
  struct Rewritten {
    std::string_view text;
    size_t consumed;
  };

  class Output;

  SentencePiece() = default;

  [[nodiscard]] Rewritten NormalizePrefix(std::string_view text) const;
  // The longest rule for the beginning of `text`; consumed is 0 where there is none.
  [[nodiscard]] Rewritten LongestRule(std::string_view text) const;

  std::vector<uint32_t> units_;  // the double array
  std::string rule_texts_;       // each with a NUL behind it
  unicode::PrefixTrie verbatim_;
  bool add_dummy_prefix_ = true;
  bool remove_extra_whitespaces_ = true;
  bool treat_whitespace_as_suffix_ = false;
  std::string_view space_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_SENTENCE_PIECE_H_
