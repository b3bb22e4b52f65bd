// One parser for each stage of tokenizer.json. Private to the loader; use tokenizer_loader.h.
//
// All failures are INVALID_ARGUMENT with a JSON path; see JsonNode.
#ifndef SIDECAR_LOADER_STAGE_PARSERS_H_
#define SIDECAR_LOADER_STAGE_PARSERS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "decoders/sequence.h"
#include "loader/json_node.h"
#include "loader/load_options.h"
#include "models/model.h"
#include "normalizers/normalizer.h"
#include "post_processors/post_processor.h"
#include "pre_tokenizers/pre_tokenizer.h"
#include "tokenizer/added_vocabulary.h"

namespace triptych::loader {

[[nodiscard]] absl::StatusOr<std::vector<tokenizer::AddedToken>> ParseAddedTokens(
    const JsonNode& node);

// Null where the file has none.
[[nodiscard]] absl::StatusOr<std::unique_ptr<normalizers::Normalizer>> ParseNormalizer(
    const JsonNode& node, const LoadOptions& options);

// Never null; without any step where the file has none. `model_knows_bytes` says whether the model
// can work on plain bytes: then a ByteLevel that nobody but the model sees leaves the text alone,
// and the result's yields_bytes() is true.
[[nodiscard]] absl::StatusOr<std::unique_ptr<pre_tokenizers::PreTokenizer>> ParsePreTokenizer(
    const JsonNode& node, bool model_knows_bytes);

// What the stages in front of the model leave it.
struct ModelContext {
  bool is_byte_level;  // pieces are plain bytes; otherwise text as tokens are written
};

// Whether the model of this node can work on plain bytes: BPE can.
[[nodiscard]] bool ModelKnowsBytes(const JsonNode& node);

[[nodiscard]] absl::StatusOr<std::unique_ptr<models::Model>> ParseModel(
    const JsonNode& node, const ModelContext& context);

// Null where the file has none, or only steps that add no tokens.
[[nodiscard]] absl::StatusOr<std::unique_ptr<post_processors::PostProcessor>> ParsePostProcessor(
    const JsonNode& node);

// Where the file has none, the decoder that puts a space between tokens.
[[nodiscard]] absl::StatusOr<decoders::Sequence> ParseDecoder(const JsonNode& node);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_STAGE_PARSERS_H_
