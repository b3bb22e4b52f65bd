// Sequence: `"type": "Sequence"`, several post-processors one after the other.
#ifndef SIDECAR_POST_PROCESSORS_SEQUENCE_H_
#define SIDECAR_POST_PROCESSORS_SEQUENCE_H_

#include <memory>
#include <utility>
#include <vector>

#include "post_processors/post_processor.h"

namespace triptych::post_processors {

class Sequence final : public PostProcessor {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PostProcessor>> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] absl::StatusOr<std::vector<Layout>> Process(std::vector<Layout> parts,
                                                            bool add_special_tokens) const override;

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_SEQUENCE_H_
