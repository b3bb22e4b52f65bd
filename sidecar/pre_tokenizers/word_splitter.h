// WordSplitter: the words of the patterns that nearly every byte-level model uses, 64 bytes at a
// time.
//
// The general way runs the pattern as a regular expression (split.h), some 20 ns a word and more.
// But the patterns of GPT-2, Llama 3 and Qwen ask only of what class each character is: letter,
// number, white space, line break, blank, apostrophe, or any other. So the classes of 64 bytes are
// computed at once as bit masks (unicode/byte_classes.h), and the first byte of every word follows
// from shifts and additions on them. sidecar/DESIGN.md has the algebra and why it is exact.
//
// Tested by word_splitter_test.cc: against the regular expression, exhaustively on short texts of
// all classes and on random long ones.
#ifndef SIDECAR_PRE_TOKENIZERS_WORD_SPLITTER_H_
#define SIDECAR_PRE_TOKENIZERS_WORD_SPLITTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "unicode/byte_classes.h"
#include "unicode/char_set.h"

namespace triptych::pre_tokenizers {

// What differs between the patterns.
struct WordRules {
  // Llama 3 and Qwen: line breaks end words of their own, one character of any kind but a line
  // break or a number may stand before letters, contractions ignore case. GPT-2: none of it.
  bool is_modern = true;
  // Numbers are cut after so many digits; 0: never, and a blank may stand before them.
  uint32_t max_digits = 0;
};

// Immutable, so safe to share between threads.
class WordSplitter {
 public:
  // Split() may write so many ends behind those that fit.
  static constexpr size_t kMinCapacity = unicode::kBlockBytes;

  // The splitter that cuts as a Split with `pattern` and the behaviour Isolated does, or nothing
  // where `pattern` is not one of those that are known.
  [[nodiscard]] static std::optional<WordSplitter> ForPattern(std::string_view pattern);

  explicit WordSplitter(WordRules rules);

  // Cuts `text` from byte `begin` on, where a word begins. Writes the end of each word to `ends`
  // and returns how many; the next call begins at the last of them. It returns at the end of the
  // text, or when fewer than kMinCapacity places of `ends` are left. REQUIRES: `text` is valid
  // UTF-8, begin < text.size(), capacity >= kMinCapacity.
  [[nodiscard]] size_t Split(std::string_view text, size_t begin, uint32_t* ends,
                             size_t capacity) const;

  // The end of the one word that begins at `begin`, found character by character.
  [[nodiscard]] size_t EndOfWord(std::string_view text, size_t begin) const;

 private:
  enum CharClass : uint8_t { kLetter, kNumber, kSpace, kOther };

  // The classes of a window of the text that begins with a word. A character of several bytes has
  // all of them in the masks of its classes.
  struct Window {
    uint64_t letter, number, space, newline, blank, apostrophe, other;
    uint64_t continuation;  // bytes of a character but its first
    uint64_t valid;         // bytes in the window; no character is cut
    size_t size;
    bool is_last;  // it ends with the text
  };

  [[nodiscard]] Window WindowAt(std::string_view text, size_t begin) const;
  void AddNonAscii(std::string_view text, size_t begin, uint64_t non_ascii, Window& window) const;
  [[nodiscard]] uint64_t WordStarts(std::string_view text, size_t begin,
                                    const Window& window) const;
  [[nodiscard]] uint64_t NumberStarts(const Window& window, uint64_t after_blank) const;
  [[nodiscard]] uint64_t SplitContractions(std::string_view text, size_t begin,
                                           const Window& window, uint64_t apostrophes) const;

  [[nodiscard]] size_t ContractionSize(std::string_view text, size_t apostrophe) const;
  [[nodiscard]] CharClass ClassOf(char32_t c) const;
  [[nodiscard]] CharClass ClassAt(std::string_view text, size_t at) const;
  [[nodiscard]] size_t EndOfRun(std::string_view text, size_t at, CharClass kind,
                                size_t max_characters = SIZE_MAX) const;
  [[nodiscard]] size_t EndOfSpaces(std::string_view text, size_t begin) const;

  WordRules rules_;
  unicode::ByteClasses bytes_;
  unicode::CharClassifier characters_;
};

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_WORD_SPLITTER_H_
