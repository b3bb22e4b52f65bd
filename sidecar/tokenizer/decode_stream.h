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
#include "tokenizer/step_decoder.h"
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
  // What comes before: see StepDecoder. Stop strings are not looked for in it.
  std::span<const uint32_t> context = {};
  // A stop string counts only where it becomes complete behind the text of so many ids.
  uint32_t min_tokens = 0;
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

// However the ids are cut into calls, the texts joined are the same: what StepDecoder gives for the
// ids one by one, up to the stop string if there is one. A text never ends in half a character, nor
// in what may become a stop string that is to be left out; what is not certain yet is held back
// until it is.
//
// Not thread-safe. It can be moved.
class DecodeStream {
 public:
  // The tokenizer must outlive the stream; the context need not. RESOURCE_EXHAUSTED where a pattern
  // of the decoder takes too long for the context.
  [[nodiscard]] static absl::StatusOr<DecodeStream> Create(const Detokenizer& detokenizer,
                                                           StreamOptions options);
  [[nodiscard]] static absl::StatusOr<DecodeStream> Create(const Tokenizer& tokenizer,
                                                           StreamOptions options) {
    return Create(tokenizer.detokenizer(), std::move(options));
  }

  // The text that `ids` add. Ids that are not tokens are no text. After a stop string further ids
  // are ignored. RESOURCE_EXHAUSTED where a pattern of the decoder takes too long: only Flush may
  // follow, and text is lost.
  [[nodiscard]] absl::StatusOr<StreamText> Append(std::span<const uint32_t> ids);

  // The end: the text that is held back because it may become a stop string. Half a character is
  // left out. Afterwards only the destructor may be called.
  [[nodiscard]] StreamText Flush();

 private:
  DecodeStream(StepDecoder decoder, const StreamOptions& options);

  // Passes decoded text on through cleanup and stop strings. With `is_last` nothing is held back.
  void Pass(std::string text, bool is_last, StreamText& out);

  StepDecoder decoder_;
  std::optional<decoders::SpaceCleanup> cleanup_;  // nothing: not wanted
  std::optional<StopFinder> stops_;                // nothing: no stop strings
  std::optional<uint32_t> stop_index_;             // has ended
  uint32_t ids_before_stops_;                      // how many of min_tokens are still to come
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_DECODE_STREAM_H_
