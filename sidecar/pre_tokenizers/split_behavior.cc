#include "pre_tokenizers/split_behavior.h"

#include <algorithm>
#include <cstddef>

namespace triptych::pre_tokenizers {
namespace {

using base::ByteRange;

// A stretch of a piece: a match of the pattern, or what stands between matches.
struct Stretch {
  ByteRange range;
  bool is_match;
};

// Fills the gaps between matches, so that the stretches cover [0, size).
std::vector<Stretch> ToStretches(const std::vector<ByteRange>& matches, uint32_t size,
                                 bool invert) {
  std::vector<Stretch> stretches;
  uint32_t end = 0;
  for (const ByteRange& match : matches) {
    if (match.begin > end) stretches.push_back({{end, match.begin}, invert});
    stretches.push_back({match, !invert});
    end = match.end;
  }
  if (end < size) stretches.push_back({{end, size}, invert});
  return stretches;
}

// Joins stretches from left to right: where `joins(previous, current)`, `current` becomes a part of
// the stretch before it. `previous` is whether the stretch before was a match; false at the
// beginning.
template <typename Joins>
std::vector<ByteRange> Join(const std::vector<Stretch>& stretches, Joins joins) {
  std::vector<ByteRange> joined;
  bool previous = false;
  for (const auto& [range, is_match] : stretches) {
    if (joins(previous, is_match) && !joined.empty()) {
      joined.back().end = range.end;
    } else {
      joined.push_back(range);
    }
    previous = is_match;
  }
  return joined;
}

std::vector<ByteRange> JoinWithNext(const std::vector<Stretch>& stretches) {
  std::vector<ByteRange> joined;
  bool next = false;
  for (size_t i = stretches.size(); i-- > 0;) {
    const auto& [range, is_match] = stretches[i];
    if (is_match && !next && !joined.empty()) {
      joined.back().begin = range.begin;
    } else {
      joined.push_back(range);
    }
    next = is_match;
  }
  std::reverse(joined.begin(), joined.end());
  return joined;
}

std::vector<ByteRange> Merge(const std::vector<Stretch>& stretches, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::kMergedWithPrevious:
      return Join(stretches, [](bool previous, bool current) { return current && !previous; });
    case SplitBehavior::kMergedWithNext:
      return JoinWithNext(stretches);
    case SplitBehavior::kContiguous:
      return Join(stretches, [](bool previous, bool current) { return current == previous; });
    case SplitBehavior::kRemoved:
    case SplitBehavior::kIsolated:
      break;
  }
  return {};
}

}  // namespace

void AppendCut(ByteRange piece, const std::vector<ByteRange>& matches, SplitBehavior behavior,
               bool invert, std::vector<ByteRange>& pieces) {
  const auto keep = [&](ByteRange part) {
    if (!part.empty()) pieces.push_back({piece.begin + part.begin, piece.begin + part.end});
  };
  if (behavior != SplitBehavior::kIsolated && behavior != SplitBehavior::kRemoved) {
    for (const ByteRange& part : Merge(ToStretches(matches, piece.size(), invert), behavior)) {
      keep(part);
    }
    return;
  }
  // These two, which are most of what files use, do not depend on what stood before.
  const bool keeps_all = behavior == SplitBehavior::kIsolated;
  uint32_t end = 0;
  for (const ByteRange& match : matches) {
    if (keeps_all || !invert) keep({end, match.begin});
    if (keeps_all || invert) keep(match);
    end = match.end;
  }
  if (keeps_all || !invert) keep({end, piece.size()});
}

}  // namespace triptych::pre_tokenizers
