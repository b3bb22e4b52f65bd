// PostProcessor: the last stage of encoding in tokenizer.json's pipeline, which adds special
// tokens.
#ifndef SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_
#define SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_

#include "base/encoding.h"

namespace triptych::post_processors {

// Implementations are immutable, so safe to share between threads.
//
// There is no class for `"type": "ByteLevel"`: as a post-processor it trims offsets and changes no
// ids, and our ranges are not trimmed.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;

  // Adds the special tokens around `encoding`. Called only where the request asks for them.
  virtual void AddSpecialTokens(base::Encoding& encoding) const = 0;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_POST_PROCESSOR_H_
