// DecodeStream: the text of a growing list of token ids.
#ifndef SIDECAR_TOKENIZER_DECODE_STREAM_H_
#define SIDECAR_TOKENIZER_DECODE_STREAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/tokenizer.h"
#include "unicode/utf8.h"

namespace triptych::tokenizer {

// However the ids are cut into calls, the texts joined are Tokenizer::Decode of all ids. A text
// never ends in half a character: what is unfinished is held back until it is finished, broken or
// flushed.
//
// Not thread-safe.
class DecodeStream {
 public:
  // `tokenizer` must outlive this object.
  DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that `ids` add. INVALID_ARGUMENT as for Tokenizer::Decode; the stream is then
  // unchanged and can go on.
  [[nodiscard]] absl::StatusOr<std::string> Append(const std::vector<uint32_t>& ids);

  // The text that is held back. Afterwards the stream is as new.
  [[nodiscard]] std::string Flush();

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_tokens_;
  unicode::Utf8Repairer repairer_;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_DECODE_STREAM_H_
