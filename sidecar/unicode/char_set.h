// CharSet: a set of code points, such as `[^\s\p{L}]`; and CharClassifier, which answers for many
// sets at once, fast.
#ifndef SIDECAR_UNICODE_CHAR_SET_H_
#define SIDECAR_UNICODE_CHAR_SET_H_

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

  // The set of a Unicode property by its name in `\p{...}`: a general category ("Lu"), a group of
  // them
  // ("L") or "Han". Nothing where the name is not known.
  static std::optional<CharSet> FromProperty(std::string_view name);

  // Everything that is in any of the sets.
  static CharSet UnionOf(const std::vector<CharSet>& sets);

  void Add(char32_t first, char32_t last);
  void Add(const CharSet& other);

  // Everything that is not in the set.
  [[nodiscard]] CharSet Complement() const;

  [[nodiscard]] bool Contains(char32_t code_point) const;
  [[nodiscard]] const std::vector<CodePointRange>& ranges() const { return ranges_; }

 private:
  void Normalize();  // sorts the ranges and joins those that touch

  std::vector<CodePointRange> ranges_;
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
