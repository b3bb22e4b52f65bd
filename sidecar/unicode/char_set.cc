#include "unicode/char_set.h"

#include <algorithm>
#include <map>

namespace triptych::unicode {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

// In the order of `enum class GeneralCategory`.
constexpr std::string_view kCategoryNames[] = {
    "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl",
    "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"};

}  // namespace

CharSet CharSet::FromTable(const CodePointRange* table, size_t size) {
  CharSet set;
  set.ranges_.assign(table, table + size);
  return set;
}

std::optional<CharSet> CharSet::FromProperty(std::string_view name) {
  if (name == "Han") return FromTable(kRegexHan, kRegexHanSize);
  if (name.empty() || name.size() > 2) return std::nullopt;
  CharSet set;
  for (size_t i = 0; i < kCategoryRunsSize; ++i) {
    const auto category = static_cast<size_t>(kCategoryRuns[i].category);
    if (!kCategoryNames[category].starts_with(name)) continue;
    const char32_t end =
        i + 1 < kCategoryRunsSize ? kCategoryRuns[i + 1].first : kLastCodePoint + 1;
    set.ranges_.push_back({kCategoryRuns[i].first, end - 1});
  }
  if (set.ranges_.empty()) return std::nullopt;
  set.Normalize();
  return set;
}

void CharSet::Add(char32_t first, char32_t last) {
  ranges_.push_back({first, last});
  Normalize();
}

void CharSet::Add(const CharSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  Normalize();
}

CharSet CharSet::Complement() const {
  CharSet result;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) result.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) result.ranges_.push_back({next, kLastCodePoint});
  return result;
}

bool CharSet::Contains(char32_t code_point) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), code_point,
                       [](char32_t c, const CodePointRange& range) { return c < range.first; });
  return after != ranges_.begin() && code_point <= std::prev(after)->last;
}

void CharSet::Normalize() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const CodePointRange& a, const CodePointRange& b) { return a.first < b.first; });
  std::vector<CodePointRange> joined;
  for (const CodePointRange& range : ranges_) {
    if (!joined.empty() && range.first <= joined.back().last + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  ranges_ = std::move(joined);
}

CharClassifier::CharClassifier(const std::vector<CharSet>& sets) {
  std::vector<uint64_t> all(kLastCodePoint + 1, 0);
  for (size_t i = 0; i < sets.size(); ++i) {
    for (const CodePointRange& range : sets[i].ranges()) {
      for (char32_t c = range.first; c <= range.last; ++c) all[c] |= uint64_t{1} << i;
    }
  }
  std::map<std::vector<uint64_t>, uint16_t> known_blocks;
  for (size_t at = 0; at < all.size(); at += kBlock) {
    std::vector<uint64_t> block(all.begin() + at, all.begin() + at + kBlock);
    const auto [entry, is_new] = known_blocks.emplace(block, known_blocks.size());
    if (is_new) masks_.insert(masks_.end(), block.begin(), block.end());
    block_of_.push_back(entry->second);
  }
}

}  // namespace triptych::unicode
