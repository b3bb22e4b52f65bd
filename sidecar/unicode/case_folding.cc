#include "unicode/case_folding.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "unicode/regex_tables.h"

namespace triptych::unicode {
namespace {

const CaseLink* FindLink(char32_t code_point) {
  const CaseLink* end = kCaseLinks + kCaseLinksSize;
  const CaseLink* found =
      std::lower_bound(kCaseLinks, end, code_point,
                       [](const CaseLink& link, char32_t c) { return link.code_point < c; });
  return found != end && found->code_point == code_point ? found : nullptr;
}

// The smallest character of the ring that `code_point` is in.
char32_t RepresentativeOf(char32_t code_point) {
  char32_t smallest = code_point;
  for (const CaseLink* link = FindLink(code_point); link != nullptr && link->next != code_point;
       link = FindLink(link->next)) {
    smallest = std::min(smallest, link->next);
  }
  return smallest;
}

std::u32string RepresentativesOf(std::u32string_view text) {
  std::u32string representatives;
  for (const char32_t c : text) representatives.push_back(RepresentativeOf(c));
  return representatives;
}

std::u32string PartsOf(const MultipleFold& fold) { return {fold.parts, fold.size}; }

// From the representatives of what characters fold to, to these characters.
const absl::flat_hash_map<std::u32string, CharSet>& ByParts() {
  static const auto* const by_parts = [] {
    auto* built = new absl::flat_hash_map<std::u32string, CharSet>();
    for (size_t i = 0; i < kMultipleFoldsSize; ++i) {
      const MultipleFold& fold = kMultipleFolds[i];
      (*built)[RepresentativesOf(PartsOf(fold))].Add(fold.code_point, fold.code_point);
    }
    return built;
  }();
  return *by_parts;
}

}  // namespace

CharSet IgnoreCase(char32_t code_point) {
  CharSet set = CharSet::Of(code_point);
  for (const CaseLink* link = FindLink(code_point); link != nullptr && link->next != code_point;
       link = FindLink(link->next)) {
    set.Append(link->next, link->next);
  }
  set.Normalize();
  return set;
}

CharSet IgnoreCase(const CharSet& set) {
  CharSet all = set;
  for (size_t i = 0; i < kCaseLinksSize; ++i) {
    if (set.Contains(kCaseLinks[i].code_point)) all.Append(IgnoreCase(kCaseLinks[i].code_point));
  }
  all.Normalize();
  return all;
}

std::optional<std::u32string> MultipleFoldOf(char32_t code_point) {
  const MultipleFold* end = kMultipleFolds + kMultipleFoldsSize;
  const MultipleFold* found =
      std::lower_bound(kMultipleFolds, end, code_point,
                       [](const MultipleFold& fold, char32_t c) { return fold.code_point < c; });
  if (found == end || found->code_point != code_point) return std::nullopt;
  return PartsOf(*found);
}

std::vector<std::u32string> MultipleFoldsOf(const CharSet& set) {
  std::vector<std::u32string> folds;
  for (size_t i = 0; i < kMultipleFoldsSize; ++i) {
    if (set.Contains(kMultipleFolds[i].code_point)) folds.push_back(PartsOf(kMultipleFolds[i]));
  }
  std::sort(folds.begin(), folds.end(), [](const std::u32string& a, const std::u32string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  folds.erase(std::unique(folds.begin(), folds.end()), folds.end());
  return folds;
}

SingleCharacters SingleCharactersFor(std::u32string_view text) {
  std::u32string parts = RepresentativesOf(text.substr(0, 3));
  for (; parts.size() >= 2; parts.pop_back()) {
    const auto found = ByParts().find(parts);
    if (found != ByParts().end()) return {found->second, parts.size()};
  }
  return {};
}

}  // namespace triptych::unicode
