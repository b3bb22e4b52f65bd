// SplitBehavior: what becomes of the matches of a pattern that cuts a text, whatever the pattern
// is: a regular expression, a string or a class of characters.
#ifndef SIDECAR_PRE_TOKENIZERS_SPLIT_BEHAVIOR_H_
#define SIDECAR_PRE_TOKENIZERS_SPLIT_BEHAVIOR_H_

#include <cstdint>
#include <vector>

#include "base/byte_range.h"

namespace triptych::pre_tokenizers {

// For the pattern "-" and the text "the-final--cut":
enum class SplitBehavior {
  kRemoved,             // the | final | cut
  kIsolated,            // the | - | final | - | - | cut
  kMergedWithPrevious,  // the- | final- | - | cut
  kMergedWithNext,      // the | -final | - | -cut
  kContiguous,          // the | - | final | -- | cut
};

// Appends to `pieces` the parts of `piece` that `behavior` makes of the `matches` of a pattern. The
// matches are relative to the piece's beginning, in order, not overlapping; empty ones count: they
// cut. With `invert`, what lies between the matches is the match.
void AppendCut(base::ByteRange piece, const std::vector<base::ByteRange>& matches,
               SplitBehavior behavior, bool invert, std::vector<base::ByteRange>& pieces);

}  // namespace triptych::pre_tokenizers

#endif  // SIDECAR_PRE_TOKENIZERS_SPLIT_BEHAVIOR_H_
