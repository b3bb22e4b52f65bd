// From a pattern to a RegexProgram, in one pass: a recursive-descent parser that writes
// instructions. This file's interface is CompileRegex; the Compiler class is private.
//
// A term is compiled into a block of instructions of its own (addresses relative to its start), so
// that a quantifier, which comes behind its term, can wrap or repeat the block.
#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/str_cat.h"
#include "base/string_map.h"
#include "unicode/regex_program.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr int kMaxNesting = 50;
constexpr size_t kMaxInstructions = 20'000;
constexpr uint32_t kMaxRepeat = 1'000;
constexpr uint32_t kMaxMarks = 250;
constexpr size_t kMaxPatternBytes = 1 << 20;
constexpr size_t kMaxShownBytes = 200;
// Oniguruma allows 10,000 ranges beyond ASCII, which has at most 64.
constexpr size_t kMaxClassRanges = 10'064;

using Block = std::vector<RegexInstruction>;

bool HasTarget(RegexOp op) {
  switch (op) {
    case RegexOp::kSplit:
    case RegexOp::kSplitLazy:
    case RegexOp::kJump:
    case RegexOp::kLookahead:
    case RegexOp::kNotLookahead:
    case RegexOp::kAtomic:
      return true;
    default:
      return false;
  }
}

// Appends `block` to `out`, moving its addresses.
void AppendBlock(const Block& block, Block& out) {
  const auto shift = static_cast<uint32_t>(out.size());
  for (RegexInstruction instruction : block) {
    if (HasTarget(instruction.op)) instruction.other += shift;
    out.push_back(instruction);
  }
}

uint32_t EndOf(const Block& block) { return static_cast<uint32_t>(block.size()); }

struct Quantifier {
  enum Mode { kGreedy, kLazy, kPossessive };
  uint32_t min = 1;
  uint32_t max = 1;
  Mode mode = kGreedy;
};

class Compiler {
 public:
  explicit Compiler(std::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<RegexProgram> Compile() {
    if (pattern_.size() > kMaxPatternBytes) return Error("the pattern is too large");
    absl::StatusOr<Block> block = Alternation(0);
    if (!block.ok()) return block.status();
    if (at_ < pattern_.size()) return Error("unmatched )");
    block->push_back({RegexOp::kMatch});
    return RegexProgram{*std::move(block), CharClassifier(sets_), marks_};
  }

 private:
  absl::Status Error(std::string_view what) const {
    size_t end = std::min(pattern_.size(), kMaxShownBytes);
    while (!IsBoundary(pattern_, end)) --end;
    return absl::InvalidArgumentError(base::StrCat("regular expression, offset ", at_, ": ", what,
                                                   ", in: ", pattern_.substr(0, end),
                                                   end < pattern_.size() ? "..." : ""));
  }

  [[nodiscard]] bool Has(std::string_view next) const {
    return pattern_.substr(at_).starts_with(next);
  }

  bool Take(std::string_view next) {
    if (!Has(next)) return false;
    at_ += next.size();
    return true;
  }

  char32_t TakeCodePoint() {
    const auto [code_point, size] = DecodeAt(pattern_, at_);
    at_ += size;
    return code_point;
  }

  absl::StatusOr<Block> Alternation(int depth) {
    if (depth > kMaxNesting) return Error("groups are nested too deeply");
    std::vector<Block> all;
    size_t size = 0;
    do {
      absl::StatusOr<Block> next = Sequence(depth);
      if (!next.ok()) return next;
      size += next->size() + 2;
      if (size > kMaxInstructions) return Error("the pattern is too large");
      all.push_back(*std::move(next));
    } while (Take("|"));
    return FirstOf(all, size);
  }

  // Each alternative but the last: a split to the next one, the alternative, a jump to the end. The
  // last has neither, so that `size`, which counts two for each, is 2 too high.
  static Block FirstOf(const std::vector<Block>& alternatives, size_t size) {
    const auto end = static_cast<uint32_t>(size - 2);
    Block block;
    block.reserve(end);
    for (const Block& alternative : alternatives) {
      const bool is_last = &alternative == &alternatives.back();
      if (!is_last) {
        const uint32_t next = EndOf(block) + EndOf(alternative) + 2;
        block.push_back({RegexOp::kSplit, 0, next});
      }
      AppendBlock(alternative, block);
      if (!is_last) block.push_back({RegexOp::kJump, 0, end});
    }
    return block;
  }

  absl::StatusOr<Block> Sequence(int depth) {
    Block block;
    previous_literal_ = 0;
    while (at_ < pattern_.size() && !Has("|") && !Has(")")) {
      absl::StatusOr<Block> term = Term(depth);
      if (!term.ok()) return term;
      AppendBlock(*term, block);
      if (block.size() > kMaxInstructions) return Error("the pattern is too large");
    }
    return block;
  }

  absl::StatusOr<Block> Term(int depth) {
    absl::StatusOr<Block> block = Atom(depth);
    for (int repeats = 0; block.ok() && at_ < pattern_.size(); ++repeats) {
      absl::StatusOr<bool> found = TakeQuantifier();
      if (!found.ok()) return found.status();
      if (!*found) break;
      if (repeats == kMaxNesting) return Error("repeats are nested too deeply");
      block = Repeat(*block, quantifier_);
      if (block.ok() && block->size() > kMaxInstructions) return Error("the pattern is too large");
    }
    return block;
  }

  absl::StatusOr<Block> Atom(int depth) {
    if (Take("(")) return Group(depth);
    if (Take("[")) {
      absl::StatusOr<CharSet> set = Bracket();
      if (!set.ok()) return set.status();
      return OneOf(*set);
    }
    if (Take(".")) {
      CharSet newline;
      newline.Add('\n', '\n');
      return OneOf(newline.Complement());
    }
    if (Take("^")) return Block{{RegexOp::kLineStart}};
    if (Take("$")) return Block{{RegexOp::kLineEnd}};
    if (Take("\\A")) return Block{{RegexOp::kTextStart}};
    if (Take("\\z")) return Block{{RegexOp::kTextEnd}};
    if (Has("*") || Has("+") || Has("?")) return Error("nothing to repeat");
    if (Take("\\")) {
      absl::StatusOr<CharSet> set = Escape();
      if (!set.ok()) return set.status();
      if (set->ranges().size() == 1 && set->ranges()[0].first == set->ranges()[0].last) {
        return Literal(set->ranges()[0].first);
      }
      previous_literal_ = 0;
      return OneOf(*set);
    }
    return Literal(TakeCodePoint());
  }

  absl::StatusOr<Block> Group(int depth) {
    RegexOp op = RegexOp::kJump;
    const bool outer_ignore_case = ignore_case_;
    if (Take("?:")) {
    } else if (Take("?i:")) {
      ignore_case_ = true;
    } else if (Take("?=")) {
      op = RegexOp::kLookahead;
    } else if (Take("?!")) {
      op = RegexOp::kNotLookahead;
    } else if (Take("?>")) {
      op = RegexOp::kAtomic;
    } else if (Has("?")) {
      return Error("this kind of group is not supported");
    }
    absl::StatusOr<Block> inner = Alternation(depth + 1);
    if (!inner.ok()) return inner;
    ignore_case_ = outer_ignore_case;
    previous_literal_ = 0;
    if (!Take(")")) return Error("missing )");
    return op == RegexOp::kJump ? inner : Enclose(op, *inner);
  }

  static Block Enclose(RegexOp op, const Block& inner) {
    Block block = {{op, 0, EndOf(inner) + 2}};
    AppendBlock(inner, block);
    block.push_back({RegexOp::kMatch});
    return block;
  }

  absl::StatusOr<Block> OneOf(const CharSet& set) {
    absl::StatusOr<uint8_t> number = NumberOf(set);
    if (!number.ok()) return number.status();
    return Block{{RegexOp::kSet, *number}};
  }

  absl::StatusOr<uint8_t> NumberOf(const CharSet& set) {
    for (size_t i = 0; i < sets_.size(); ++i) {
      if (std::equal(sets_[i].ranges().begin(), sets_[i].ranges().end(), set.ranges().begin(),
                     set.ranges().end(), [](const CodePointRange& a, const CodePointRange& b) {
                       return a.first == b.first && a.last == b.last;
                     })) {
        return static_cast<uint8_t>(i);
      }
    }
    if (sets_.size() == CharClassifier::kMaxSets) {
      return Error("more than 64 different characters and classes are not supported");
    }
    sets_.push_back(set);
    return static_cast<uint8_t>(sets_.size() - 1);
  }

  absl::StatusOr<Block> Literal(char32_t c) {
    CharSet set;
    set.Add(c, c);
    if (ignore_case_) {
      if (absl::Status added = AddOtherCase(c, set); !added.ok()) return added;
    }
    previous_literal_ = c;
    return OneOf(set);
  }

  // Adds the characters that Oniguruma takes for `c` without regard to case. It also folds one
  // character to several (a ligature matches "fi"), which would not be a set: such pairs are an
  // error.
  absl::Status AddOtherCase(char32_t c, CharSet& set) {
    if (c >= 0x80) return Error("(?i: ) around characters beyond ASCII is not supported");
    const auto is_letter = [](char32_t l) { return (l | 0x20) >= 'a' && (l | 0x20) <= 'z'; };
    if (!is_letter(c)) return absl::OkStatus();
    const char32_t lower = c | 0x20, before = previous_literal_ | 0x20;
    if ((before == 's' && (lower == 's' || lower == 't')) ||
        (before == 'f' && (lower == 'f' || lower == 'i' || lower == 'l'))) {
      return Error(
          "(?i: ) around letters that have a ligature (ss, st, ff, fi, fl) is not supported");
    }
    set.Add(lower, lower);
    set.Add(lower - 0x20, lower - 0x20);
    if (lower == 's') set.Add(0x17F, 0x17F);    // ſ, the long s
    if (lower == 'k') set.Add(0x212A, 0x212A);  // K, the Kelvin sign
    return absl::OkStatus();
  }

  // The inside of [...], behind the opening bracket.
  absl::StatusOr<CharSet> Bracket() {
    const bool negated = Take("^");
    std::vector<CharSet> members;
    // [\p{L}\p{L}...] is as good as [\p{L}].
    absl::flat_hash_set<std::string_view, base::StringHash, std::equal_to<>> known;
    for (bool first = true;; first = false) {
      if (at_ == pattern_.size()) return Error("missing ]");
      if (!first && Take("]")) break;
      if (first && Has("]")) return Error("an empty class is not supported");
      if (Has("[") || Has("&&")) return Error("nested classes, [:names:] and && are not supported");
      const size_t begin = at_;
      absl::StatusOr<CharSet> member = Member();
      if (!member.ok()) return member;
      if (known.insert(pattern_.substr(begin, at_ - begin)).second) {
        members.push_back(*std::move(member));
      }
    }
    CharSet set = CharSet::UnionOf(members);
    if (set.ranges().size() > kMaxClassRanges) return Error("the class has too many ranges");
    return negated ? set.Complement() : set;
  }

  // One member of a class: an escape, a character, or a range of characters.
  absl::StatusOr<CharSet> Member() {
    absl::StatusOr<CharSet> member = MemberCharacter();
    if (!member.ok()) return member;
    const bool is_one =
        member->ranges().size() == 1 && member->ranges()[0].first == member->ranges()[0].last;
    if (is_one && Has("-") && !Has("-]")) {
      at_ += 1;
      absl::StatusOr<CharSet> end = MemberCharacter();
      if (!end.ok()) return end;
      const char32_t first = member->ranges()[0].first;
      if (end->ranges().size() != 1 || end->ranges()[0].first != end->ranges()[0].last ||
          end->ranges()[0].first < first) {
        return Error("the range has no end, or one before its beginning");
      }
      member->Add(first, end->ranges()[0].first);
    }
    if (!ignore_case_) return member;
    // Folding is closed only for what has no cased letter beyond ASCII; the rest is not needed so
    // far.
    for (const CodePointRange& range : std::vector(member->ranges())) {
      if (range.first != range.last) return Error("ranges inside (?i: ) are not supported");
      previous_literal_ = 0;
      if (absl::Status added = AddOtherCase(range.first, *member); !added.ok()) return added;
    }
    return member;
  }

  absl::StatusOr<CharSet> MemberCharacter() {
    if (at_ == pattern_.size()) return Error("missing ]");
    if (Take("\\")) return Escape();
    CharSet set;
    const char32_t c = TakeCodePoint();
    set.Add(c, c);
    return set;
  }

  // What stands behind a backslash, in a class or outside.
  absl::StatusOr<CharSet> Escape() {
    if (at_ == pattern_.size()) return Error("the pattern ends in a backslash");
    const char32_t c = TakeCodePoint();
    CharSet set;
    switch (c) {
      case 's':
      case 'S':
        set = CharSet::FromTable(kRegexSpace, kRegexSpaceSize);
        return c == 's' ? set : set.Complement();
      case 'w':
      case 'W':
        set = CharSet::FromTable(kRegexWord, kRegexWordSize);
        return c == 'w' ? set : set.Complement();
      case 'd':
      case 'D':
        set = *CharSet::FromProperty("Nd");
        return c == 'd' ? set : set.Complement();
      case 'p':
      case 'P':
        return Property(c == 'P');
      case 'x':
        return HexCharacter(Take("{") ? kBraces : 2);
      case 'u':
        return HexCharacter(4);
      default:
        break;
    }
    constexpr std::array<std::pair<char32_t, char32_t>, 5> kControls = {
        {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'f', '\f'}, {'v', '\v'}}};
    for (const auto& [letter, control] : kControls) {
      if (c == letter) {
        set.Add(control, control);
        return set;
      }
    }
    const bool is_alphanumeric =
        c < 0x80 && ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
    if (is_alphanumeric)
      return Error(base::StrCat("\\", std::string(1, static_cast<char>(c)), " is not supported"));
    set.Add(c, c);
    return set;
  }

  // \p{..}, behind the p.
  absl::StatusOr<CharSet> Property(bool negated) {
    if (ignore_case_) return Error("\\p inside (?i: ) is not supported");
    const size_t end = pattern_.find('}', at_);
    if (!Take("{") || end == std::string_view::npos) return Error("\\p needs {a property}");
    if (Take("^")) negated = !negated;
    const std::string_view name = pattern_.substr(at_, end - at_);
    auto known = properties_.find(name);
    if (known == properties_.end()) {
      known = properties_.emplace(name, CharSet::FromProperty(name)).first;
    }
    const std::optional<CharSet>& set = known->second;
    if (!set.has_value()) {
      return Error(base::StrCat("the property ", name,
                                " is not supported; supported: general categories, Han"));
    }
    at_ = end + 1;
    return negated ? set->Complement() : *set;
  }

  static constexpr size_t kBraces = 0;

  // \x41, \u0041 with exactly `digits` digits, or \x{41}, behind the brace.
  absl::StatusOr<CharSet> HexCharacter(size_t digits) {
    const size_t end = digits == kBraces ? pattern_.find('}', at_) : at_ + digits;
    if (end == std::string_view::npos || end > pattern_.size())
      return Error("the hexadecimal escape is cut off");
    uint32_t value = 0;
    const char* last = pattern_.data() + end;
    const auto parsed = std::from_chars(pattern_.data() + at_, last, value, 16);
    // Oniguruma reads \x80 to \xFF as bytes, not as characters.
    const bool is_raw_byte = digits == 2 && value >= 0x80;
    if (parsed.ec != std::errc() || parsed.ptr != last || value > 0x10FFFF ||
        (value >= 0xD800 && value < 0xE000) || is_raw_byte) {
      return Error("the hexadecimal escape is not a character");
    }
    at_ = end + (digits == kBraces ? 1 : 0);
    CharSet set;
    set.Add(value, value);
    return set;
  }

  // Reads a quantifier into quantifier_, if one stands here.
  absl::StatusOr<bool> TakeQuantifier() {
    if (Take("*")) {
      quantifier_ = {0, kUnbounded};
    } else if (Take("+")) {
      quantifier_ = {1, kUnbounded};
    } else if (Take("?")) {
      quantifier_ = {0, 1};
    } else if (Has("{")) {
      return TakeBraces();
    } else {
      return false;
    }
    previous_literal_ = 0;
    if (Take("?"))
      quantifier_.mode = Quantifier::kLazy;
    else if (Take("+"))
      quantifier_.mode = Quantifier::kPossessive;
    return true;
  }

  absl::StatusOr<bool> TakeBraces() {
    at_ += 1;
    previous_literal_ = 0;
    const auto take_number = [this](uint32_t& value) {
      const auto parsed =
          std::from_chars(pattern_.data() + at_, pattern_.data() + pattern_.size(), value);
      const bool found = parsed.ec == std::errc();
      if (found) at_ = parsed.ptr - pattern_.data();
      return found;
    };
    quantifier_ = {0, kUnbounded};
    const bool has_min = take_number(quantifier_.min);
    bool has_max = has_min;
    if (Take(","))
      has_max = take_number(quantifier_.max);
    else
      quantifier_.max = quantifier_.min;
    if ((!has_min && !has_max) || !Take("}"))
      return Error("{ must begin {n}, {n,}, {,m} or {n,m}; write \\{ for the character");
    const uint32_t largest = quantifier_.max == kUnbounded ? quantifier_.min : quantifier_.max;
    if (largest > kMaxRepeat || quantifier_.min > largest)
      return Error("the repeat counts are out of range");
    if (Take("?")) quantifier_.mode = Quantifier::kLazy;
    return true;
  }

  absl::StatusOr<Block> Repeat(const Block& term, const Quantifier& quantifier) {
    const bool is_set = term.size() == 1 && term[0].op == RegexOp::kSet;
    if (is_set && quantifier.mode != Quantifier::kLazy) {
      const RegexOp op =
          quantifier.mode == Quantifier::kGreedy ? RegexOp::kRepeatSet : RegexOp::kPossessSet;
      return Block{{op, term[0].set, 0, quantifier.min, quantifier.max}};
    }
    Block block;
    for (uint32_t i = 0; i < quantifier.min; ++i) {
      AppendBlock(term, block);
      if (block.size() > kMaxInstructions) return Error("the pattern is too large");
    }
    const RegexOp split =
        quantifier.mode == Quantifier::kLazy ? RegexOp::kSplitLazy : RegexOp::kSplit;
    if (quantifier.max == kUnbounded) {
      absl::StatusOr<Block> loop = Loop(term, split);
      if (!loop.ok()) return loop;
      AppendBlock(*loop, block);
    } else {
      Block optional;
      for (uint32_t i = quantifier.min; i < quantifier.max; ++i) {
        // x{0,2} is (x(x)?)?, built from the inside.
        Block outer = {{split, 0, EndOf(term) + EndOf(optional) + 1}};
        AppendBlock(term, outer);
        AppendBlock(optional, outer);
        optional = std::move(outer);
        if (optional.size() > kMaxInstructions) return Error("the pattern is too large");
      }
      AppendBlock(optional, block);
    }
    return quantifier.mode == Quantifier::kPossessive ? Enclose(RegexOp::kAtomic, block) : block;
  }

  // Any number of `term`. A turn that reads nothing ends the loop.
  absl::StatusOr<Block> Loop(const Block& term, RegexOp split) {
    if (marks_ == kMaxMarks) return Error("the pattern has too many loops");
    const auto mark = static_cast<uint8_t>(marks_++);
    Block block = {{split, 0, EndOf(term) + 4}, {RegexOp::kMark, mark}};
    AppendBlock(term, block);
    block.push_back({RegexOp::kProgress, mark});
    block.push_back({RegexOp::kJump, 0, 0});
    return block;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  bool ignore_case_ = false;
  char32_t previous_literal_ = 0;  // the literal just before, 0 where something else stood there
  Quantifier quantifier_;
  std::vector<CharSet> sets_;
  base::StringMap<std::optional<CharSet>> properties_;  // those that were looked up
  uint32_t marks_ = 0;
};

}  // namespace

absl::StatusOr<RegexProgram> CompileRegex(std::string_view pattern) {
  return Compiler(pattern).Compile();
}

}  // namespace triptych::unicode
