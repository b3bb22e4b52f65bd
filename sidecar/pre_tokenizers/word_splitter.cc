// How a window is cut.
//
// A window begins with a word, so nothing to its left matters: a regular expression that searches
// on from the end of a match has no memory. To its right the last run of characters of one class
// may go on, so only starts up to the beginning of that run are certain; the next window begins at
// the last certain start. Where that is the first byte itself (a word longer than the window), one
// word is found character by character.
//
// For runs of one class the starts are (for the modern patterns; GPT-2's are simpler):
//   other    its first byte, unless a blank stands before it: that blank is the start. The line
//            breaks behind it belong to it.
//   letters  the first byte, unless one character stands before it that the pattern lets in: a
//   space
//            that is no line break, or a run of others that is one character long and has no
//            blank before it. "(a" is one word, "((a" two, " (a" two.
//   numbers  the first of every max_digits characters.
//   spaces   the first byte; behind the last line break; and the last character where something
//            other than the end of the text follows, since \s+(?!\S) leaves it to what follows.
// An apostrophe that would be let in before letters begins a contraction, where those letters are
// the right ones; further letters are then a word of their own.
#include "pre_tokenizers/word_splitter.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::pre_tokenizers {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The numbers of the sets in ByteClasses; the first three also in CharClassifier.
enum Set { kLetterSet, kNumberSet, kSpaceSet, kNewlineSet, kBlankSet, kApostropheSet, kSets };

std::vector<unicode::CharSet> LettersNumbersSpaces() {
  return {*unicode::CharSet::FromProperty("L"), *unicode::CharSet::FromProperty("N"),
          unicode::CharSet::FromTable(unicode::kRegexSpace, unicode::kRegexSpaceSize)};
}

// The set bits of `bits` and all bits of `through` that adjoin them on the left, towards the first
// byte.
uint64_t SpreadDown(uint64_t bits, uint64_t through) {
  for (int step = 1; step < 64; step *= 2) {
    bits |= through & (bits >> step);
    through &= through >> step;
  }
  return bits;
}

// Moves bits that lie on any byte of a character to its first byte.
uint64_t ToFirstBytes(uint64_t bits, uint64_t continuation) {
  for (int i = 0; i < 3 && (bits & continuation) != 0; ++i) {
    bits = (bits & ~continuation) | (bits & continuation) >> 1;
  }
  return bits;
}

// The bits of first bytes, and those of the rest of their characters.
uint64_t ToAllBytes(uint64_t firsts, uint64_t continuation) {
  for (int i = 0; i < 3; ++i) firsts |= firsts << 1 & continuation;
  return firsts;
}

bool IsNewline(char c) { return c == '\n' || c == '\r'; }

}  // namespace

std::optional<WordSplitter> WordSplitter::ForPattern(std::string_view pattern) {
  if (pattern == kGpt2Pattern) return WordSplitter({.is_modern = false, .max_digits = 0});
  if (pattern == kQwen2Pattern) return WordSplitter({.is_modern = true, .max_digits = 1});
  if (pattern == kLlama3Pattern) return WordSplitter({.is_modern = true, .max_digits = 3});
  return std::nullopt;
}

WordSplitter::WordSplitter(WordRules rules)
    : rules_(rules), bytes_(kSets), characters_(LettersNumbersSpaces()) {
  for (uint8_t byte = 0; byte < 128; ++byte) {
    const uint64_t sets = characters_.MaskOf(byte);
    for (const Set set : {kLetterSet, kNumberSet, kSpaceSet}) {
      if ((sets >> set & 1) != 0) bytes_.Add(byte, set);
    }
  }
  for (const char newline : {'\r', '\n'}) bytes_.Add(static_cast<uint8_t>(newline), kNewlineSet);
  bytes_.Add(' ', kBlankSet);
  bytes_.Add('\'', kApostropheSet);
}

size_t WordSplitter::Split(std::string_view text, size_t begin, uint32_t* ends,
                           size_t capacity) const {
  size_t count = 0;
  while (begin < text.size() && count + kMinCapacity <= capacity) {
    const Window window = WindowAt(text, begin);
    uint64_t starts = WordStarts(text, begin, window) & window.valid & ~uint64_t{1};
    size_t done;
    if (window.is_last) {
      done = window.size;
    } else {
      // Bit i: the class of byte i differs from that of byte i - 1.
      const uint64_t changes =
          ((window.letter ^ window.letter << 1) | (window.number ^ window.number << 1) |
           (window.space ^ window.space << 1)) &
          window.valid & ~uint64_t{1};
      const uint64_t certain = changes == 0 ? 0 : ~uint64_t{0} >> std::countl_zero(changes);
      starts &= certain;
      done = starts == 0 ? 0 : 63 - static_cast<size_t>(std::countl_zero(starts));
    }
    for (; starts != 0; starts &= starts - 1) {
      ends[count++] =
          static_cast<uint32_t>(begin) + static_cast<uint32_t>(std::countr_zero(starts));
    }
    if (done == 0) {
      begin = EndOfWord(text, begin);
      ends[count++] = static_cast<uint32_t>(begin);
      continue;
    }
    begin += done;
    if (window.is_last) ends[count++] = static_cast<uint32_t>(begin);
  }
  return count;
}

WordSplitter::Window WordSplitter::WindowAt(std::string_view text, size_t begin) const {
  Window window;
  window.is_last = text.size() - begin <= unicode::kBlockBytes;
  window.size = std::min(text.size() - begin, unicode::kBlockBytes);
  window.valid = ~uint64_t{0} >> (unicode::kBlockBytes - window.size);
  const unicode::BlockMasks masks = bytes_.Classify(text.data() + begin, window.size);
  window.letter = masks.of_class[kLetterSet];
  window.number = masks.of_class[kNumberSet];
  window.space = masks.of_class[kSpaceSet];
  window.newline = masks.of_class[kNewlineSet];
  window.blank = masks.of_class[kBlankSet];
  window.apostrophe = masks.of_class[kApostropheSet];
  window.continuation = masks.continuation;
  if (masks.non_ascii != 0) AddNonAscii(text, begin, masks.non_ascii, window);
  window.other = window.valid & ~(window.letter | window.number | window.space);
  return window;
}

void WordSplitter::AddNonAscii(std::string_view text, size_t begin, uint64_t non_ascii,
                               Window& window) const {
  uint64_t firsts = non_ascii & ~window.continuation;
  const auto last = static_cast<size_t>(63 - std::countl_zero(firsts));
  if (last + unicode::SizeOfCharacter(text[begin + last]) > window.size) {  // the window cuts it
    window.size = last;
    window.is_last = false;
    window.valid = (uint64_t{1} << last) - 1;
    window.continuation &= window.valid;
    firsts &= window.valid;
  }
  uint64_t letter = 0, number = 0, space = 0;
  for (; firsts != 0; firsts &= firsts - 1) {
    const auto at = static_cast<size_t>(std::countr_zero(firsts));
    const uint64_t sets =
        characters_.MaskOf(unicode::DecodeCharacter(text.data() + begin + at).value);
    letter |= (sets >> kLetterSet & 1) << at;
    number |= (sets >> kNumberSet & 1) << at;
    space |= (sets >> kSpaceSet & 1) << at;
  }
  window.letter |= ToAllBytes(letter, window.continuation);
  window.number |= ToAllBytes(number, window.continuation);
  window.space |= ToAllBytes(space, window.continuation);
}

uint64_t WordSplitter::WordStarts(std::string_view text, size_t begin, const Window& w) const {
  // Line breaks behind others belong to them: adding the first bit of a run of ones clears the run.
  const uint64_t eaten =
      rules_.is_modern ? w.newline & ~(w.newline + (w.newline & w.other << 1)) : 0;
  const uint64_t space = w.space & ~eaten;
  const uint64_t ends_in_newline =
      rules_.is_modern && (space & w.newline) != 0 ? SpreadDown(space & w.newline, space) : 0;
  const uint64_t rest = space & ~ends_in_newline;
  // The last byte of a run of spaces that something follows.
  const uint64_t last_space = rest & ~(w.space >> 1) & (w.valid >> 1);
  const uint64_t space_starts =
      (space & ~(space << 1)) | (rest & ~(rest << 1)) | ToFirstBytes(last_space, w.continuation);

  const uint64_t after_blank = (last_space & w.blank) << 1;
  const uint64_t other_starts = w.other & ~(w.other << 1) & ~after_blank;
  // The last bytes of the runs of others that are one character long and have no blank before them.
  const uint64_t other_ends = w.other & ~(w.other >> 1);
  uint64_t single = other_ends & other_starts;
  if (w.continuation != 0) {
    for (uint64_t ends = other_ends & w.continuation; ends != 0; ends &= ends - 1) {
      const uint64_t end = ends & -ends;
      if ((ToFirstBytes(end, w.continuation) & other_starts) != 0) single |= end;
    }
  }
  const uint64_t let_in = rules_.is_modern ? single | last_space : last_space & w.blank;
  const uint64_t letter_starts = w.letter & ~(w.letter << 1) & ~(let_in << 1);

  uint64_t starts = space_starts | other_starts | letter_starts | NumberStarts(w, after_blank);
  const uint64_t apostrophes = single & w.apostrophe & (w.letter >> 1);
  if (apostrophes != 0) starts ^= SplitContractions(text, begin, w, apostrophes);
  return starts;
}

uint64_t WordSplitter::NumberStarts(const Window& w, uint64_t after_blank) const {
  const uint64_t runs = w.number & ~(w.number << 1);
  if (rules_.max_digits == 0) return runs & ~after_blank;
  const uint64_t firsts = w.number & ~w.continuation;
  if (rules_.max_digits == 1 || (firsts & ~runs) == 0) return firsts;
  uint64_t starts = 0;
  uint32_t digits = 0;
  for (uint64_t left = firsts; left != 0; left &= left - 1) {
    const uint64_t digit = left & -left;
    if ((digit & runs) != 0 || digits == rules_.max_digits) {
      starts |= digit;
      digits = 0;
    }
    ++digits;
  }
  return starts;
}

// The bits to flip: where a contraction ends inside letters a word begins; in GPT-2's pattern,
// which does not let an apostrophe in, the letters of the contraction begin none.
uint64_t WordSplitter::SplitContractions(std::string_view text, size_t begin, const Window& w,
                                         uint64_t apostrophes) const {
  uint64_t flipped = 0;
  for (; apostrophes != 0; apostrophes &= apostrophes - 1) {
    const auto at = static_cast<size_t>(std::countr_zero(apostrophes));
    const size_t size = ContractionSize(text, begin + at);
    if (size == 0) continue;
    if (!rules_.is_modern) flipped |= uint64_t{1} << (at + 1);
    if (at + size < unicode::kBlockBytes) flipped |= w.letter & uint64_t{1} << (at + size);
  }
  return flipped;
}

size_t WordSplitter::ContractionSize(std::string_view text, size_t apostrophe) const {
  const std::string_view rest = text.substr(apostrophe + 1, 2);
  if (rest.empty()) return 0;
  // U+017F, the long s, is an s to a pattern that ignores case.
  if (rules_.is_modern && rest == "\xC5\xBF") return 3;
  const auto letter = [&](size_t i) {
    const char c = rest[i];
    return rules_.is_modern && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  const char first = letter(0);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (rest.size() < 2) return 0;
  const char second = letter(1);
  const bool is_pair = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
                       (first == 'l' && second == 'l');
  return is_pair ? 3 : 0;
}

WordSplitter::CharClass WordSplitter::ClassOf(char32_t c) const {
  const uint64_t sets = characters_.MaskOf(c);
  return sets == 0 ? kOther : static_cast<CharClass>(std::countr_zero(sets));
}

WordSplitter::CharClass WordSplitter::ClassAt(std::string_view text, size_t at) const {
  return ClassOf(unicode::DecodeCharacter(text.data() + at).value);
}

size_t WordSplitter::EndOfRun(std::string_view text, size_t at, CharClass kind,
                              size_t max_characters) const {
  while (at < text.size() && max_characters-- > 0) {
    const auto [code_point, size] = unicode::DecodeCharacter(text.data() + at);
    if (ClassOf(code_point) != kind) break;
    at += size;
  }
  return at;
}

size_t WordSplitter::EndOfWord(std::string_view text, size_t begin) const {
  if (text[begin] == '\'') {
    if (const size_t size = ContractionSize(text, begin); size != 0) return begin + size;
  }
  const auto [first, first_size] = unicode::DecodeAt(text, begin);
  const CharClass kind = ClassOf(first);
  const size_t second = begin + first_size;
  if (kind == kLetter) return EndOfRun(text, begin, kLetter);
  if (second < text.size()) {
    const bool lets_in =
        rules_.is_modern ? kind != kNumber && !IsNewline(text[begin]) : text[begin] == ' ';
    const CharClass next = ClassAt(text, second);
    if (lets_in && next == kLetter) return EndOfRun(text, second, kLetter);
    if (!rules_.is_modern && lets_in && next == kNumber) return EndOfRun(text, second, kNumber);
  }
  if (kind == kNumber) {
    return EndOfRun(text, begin, kNumber, rules_.max_digits == 0 ? SIZE_MAX : rules_.max_digits);
  }
  const size_t others = text[begin] == ' ' ? second : begin;
  size_t end = EndOfRun(text, others, kOther);
  if (end == others) return EndOfSpaces(text, begin);
  while (rules_.is_modern && end < text.size() && IsNewline(text[end])) ++end;
  return end;
}

size_t WordSplitter::EndOfSpaces(std::string_view text, size_t begin) const {
  const size_t end = EndOfRun(text, begin, kSpace);
  if (rules_.is_modern) {
    const size_t newline = text.substr(begin, end - begin).find_last_of("\r\n");
    if (newline != std::string_view::npos) return begin + newline + 1;
  }
  if (end == text.size()) return end;
  const size_t last = unicode::PreviousBoundary(text, end);
  return last == begin ? end : last;
}

}  // namespace triptych::pre_tokenizers
