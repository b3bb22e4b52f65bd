#include "tokenizer/decode_stream.h"

namespace triptych::tokenizer {

absl::StatusOr<std::string> DecodeStream::Append(const std::vector<uint32_t>& ids) {
  std::string bytes, text;
  absl::Status appended = tokenizer_.AppendBytesOf(ids, skip_special_tokens_, bytes);
  if (!appended.ok()) return appended;
  repairer_.Append(bytes, text);
  return text;
}

std::string DecodeStream::Flush() {
  std::string text;
  repairer_.Flush(text);
  return text;
}

}  // namespace triptych::tokenizer
