// The tokenizers of samples/, which the targets for encoding and decoding choose from.
#ifndef SIDECAR_FUZZ_SAMPLE_TOKENIZERS_H_
#define SIDECAR_FUZZ_SAMPLE_TOKENIZERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace triptych::fuzz {

struct SampleTokenizer {
  std::string name;  // of its file, without `.json`; begins with a letter of its own
  tokenizer::Tokenizer tokenizer;
  // The ids from here on are those of added tokens that the model itself cannot give.
  uint32_t first_only_added = 0;
};

// All samples, in the order of their names, read once. Ends the process where one cannot be read.
[[nodiscard]] const std::vector<SampleTokenizer>& SampleTokenizers();

// The sample whose name begins with `letter`; another one where there is none.
[[nodiscard]] const SampleTokenizer& ChooseSample(uint8_t letter);

}  // namespace triptych::fuzz

#endif  // SIDECAR_FUZZ_SAMPLE_TOKENIZERS_H_
