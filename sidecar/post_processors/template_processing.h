// TemplateProcessing: `"type": "TemplateProcessing"`, special tokens around a text: "<s> $A </s>".
#ifndef SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_
#define SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "post_processors/post_processor.h"

namespace triptych::post_processors {

// Knows the template for one text only. The template for pairs is for models that compare two
// texts.
class TemplateProcessing final : public PostProcessor {
 public:
  TemplateProcessing(std::vector<uint32_t> before, std::vector<uint32_t> after)
      : before_(std::move(before)), after_(std::move(after)) {}

  void AddSpecialTokens(base::Encoding& encoding) const override;

 private:
  std::vector<uint32_t> before_;
  std::vector<uint32_t> after_;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_
