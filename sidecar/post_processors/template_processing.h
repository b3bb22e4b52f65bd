// TemplateProcessing: `"type": "TemplateProcessing"`, texts and special tokens as a template says:
// "[CLS] $A [SEP]", and another one for pairs.
#ifndef SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_
#define SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_

#include <utility>
#include <vector>

#include "post_processors/post_processor.h"

namespace triptych::post_processors {

// Without special tokens a template still arranges the texts and gives them type ids.
class TemplateProcessing final : public PostProcessor {
 public:
  // Each element of a template is one text, or the ids, if any, of one special token.
  // REQUIRES: `single` has no second text.
  TemplateProcessing(std::vector<Layout> single, std::vector<Layout> pair)
      : single_(std::move(single)), pair_(std::move(pair)) {}

  // INVALID_ARGUMENT for more than two parts.
  [[nodiscard]] absl::StatusOr<std::vector<Layout>> Process(std::vector<Layout> parts,
                                                            bool add_special_tokens) const override;

 private:
  std::vector<Layout> single_;
  std::vector<Layout> pair_;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_TEMPLATE_PROCESSING_H_
