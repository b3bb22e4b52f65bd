// PostProcessor: the last stage of encoding in tokenizer.json's pipeline, which arranges the texts
// of a request and adds special tokens.
#ifndef SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_
#define SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_

#include <vector>

#include "absl/status/statusor.h"
#include "post_processors/layout.h"

namespace triptych::post_processors {

// Implementations are immutable, so safe to share between threads.
//
// There is no class for `"type": "ByteLevel"`: as a post-processor it trims offsets and changes no
// ids, and our ranges are not trimmed.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;

  // What becomes of `parts`, one after the other in the encoding. The parts of a request are its
  // text or its pair of texts; those of a step of a Sequence are what the step before it made, and
  // special tokens are then parts of their own. INVALID_ARGUMENT where there are more parts than
  // this post-processor knows, as `tokenizers` panics there.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Layout>> Process(
      std::vector<Layout> parts, bool add_special_tokens) const = 0;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_
