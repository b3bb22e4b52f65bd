// Settings: what a tokenizer's files say that has no influence on what we compute, for those who
// ask.
//
// Truncation and padding are not applied. vLLM and transformers, which load the same files, set
// both anew at each call and ignore what the file has; a file often has them only because its last
// user saved them with it (many have max_length 512 for a model of 8,192). How long a prompt may be
// is the server's business. The spaces that transformers can clean up after decoding are not
// cleaned up either: the text of a stream must not change behind what was already sent.
#ifndef SIDECAR_TOKENIZER_SETTINGS_H_
#define SIDECAR_TOKENIZER_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace triptych::tokenizer {

enum class Side { kLeft, kRight };

// `truncation` of tokenizer.json.
struct Truncation {
  enum class Strategy { kLongestFirst, kOnlyFirst, kOnlySecond };

  Side direction = Side::kRight;  // where tokens are cut off
  uint64_t max_length = 0;        // tokens
  Strategy strategy = Strategy::kLongestFirst;
  uint64_t stride = 0;  // tokens that a part shares with the one before

  friend bool operator==(const Truncation&, const Truncation&) = default;
};

// `padding` of tokenizer.json.
struct Padding {
  std::optional<uint64_t> fixed_length;  // tokens; nothing: that of the longest of a batch
  Side direction = Side::kRight;         // where the padding goes
  std::optional<uint64_t> pad_to_multiple_of;
  uint32_t pad_id = 0;
  uint32_t pad_type_id = 0;
  std::string pad_token;

  friend bool operator==(const Padding&, const Padding&) = default;
};

struct Settings {
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  // Of tokenizer_config.json. Nothing where it is missing: transformers then takes false
  // since 4.45, and true before.
  std::optional<bool> clean_up_tokenization_spaces;

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_SETTINGS_H_
