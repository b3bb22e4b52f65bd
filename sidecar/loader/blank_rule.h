// FindBlankRule: sees that a file's normalizer and pre-tokenizer only write "▁" for blanks.
// Private to the loader.
#ifndef SIDECAR_LOADER_BLANK_RULE_H_
#define SIDECAR_LOADER_BLANK_RULE_H_

#include <optional>

#include "loader/json_node.h"
#include "tokenizer/text_encoder.h"

namespace triptych::loader {

// The rule, where the two stages have exactly one of the forms of Llama 2, Gemma or Mistral:
//   Prepend "▁", Replace " " -> "▁", no pre-tokenizer
//   Replace " " -> "▁", no pre-tokenizer, or one that splits at blanks, of which none are left
//   no normalizer, Metaspace that does not split
// Nothing for any other, which is no failure. REQUIRES: the stages themselves were parsed.
[[nodiscard]] std::optional<tokenizer::BlankRule> FindBlankRule(const JsonNode& normalizer,
                                                                const JsonNode& pre_tokenizer);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_BLANK_RULE_H_
