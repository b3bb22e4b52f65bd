// CharSet: a set of code points, such as `[^\s\p{L}]`; and CharClassifier, which answers for many
// sets at once, fast.
#ifndef SIDECAR_UNICODE_CHAR_SET_H_
#define SIDECAR_UNICODE_CHAR_SET_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "unicode/unicode_tables.h"

namespace triptych::unicode {

// A value: sorted, disjoint ranges. Built while a file is loaded; for matching use CharClassifier.
class CharSet {
 public:
  CharSet() = default;

  // The set of one code point.
  static CharSet Of(char32_t code_point) { return Of(code_point, code_point); }

  // The set of the code points from `first` to `last`.
  static CharSet Of(char32_t first, char32_t last) {
    CharSet set;
    set.ranges_.push_back({first, last});
    return set;
  }

  // The set of the code points of `table`, which is sorted.
  static CharSet FromTable(const CodePointRange* table, size_t size);

  // The set of a Unicode property by its name in `\p{...}`: a general category ("Lu", "L",
  // "Uppercase_Letter"), a script ("Han") or another one of regex_tables.h ("Alphabetic"). Case,
  // spaces, hyphens and underscores do not matter. Nothing where the name is not known.
  static std::optional<CharSet> FromProperty(std::string_view name);

  void Add(char32_t first, char32_t last);
  void Add(const CharSet& other);

  // Adds many ranges cheaply; call Normalize at last, before anything else.
  void Append(char32_t first, char32_t last);
  void Append(const CharSet& other);
  void Normalize();

  // What is in both sets.
  [[nodiscard]] CharSet Intersect(const CharSet& other) const;

  // Everything that is not in the set.
  [[nodiscard]] CharSet Complement() const;

  friend bool operator==(const CharSet& a, const CharSet& b) {
    return std::equal(a.ranges_.begin(), a.ranges_.end(), b.ranges_.begin(), b.ranges_.end(),
                      [](const CodePointRange& x, const CodePointRange& y) {
                        return x.first == y.first && x.last == y.last;
                      });
  }

  [[nodiscard]] bool Contains(char32_t code_point) const;
  [[nodiscard]] const std::vector<CodePointRange>& ranges() const { return ranges_; }

 private:
  std::vector<CodePointRange> ranges_;  // sorted, without overlap, but for what was appended
  size_t normalized_size_ = 0;          // after the last Normalize
};

// For up to 64 sets: the mask of the sets that a code point is in, by three array reads, of which
// ASCII needs one. Immutable, so safe to share between threads.
class CharClassifier {
 public:
  static constexpr size_t kMaxSets = 64;

  // Takes time and memory in proportion to the ranges of the sets, not to the size of Unicode.
  // REQUIRES: at most kMaxSets sets.
  explicit CharClassifier(const std::vector<CharSet>& sets);

  // Bit i is set where sets[i] contains `code_point`. REQUIRES: a Unicode code point.
  [[nodiscard]] uint64_t MaskOf(char32_t code_point) const {
    if (code_point < kBlock) return ascii_[code_point];
    return masks_[kinds_[block_of_[code_point / kBlock] * kBlock + code_point % kBlock]];
  }

 private:
  static constexpr size_t kBlock = 128;

  // A stretch of code points that are in the same sets.
  struct Run {
    char32_t first;
    uint16_t kind;
  };

  std::vector<Run> ToRuns(const std::vector<CharSet>& sets);

  std::array<uint64_t, kBlock> ascii_;
  std::vector<uint64_t> masks_;     // by kind: code points in the same sets are of one kind
  std::vector<uint16_t> kinds_;     // of each code point of a block; equal blocks are kept once
  std::vector<uint16_t> block_of_;  // which block holds a code point
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_CHAR_SET_H_
