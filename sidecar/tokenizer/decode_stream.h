// DecodeStream: the text of a growing list of token ids.
#ifndef SIDECAR_TOKENIZER_DECODE_STREAM_H_
#define SIDECAR_TOKENIZER_DECODE_STREAM_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "decoders/space_cleanup.h"
#include "tokenizer/detokenizer.h"
#include "tokenizer/stop_finder.h"
#include "tokenizer/tokenizer.h"

namespace triptych::tokenizer {

struct StreamOptions {
  bool skip_special_tokens = false;
  // The text ends at the first of them: the one that is complete first, and of several that are
  // complete together the first in this list, even where another of them began earlier. An empty
  // one is never found.
  std::vector<std::string> stop_strings = {};
  bool include_stop_string = false;  // the text ends behind the stop string, not before it
  bool clean_up_spaces = false;      // see DecodeOptions; stop strings are found in the clean text
};

// What a call adds to a stream.
struct StreamText {
  std::string text;
  // The stop string that ended the stream, in this call or before it, as an index into
  // StreamOptions::stop_strings.
  std::optional<uint32_t> stop_index;
  // How many ids of the call belong to the text: all, or those up to the one that completed the
  // stop string, or none where the stream had ended before.
  uint32_t tokens_used = 0;
};

// However the ids are cut into calls, the texts joined are the same: Detokenizer::Decode of all
// ids, up to the stop string if there is one. A text never ends in half a character, nor in what
// may become a stop string that is to be left out; what is not certain yet is held back until it
// is.
//
// Not thread-safe. It can be moved.
class DecodeStream {
 public:
  // The tokenizer must outlive this object.
  DecodeStream(const Detokenizer& detokenizer, StreamOptions options);
  DecodeStream(const Tokenizer& tokenizer, StreamOptions options)
      : DecodeStream(tokenizer.detokenizer(), std::move(options)) {}

  // The text that `ids` add. After a stop string further ids are ignored. INVALID_ARGUMENT as for
  // Detokenizer::Decode: the stream is then unchanged and can go on. RESOURCE_EXHAUSTED where a
  // pattern of the decoder takes too long: only Flush may follow, and text is lost.
  [[nodiscard]] absl::StatusOr<StreamText> Append(std::span<const uint32_t> ids);

  // The text that is held back, which may complete a stop string. Afterwards the stream is as new.
  // RESOURCE_EXHAUSTED as for Append.
  [[nodiscard]] absl::StatusOr<StreamText> Flush();

 private:
  absl::Status AppendUntilStop(std::span<const uint32_t> ids, StreamText& out);
  // Passes decoded text on through cleanup and stop strings. With `is_last` nothing is held back.
  void Pass(std::string text, bool is_last, StreamText& out);

  const Detokenizer* detokenizer_;
  StreamOptions options_;
  Detokenizer::Stream decoded_;
  std::optional<decoders::SpaceCleanup> cleanup_;  // nothing: not wanted
  std::optional<StopFinder> stops_;                // nothing: no stop strings
  std::optional<uint32_t> stop_index_;             // has ended
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_DECODE_STREAM_H_
