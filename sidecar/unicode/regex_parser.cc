// From a pattern to its syntax tree: a recursive-descent parser of Oniguruma's own dialect.
//
// What differs from other dialects: `(?i)` in the middle of a group reaches over the `|` behind it
// (`a(?i)b|c` is `a(?i:b|c)`); `{n}?` and `{n}+` are a repeat of a repeat, `{3,1}` is possessive;
// nested repeats such as `(?:a+?)*` are reduced, which changes what they match; `{` that begins no
// repeat is a character; under (?i) only neighbouring characters fold together ("ss" matches ß, and
// so does "s(?:s)", but not "(s)s").
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/str_cat.h"
#include "unicode/case_folding.h"
#include "unicode/pattern_reader.h"
#include "unicode/regex_class.h"
#include "unicode/regex_node.h"
#include "unicode/unicode_tables.h"

namespace triptych::unicode {
namespace {

using Kind = RegexNode::Kind;

constexpr int kMaxNesting = 50;
constexpr size_t kMaxPatternBytes = 1 << 20;
constexpr size_t kMaxTerms = 20'000;      // of one branch, and branches of one group
constexpr uint32_t kMaxRepeat = 100'000;  // Oniguruma's limit
constexpr int kMaxRepeatsOfOneTerm = 10;  // a**...

struct Options {
  bool ignore_case = false;
  bool dot_matches_newline = false;
  bool extended = false;
};

struct Quantifier {
  uint32_t min = 1;
  uint32_t max = 1;
  bool lazy = false;
  bool possessive = false;
};

RegexNode Assertion(RegexOp op) { return {.kind = Kind::kAssertion, .assertion = op}; }

RegexNode OneOf(CharSet set) { return {.kind = Kind::kSet, .set = std::move(set)}; }

RegexNode Enclose(Kind kind, RegexNode child, bool negated = false) {
  RegexNode node{.kind = kind, .negated = negated};
  node.children.push_back(std::move(child));
  return node;
}

// \R: a line break of any kind. CR LF is never torn apart.
RegexNode AnyNewline() {
  CharSet single = CharSet::Of('\n', '\r');
  single.Add(0x85, 0x85);
  single.Add(0x2028, 0x2029);
  RegexNode either{.kind = Kind::kAlternation};
  either.children.push_back({.kind = Kind::kLiteral, .text = U"\r\n"});
  either.children.push_back(OneOf(std::move(single)));
  return Enclose(Kind::kAtomic, std::move(either));
}

// ? * + ?? *? +? as 0 to 5, other repeats as -1.
int TypeOf(uint32_t min, uint32_t max, bool lazy) {
  const int base = lazy ? 3 : 0;
  if (min == 0 && max == 1) return base;
  if (min == 0 && max == kUnbounded) return base + 1;
  if (min == 1 && max == kUnbounded) return base + 2;
  return -1;
}

// What becomes of a repeat of a repeat.
enum class Reduced { kBoth, kInner, kStar, kPlus, kLazyStar, kLazyOptional, kOptionalPlus };

// By the type of the inner repeat and that of the outer.
constexpr Reduced kReductions[6][6] = {
    {Reduced::kInner, Reduced::kStar, Reduced::kStar, Reduced::kLazyOptional, Reduced::kLazyStar,
     Reduced::kBoth},
    {Reduced::kInner, Reduced::kInner, Reduced::kInner, Reduced::kOptionalPlus,
     Reduced::kOptionalPlus, Reduced::kInner},
    {Reduced::kStar, Reduced::kStar, Reduced::kInner, Reduced::kBoth, Reduced::kOptionalPlus,
     Reduced::kInner},
    {Reduced::kInner, Reduced::kLazyStar, Reduced::kLazyStar, Reduced::kInner, Reduced::kLazyStar,
     Reduced::kLazyStar},
    {Reduced::kInner, Reduced::kInner, Reduced::kInner, Reduced::kInner, Reduced::kInner,
     Reduced::kInner},
    {Reduced::kBoth, Reduced::kStar, Reduced::kPlus, Reduced::kLazyStar, Reduced::kLazyStar,
     Reduced::kInner},
};

void SetRepeat(RegexNode& node, uint32_t min, uint32_t max, bool lazy) {
  node.min = min;
  node.max = max;
  node.lazy = lazy;
}

RegexNode RepeatOf(RegexNode child, Quantifier quantifier) {
  RegexNode node{.kind = Kind::kRepeat};
  SetRepeat(node, quantifier.min, quantifier.max, quantifier.lazy);
  if (child.kind == Kind::kRepeat) {
    const int inner = TypeOf(child.min, child.max, child.lazy);
    const int outer = TypeOf(node.min, node.max, node.lazy);
    if (inner >= 0 && outer >= 0) {
      switch (kReductions[inner][outer]) {
        case Reduced::kBoth:
          break;
        case Reduced::kInner:
          return child;
        case Reduced::kStar:
          SetRepeat(child, 0, kUnbounded, false);
          return child;
        case Reduced::kPlus:
          SetRepeat(child, 1, kUnbounded, false);
          return child;
        case Reduced::kLazyStar:
          SetRepeat(child, 0, kUnbounded, true);
          return child;
        case Reduced::kLazyOptional:
          SetRepeat(child, 0, 1, true);
          return child;
        case Reduced::kOptionalPlus:
          SetRepeat(child, 1, kUnbounded, false);
          SetRepeat(node, 0, 1, true);
          break;
      }
    } else if ((inner == 1 || inner == 2) && !node.lazy && node.max != kUnbounded && node.max > 1) {
      node.max = node.min == 0 ? 1 : node.min;
    }
  }
  node.children.push_back(std::move(child));
  return node;
}

class RegexParser {
 public:
  explicit RegexParser(std::string_view pattern) : reader_(pattern) {}

  absl::StatusOr<RegexNode> Parse() {
    if (reader_.rest().size() > kMaxPatternBytes) return reader_.Error("the pattern is too large");
    absl::StatusOr<RegexNode> node = Alternation(0, Options());
    if (node.ok() && !reader_.at_end()) return reader_.Error("unmatched )");
    return node;
  }

 private:
  absl::StatusOr<RegexNode> Alternation(int depth, Options options) {
    if (depth > kMaxNesting) return reader_.Error("groups are nested too deeply");
    RegexNode node{.kind = Kind::kAlternation};
    do {
      absl::StatusOr<RegexNode> branch = Sequence(depth, options);
      if (!branch.ok()) return branch;
      if (node.children.size() == kMaxTerms) return reader_.Error("the pattern is too large");
      node.children.push_back(*std::move(branch));
    } while (reader_.Take("|"));
    if (node.children.size() > 1) return node;
    RegexNode only = std::move(node.children.front());
    return only;
  }

  absl::StatusOr<RegexNode> Sequence(int depth, Options options) {
    RegexNode sequence;
    while (true) {
      if (absl::Status skipped = SkipIgnored(options); !skipped.ok()) return skipped;
      if (reader_.at_end() || reader_.Has("|") || reader_.Has(")")) break;
      absl::StatusOr<RegexNode> term = Term(depth, options);
      if (!term.ok()) return term;
      AppendTerm(*std::move(term), sequence);
      if (sequence.children.size() > kMaxTerms) return reader_.Error("the pattern is too large");
    }
    if (sequence.children.size() != 1) return sequence;
    RegexNode only = std::move(sequence.children.front());
    return only;
  }

  // Neighbouring characters become one literal: where case is ignored they fold together.
  static void AppendTerm(RegexNode term, RegexNode& sequence) {
    if (term.kind == Kind::kSequence) {
      for (RegexNode& child : term.children) AppendTerm(std::move(child), sequence);
      return;
    }
    if (term.kind == Kind::kLiteral && !sequence.children.empty()) {
      RegexNode& last = sequence.children.back();
      if (last.kind == Kind::kLiteral && last.ignore_case == term.ignore_case) {
        last.text += term.text;
        return;
      }
    }
    sequence.children.push_back(std::move(term));
  }

  absl::StatusOr<RegexNode> Term(int depth, Options options) {
    absl::StatusOr<RegexNode> term = Atom(depth, options);
    for (int count = 0; term.ok(); ++count) {
      if (absl::Status skipped = SkipIgnored(options); !skipped.ok()) return skipped;
      absl::StatusOr<std::optional<Quantifier>> quantifier = TakeQuantifier();
      if (!quantifier.ok()) return quantifier.status();
      if (!quantifier->has_value()) break;
      if (count == kMaxRepeatsOfOneTerm) return reader_.Error("too many repeats of one term");
      if (!CanRepeat(*term)) return reader_.Error("this cannot be repeated");
      if ((*quantifier)->min != 1 || (*quantifier)->max != 1) {
        term = RepeatOf(*std::move(term), **quantifier);
      }
      if ((*quantifier)->possessive) term = Enclose(Kind::kAtomic, *std::move(term));
    }
    return term;
  }

  static bool CanRepeat(const RegexNode& node) {
    switch (node.kind) {
      case Kind::kAssertion:
      case Kind::kLookahead:
      case Kind::kLookbehind:
        return false;
      case Kind::kAlternation:
        return std::all_of(node.children.begin(), node.children.end(), CanRepeat);
      default:
        return true;
    }
  }

  absl::StatusOr<RegexNode> Atom(int depth, Options options) {
    if (reader_.Take("(")) return Group(depth, options);
    if (reader_.Take("[")) return Brackets(options);
    if (reader_.Take(".")) return AnyCharacter(options.dot_matches_newline);
    if (reader_.Take("^")) return Assertion(RegexOp::kLineStart);
    if (reader_.Take("$")) return Assertion(RegexOp::kLineEnd);
    if (reader_.Has("*") || reader_.Has("+") || reader_.Has("?")) {
      return reader_.Error("nothing to repeat");
    }
    if (reader_.Take("\\")) return Escape(options);
    if (reader_.Has("{")) {
      absl::StatusOr<std::optional<Quantifier>> braces = TakeQuantifier();
      if (!braces.ok()) return braces.status();
      if (braces->has_value()) return reader_.Error("nothing to repeat");
    }
    return Literal(reader_.TakeCodePoint(), options);
  }

  static RegexNode Literal(char32_t c, Options options) {
    return {
        .kind = Kind::kLiteral, .text = std::u32string(1, c), .ignore_case = options.ignore_case};
  }

  static RegexNode AnyCharacter(bool with_newline) {
    return OneOf(with_newline ? CharSet().Complement() : CharSet::Of('\n').Complement());
  }

  // What stands behind a backslash. Classes such as \p{Lu} do not care for case.
  absl::StatusOr<RegexNode> Escape(Options options) {
    constexpr std::pair<std::string_view, RegexOp> kAssertions[] = {
        {"A", RegexOp::kTextStart},        {"z", RegexOp::kTextEnd},
        {"Z", RegexOp::kTextEndOrNewline}, {"G", RegexOp::kSearchStart},
        {"b", RegexOp::kWordBoundary},     {"B", RegexOp::kNotWordBoundary}};
    for (const auto& [letter, op] : kAssertions) {
      if (reader_.Take(letter)) return Assertion(op);
    }
    if (reader_.Take("R")) return AnyNewline();
    if (reader_.Take("N")) return AnyCharacter(/*with_newline=*/false);
    if (reader_.Take("O")) return AnyCharacter(/*with_newline=*/true);
    absl::StatusOr<RegexEscape> escape = TakeRegexEscape(reader_, /*in_brackets=*/false);
    if (!escape.ok()) return escape.status();
    if (escape->is_character) return Literal(escape->set.ranges()[0].first, options);
    return OneOf(std::move(escape->set));
  }

  // A class that ignores case has the other cases of its members too, and matches what these fold
  // to: [ß] matches ss. A negated one has only the former.
  absl::StatusOr<RegexNode> Brackets(Options options) {
    absl::StatusOr<RegexBrackets> brackets = TakeRegexBrackets(reader_);
    if (!brackets.ok()) return brackets.status();
    CharSet set = options.ignore_case ? IgnoreCase(brackets->set) : std::move(brackets->set);
    if (brackets->negated) return OneOf(set.Complement());
    const std::vector<std::u32string> folds =
        options.ignore_case ? MultipleFoldsOf(set) : std::vector<std::u32string>();
    if (folds.empty()) return OneOf(std::move(set));
    RegexNode node{.kind = Kind::kAlternation};
    node.children.push_back(OneOf(std::move(set)));
    for (const std::u32string& fold : folds) {
      RegexNode parts;
      for (const char32_t c : fold) parts.children.push_back(OneOf(IgnoreCase(c)));
      node.children.push_back(std::move(parts));
    }
    return node;
  }

  absl::StatusOr<RegexNode> Group(int depth, Options options) {
    if (!reader_.Take("?")) return Capture(depth, options);
    if (reader_.Take(":")) return Inside(depth, options);
    if (reader_.Take("=")) return Around(Kind::kLookahead, /*negated=*/false, depth, options);
    if (reader_.Take("!")) return Around(Kind::kLookahead, /*negated=*/true, depth, options);
    if (reader_.Take("<=")) return Around(Kind::kLookbehind, /*negated=*/false, depth, options);
    if (reader_.Take("<!")) return Around(Kind::kLookbehind, /*negated=*/true, depth, options);
    if (reader_.Take(">")) return Around(Kind::kAtomic, /*negated=*/false, depth, options);
    if (reader_.Take("<")) return NamedGroup(">", depth, options);
    if (reader_.Take("'")) return NamedGroup("'", depth, options);
    return OptionGroup(depth, options);
  }

  absl::StatusOr<RegexNode> Inside(int depth, Options options) {
    absl::StatusOr<RegexNode> inside = Alternation(depth + 1, options);
    if (inside.ok() && !reader_.Take(")")) return reader_.Error("missing )");
    return inside;
  }

  absl::StatusOr<RegexNode> Around(Kind kind, bool negated, int depth, Options options) {
    absl::StatusOr<RegexNode> inside = Inside(depth, options);
    if (!inside.ok()) return inside;
    return Enclose(kind, *std::move(inside), negated);
  }

  // Nobody asks what a group matched, but its content does not become one literal with its
  // neighbours.
  absl::StatusOr<RegexNode> Capture(int depth, Options options) {
    absl::StatusOr<RegexNode> inside = Inside(depth, options);
    if (!inside.ok()) return inside;
    return Enclose(Kind::kGroup, *std::move(inside));
  }

  absl::StatusOr<RegexNode> NamedGroup(std::string_view end, int depth, Options options) {
    const size_t size = reader_.rest().find(end);
    const std::string_view name = reader_.rest().substr(0, size);
    if (size == std::string_view::npos || name.empty() ||
        name.find(')') != std::string_view::npos || (name[0] >= '0' && name[0] <= '9') ||
        name[0] == '-') {
      return reader_.Error("the group has no proper name");
    }
    reader_.Skip(size + end.size());
    return Capture(depth, options);
  }

  // (?im-x:..), and (?i) for the rest of the group around it.
  absl::StatusOr<RegexNode> OptionGroup(int depth, Options options) {
    for (bool on = true;;) {
      if (reader_.Take(":")) return Around(Kind::kGroup, /*negated=*/false, depth, options);
      if (reader_.Take(")")) {
        absl::StatusOr<RegexNode> rest = Alternation(depth + 1, options);
        if (!rest.ok()) return rest;
        return Enclose(Kind::kGroup, *std::move(rest));
      }
      if (reader_.Take("-")) {
        on = false;
      } else if (reader_.Take("i")) {
        options.ignore_case = on;
      } else if (reader_.Take("m")) {
        options.dot_matches_newline = on;
      } else if (reader_.Take("x")) {
        options.extended = on;
      } else {
        return reader_.Error("this kind of group is not supported");
      }
    }
  }

  // Skips comments, and with (?x) white space.
  absl::Status SkipIgnored(Options options) {
    while (true) {
      if (reader_.Take("(?#")) {
        while (!reader_.Take(")")) {
          if (reader_.Take("\\") && reader_.at_end())
            return reader_.Error("the comment has no end");
          if (reader_.at_end()) return reader_.Error("the comment has no end");
          (void)reader_.TakeCodePoint();
        }
      } else if (options.extended && reader_.Take("#")) {
        while (!reader_.at_end() && reader_.TakeCodePoint() != '\n') {
        }
      } else if (!options.extended ||
                 !(reader_.Take(" ") || reader_.Take("\t") || reader_.Take("\n") ||
                   reader_.Take("\r") || reader_.Take("\f"))) {
        return absl::OkStatus();
      }
    }
  }

  // Reads a quantifier, if one stands here.
  absl::StatusOr<std::optional<Quantifier>> TakeQuantifier() {
    Quantifier quantifier;
    if (reader_.Take("*")) {
      quantifier = {0, kUnbounded};
    } else if (reader_.Take("+")) {
      quantifier = {1, kUnbounded};
    } else if (reader_.Take("?")) {
      quantifier = {0, 1};
    } else {
      return TakeBraces();
    }
    if (reader_.Take("?")) {
      quantifier.lazy = true;
    } else if (reader_.Take("+")) {
      quantifier.possessive = true;
    }
    return quantifier;
  }

  // {n}, {n,}, {,m} or {n,m}; anything else that begins with a brace is text.
  absl::StatusOr<std::optional<Quantifier>> TakeBraces() {
    const PatternReader before = reader_;
    if (!reader_.Take("{")) return std::nullopt;
    Quantifier quantifier = {0, kUnbounded};
    constexpr size_t kAnyDigits = SIZE_MAX;
    const bool has_min = reader_.TakeNumber(10, kAnyDigits, quantifier.min) > 0;
    bool has_max = has_min;
    const bool is_range = reader_.Take(",");
    if (!is_range) {
      quantifier.max = quantifier.min;
    } else if (uint32_t max = 0; reader_.TakeNumber(10, kAnyDigits, max) > 0) {
      quantifier.max = std::min(max, kUnbounded - 1);
      has_max = true;
    } else {
      quantifier.max = kUnbounded;
    }
    if ((!has_min && !(is_range && has_max)) || !reader_.Take("}")) {
      reader_ = before;
      return std::nullopt;
    }
    if (quantifier.min > kMaxRepeat ||
        (quantifier.max > kMaxRepeat && quantifier.max != kUnbounded)) {
      return reader_.Error("the repeat count is too large");
    }
    if (quantifier.max < quantifier.min) {
      std::swap(quantifier.min, quantifier.max);
      quantifier.possessive = true;
    } else if (is_range && reader_.Take("?")) {
      quantifier.lazy = true;
    }
    return quantifier;
  }

  PatternReader reader_;
};

}  // namespace

absl::StatusOr<RegexNode> ParseRegex(std::string_view pattern) {
  return RegexParser(pattern).Parse();
}

}  // namespace triptych::unicode
