// The parsers of Settings. Private to the loader.
#ifndef SIDECAR_LOADER_SETTINGS_PARSER_H_
#define SIDECAR_LOADER_SETTINGS_PARSER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "loader/json_node.h"
#include "tokenizer/settings.h"

namespace triptych::loader {

// `truncation` and `padding` of a tokenizer.json; `root` is all of it. INVALID_ARGUMENT with the
// JSON path, also where `tokenizers` would read on: although neither is applied, a file with a
// mistake in it is not to be trusted.
[[nodiscard]] absl::StatusOr<tokenizer::Settings> ParseSettings(const JsonNode& root);

// What we read of a tokenizer_config.json. Its other members are for others.
struct TokenizerConfig {
  std::optional<bool> clean_up_tokenization_spaces;
  // Only for files that do not say it themselves.
  bool add_bos_token = false;
  bool add_eos_token = false;
};

// INVALID_ARGUMENT with the JSON path.
[[nodiscard]] absl::StatusOr<TokenizerConfig> ParseTokenizerConfig(std::string text);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_SETTINGS_PARSER_H_
