// Sequence: `"type": "Sequence"`, several pre-tokenizers one after the other, each cutting the
// pieces of the one before.
#ifndef SIDECAR_PRE_TOKENIZERS_SEQUENCE_H_
#define SIDECAR_PRE_TOKENIZERS_SEQUENCE_H_

#include <memory>
#include <utility>
#include <vector>

#include "pre_tokenizers/pre_tokenizer.h"

namespace triptych::pre_tokenizers {

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] absl::Status PreTokenize(PreTokenizedText& text) const override;
  [[nodiscard]] bool yields_bytes() const override {
    return !steps_.empty() && steps_.back()->yields_bytes();
  }

  [[nodiscard]] const WordSplitter* word_splitter() const override {
    const PreTokenizer* only = nullptr;  // the one that does something
    for (const auto& step : steps_) {
      if (step->does_nothing()) continue;
      if (only != nullptr) return nullptr;
      only = step.get();
    }
    return only == nullptr ? nullptr : only->word_splitter();
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_SEQUENCE_H_
