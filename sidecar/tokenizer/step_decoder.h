// StepDecoder: the text that token ids add to a text, one by one.
//
// It gives what DecodeStream of `tokenizers` gives, piece by piece, because that is what vLLM
// gives, and where a stop string ends, and at which token, depends on the pieces. The rule: a
// *window* of the last ids is decoded. Where it ends in U+FFFD it may be half a character, and
// nothing is given out; else all that it has more than when text was last given out, its *prefix*.
// The window then begins where that prefix ended:
//
//     ids          window decoded   given out
//     "▁a"         "a"              "a"          of "a" nothing was given out before
//     <0xC3>       "a\uFFFD"        ""
//     <0xA9>       "aé"             "é"          now the window begins at <0xC3>
//     "▁b"         "é b"            " b"         not "b": it is not the first of the window
//
// So the pieces joined are what Decode gives for all ids, but for two things. What is unfinished at
// the end is never given out. And one broken byte makes all of a run of byte tokens U+FFFD, also
// bytes that were given out as characters: what has come since then is left out, and a new text
// begins, as it does in vLLM, which `tokenizers` tells of an "invalid prefix" there.
//
// Where text is only joined (byte-level models, WordPiece, Metaspace), the window need not be
// decoded again: what it has more is what its ids have had since text was last given out. Elsewhere
// (Llama 2's form) neither need it be where it is one token that was given out, to which the text
// of the next is only appended (Detokenizer::IsSettled): that is, nearly always.
//
// Tested by decode_stream_test.cc, tests/unit/tokenizer/test_decoders.py and, against vLLM,
// tests/conformance/streams.
#ifndef SIDECAR_TOKENIZER_STEP_DECODER_H_
#define SIDECAR_TOKENIZER_STEP_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenizer/detokenizer.h"

namespace triptych::tokenizer {

// Ids that are not tokens, and special ones that are to be skipped, are no text. Not thread-safe.
// It can be moved. A failure is RESOURCE_EXHAUSTED, where a pattern of the decoder takes too long.
class StepDecoder {
 public:
  // Begins behind the text of `context`: nothing of it is given out, but a character that it leaves
  // unfinished. Bytes at its beginning that go on with a character, as where it is the end of
  // something longer, are passed over. `detokenizer` must outlive this object.
  [[nodiscard]] static absl::StatusOr<StepDecoder> Create(const Detokenizer& detokenizer,
                                                          bool skip_special_tokens,
                                                          std::span<const uint32_t> context);

  // Appends to `out` the text that `id` makes certain. After a failure nothing but the destructor
  // may be called.
  //
  // Linear in the ids since text was last given out, of which there are few, unless the decoder is
  // not one that only joins and a model writes nothing but broken bytes.
  [[nodiscard]] absl::Status Step(uint32_t id, std::string& out);

 private:
  StepDecoder(const Detokenizer& detokenizer, bool skip_special_tokens)
      : detokenizer_(&detokenizer), skip_special_tokens_(skip_special_tokens) {}

  absl::Status BeginBehind(std::span<const uint32_t> context);
  absl::Status StepJoined(uint32_t id, std::string& out);
  absl::Status StepWindow(uint32_t id, std::string& out);
  // What StepWindow does where text is only appended, as it mostly is; false, and nothing done,
  // where it may be more.
  bool StepSettled(uint32_t id, std::string& out);
  // Decodes the window, and takes all of it as given out.
  absl::Status TakePrefix();

  const Detokenizer* detokenizer_;
  bool skip_special_tokens_;

  // Where text is only joined.
  std::optional<Detokenizer::Stream> joined_;
  std::string held_;  // its text that was not given out

  // Else.
  std::vector<uint32_t> window_;
  std::string prefix_;           // what was given out of the window's text
  bool is_prefix_known_ = true;  // else it is all of the window's text
  size_t prefix_count_ = 0;      // the ids of the window that it is the text of
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_STEP_DECODER_H_
