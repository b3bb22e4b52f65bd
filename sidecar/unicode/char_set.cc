#include "unicode/char_set.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "unicode/regex_tables.h"

namespace triptych::unicode {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

// In the order of `enum class GeneralCategory`.
constexpr std::string_view kCategoryNames[] = {
    "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl",
    "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"};

constexpr std::pair<std::string_view, std::string_view> kLongCategoryNames[] = {
    {"Letter", "L"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Math_Symbol", "Sm"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Space_Separator", "Zs"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"Format", "Cf"},
    {"Unassigned", "Cn"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
};

// The name as it is compared: in lower case, without spaces, hyphens and underscores.
std::string Loose(std::string_view name) {
  std::string loose;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    loose.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  }
  return loose;
}

}  // namespace

CharSet CharSet::FromTable(const CodePointRange* table, size_t size) {
  CharSet set;
  set.ranges_.assign(table, table + size);
  return set;
}

std::optional<CharSet> CharSet::FromProperty(std::string_view name) {
  const std::string loose = Loose(name);
  for (size_t i = 0; i < kNamedPropertiesSize; ++i) {
    const NamedProperty& property = kNamedProperties[i];
    if (property.name == loose) return FromTable(kPropertyRanges + property.first, property.size);
  }
  std::string_view prefix = loose;
  for (const auto& [long_name, short_name] : kLongCategoryNames) {
    if (Loose(long_name) == loose) prefix = short_name;
  }
  if (prefix.empty() || prefix.size() > 2) return std::nullopt;
  std::array<bool, std::size(kCategoryNames)> is_member;
  for (size_t i = 0; i < is_member.size(); ++i) {
    is_member[i] = Loose(kCategoryNames[i]).starts_with(Loose(prefix));
  }
  CharSet set;
  for (size_t i = 0; i < kCategoryRunsSize; ++i) {
    if (!is_member[static_cast<size_t>(kCategoryRuns[i].category)]) continue;
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
  Append(other);
  Normalize();
}

void CharSet::Append(char32_t first, char32_t last) {
  ranges_.push_back({first, last});
  // Memory stays in proportion to the set, however often it is appended.
  constexpr size_t kFree = 4'096;
  if (ranges_.size() > 2 * normalized_size_ + kFree) Normalize();
}

void CharSet::Append(const CharSet& other) {
  for (const CodePointRange& range : other.ranges_) Append(range.first, range.last);
}

CharSet CharSet::Intersect(const CharSet& other) const {
  CharSet either = Complement();
  either.Add(other.Complement());
  return either.Complement();
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
  normalized_size_ = ranges_.size();
}

// Sweeps over the ends of all ranges, which are where code points of another kind begin.
std::vector<CharClassifier::Run> CharClassifier::ToRuns(const std::vector<CharSet>& sets) {
  std::vector<std::pair<char32_t, uint64_t>> toggles;
  for (size_t i = 0; i < sets.size(); ++i) {
    for (const CodePointRange& range : sets[i].ranges()) {
      toggles.emplace_back(range.first, uint64_t{1} << i);
      toggles.emplace_back(range.last + 1, uint64_t{1} << i);
    }
  }
  std::sort(toggles.begin(), toggles.end());
  absl::flat_hash_map<uint64_t, uint16_t> kind_of = {{0, 0}};
  masks_ = {0};
  std::vector<Run> runs = {{0, 0}};
  uint64_t mask = 0;
  for (size_t i = 0; i < toggles.size();) {
    const char32_t first = toggles[i].first;
    for (; i < toggles.size() && toggles[i].first == first; ++i) mask ^= toggles[i].second;
    const auto [kind, is_new] = kind_of.emplace(mask, static_cast<uint16_t>(masks_.size()));
    if (is_new) masks_.push_back(mask);
    if (runs.back().first == first) runs.pop_back();
    runs.push_back({first, kind->second});
  }
  return runs;
}

CharClassifier::CharClassifier(const std::vector<CharSet>& sets) {
  const std::vector<Run> runs = ToRuns(sets);
  absl::flat_hash_map<uint16_t, uint16_t> block_of_kind;  // blocks that are of one kind
  auto run = runs.begin();
  for (char32_t first = 0; first <= kLastCodePoint; first += kBlock) {
    const char32_t end = first + kBlock;
    const auto next_run = [&] {
      return std::next(run) == runs.end() ? end : std::next(run)->first;
    };
    const auto number = static_cast<uint16_t>(kinds_.size() / kBlock);
    if (next_run() >= end) {
      const auto [block, is_new] = block_of_kind.emplace(run->kind, number);
      if (is_new) kinds_.insert(kinds_.end(), kBlock, run->kind);
      block_of_.push_back(block->second);
    } else {
      for (char32_t c = first; c < end; ++c) {
        while (next_run() <= c) ++run;
        kinds_.push_back(run->kind);
      }
      block_of_.push_back(number);
    }
    while (std::next(run) != runs.end() && std::next(run)->first <= end) ++run;
  }
  for (size_t c = 0; c < kBlock; ++c) ascii_[c] = masks_[kinds_[block_of_[0] * kBlock + c]];
}

}  // namespace triptych::unicode
