// BlankSplitter: cuts a text for a model that has no pre-tokenizer, where no merge can cross.
//
// Models in the style of SentencePiece see the whole text as one piece, in which every blank is
// written "▁". Merged as a whole, each text would be a new one. But in nearly all such vocabularies
// no token has a "▁" behind another character (">▁</" in Gemma 3 is one of the few), so no merge
// joins what stands before a run of blanks with the run. Cut there, the text becomes words that
// repeat, and the tokens are the same.
//
// Works on text in which blanks are still blanks. Tested by blank_splitter_test.cc and, through the
// model, by bpe_test.cc.
#ifndef SIDECAR_MODELS_BLANK_SPLITTER_H_
#define SIDECAR_MODELS_BLANK_SPLITTER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "unicode/byte_classes.h"

namespace triptych::models {

// What "▁" is in UTF-8.
inline constexpr std::string_view kBlankMark = "\xE2\x96\x81";

// Immutable once all tokens are added, so safe to share between threads.
class BlankSplitter {
 public:
  // Split() needs so much room.
  static constexpr size_t kMinCapacity = unicode::kBlockBytes;

  BlankSplitter();

  // Takes note of a token that a merge makes: where its bytes adjoin, no cut may be.
  void AddToken(std::string_view token);

  // Cuts `text` from byte `begin` on, where a word begins: before each run of blanks, and around
  // each line break if no token joins it with anything. Otherwise as WordSplitter::Split. REQUIRES:
  // begin < text.size(), capacity >= kMinCapacity.
  [[nodiscard]] size_t Split(std::string_view text, size_t begin, uint32_t* ends,
                             size_t capacity) const;

  // The end of the word that begins at `begin`, in text in which blanks were replaced by "▁".
  // REQUIRES: begin < text.size().
  [[nodiscard]] size_t EndOfMarkedWord(std::string_view text, size_t begin) const;

  // Whether a line break is always a word of its own.
  [[nodiscard]] bool cuts_at_newlines() const { return cuts_at_newlines_; }

 private:
  unicode::ByteClasses classes_;
  bool cuts_behind_non_ascii_ = true;
  bool cuts_at_newlines_ = true;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BLANK_SPLITTER_H_
