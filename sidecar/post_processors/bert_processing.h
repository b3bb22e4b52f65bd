// BertProcessing and RobertaProcessing: the special tokens of BERT and of RoBERTa.
//
//     BertProcessing     [CLS] first [SEP]        [CLS] first [SEP] second [SEP]
//     RobertaProcessing  <s> first </s>           <s> first </s> </s> second </s>
//
// BERT's second text has the type id 1, with the [SEP] behind it; RoBERTa's tokens have 0 all.
#ifndef SIDECAR_POST_PROCESSORS_BERT_PROCESSING_H_
#define SIDECAR_POST_PROCESSORS_BERT_PROCESSING_H_

#include <cstdint>
#include <vector>

#include "post_processors/post_processor.h"

namespace triptych::post_processors {

// The options of RobertaProcessing trim offsets, and our ranges are not trimmed: it has none here.
class BertProcessing final : public PostProcessor {
 public:
  enum class Style { kBert, kRoberta };

  BertProcessing(Style style, uint32_t cls, uint32_t sep) : style_(style), cls_(cls), sep_(sep) {}

  // Knows any number of parts: each after the first is treated as the second.
  [[nodiscard]] absl::StatusOr<std::vector<Layout>> Process(std::vector<Layout> parts,
                                                            bool add_special_tokens) const override;

 private:
  Style style_;
  uint32_t cls_;
  uint32_t sep_;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_BERT_PROCESSING_H_
