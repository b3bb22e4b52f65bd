// From the syntax tree of a pattern to a RegexProgram. This file's interface is CompileRegex; the
// Compiler class is private.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "unicode/case_folding.h"
#include "unicode/regex_node.h"
#include "unicode/regex_program.h"
#include "unicode/unicode_tables.h"

namespace triptych::unicode {
namespace {

using Kind = RegexNode::Kind;

constexpr size_t kMaxInstructions = 20'000;
constexpr size_t kMaxSets = 1'024;
constexpr uint32_t kMaxMarks = UINT16_MAX;

// How many characters a node matches.
struct Length {
  uint32_t min = 0;
  uint32_t max = 0;
};

uint32_t Multiply(uint32_t a, uint32_t b) {
  if (a == 0 || b == 0) return 0;
  const uint64_t product = uint64_t{a} * b;
  return product < kUnbounded ? static_cast<uint32_t>(product) : kUnbounded;
}

uint32_t Sum(uint32_t a, uint32_t b) {
  const uint64_t sum = uint64_t{a} + b;
  return sum < kUnbounded ? static_cast<uint32_t>(sum) : kUnbounded;
}

// A literal may match fewer characters than it has (ss matches ß) and more (ß matches ss).
Length LengthOfLiteral(const RegexNode& node) {
  constexpr uint32_t kMaxFold = 3;
  const auto size = static_cast<uint32_t>(node.text.size());
  if (!node.ignore_case || size == 0) return {size, size};
  return {(size + kMaxFold - 1) / kMaxFold, Multiply(size, kMaxFold)};
}

Length LengthOf(const RegexNode& node) {
  switch (node.kind) {
    case Kind::kLiteral:
      return LengthOfLiteral(node);
    case Kind::kSet:
      return {1, 1};
    case Kind::kAssertion:
    case Kind::kLookahead:
    case Kind::kLookbehind:
      return {};
    case Kind::kRepeat: {
      const Length child = LengthOf(node.children[0]);
      return {Multiply(child.min, node.min), Multiply(child.max, node.max)};
    }
    case Kind::kAlternation: {
      Length all{kUnbounded, 0};
      for (const RegexNode& child : node.children) {
        const Length one = LengthOf(child);
        all = {std::min(all.min, one.min), std::max(all.max, one.max)};
      }
      return all;
    }
    case Kind::kSequence:
    case Kind::kGroup:
    case Kind::kAtomic:
      break;
  }
  Length all;
  for (const RegexNode& child : node.children) {
    const Length one = LengthOf(child);
    all = {Sum(all.min, one.min), Sum(all.max, one.max)};
  }
  return all;
}

class Compiler {
 public:
  absl::StatusOr<RegexProgram> Compile(const RegexNode& root) {
    Emit(root);
    Add(RegexOp::kMatch);
    if (too_large_) return absl::InvalidArgumentError("regular expression: it is too large");
    for (size_t i = 0; i < sets_.size(); i += CharClassifier::kMaxSets) {
      const size_t end = std::min(sets_.size(), i + CharClassifier::kMaxSets);
      program_.classifiers.emplace_back(
          std::vector<CharSet>(sets_.begin() + i, sets_.begin() + end));
    }
    return std::move(program_);
  }

 private:
  [[nodiscard]] uint32_t here() const {
    return static_cast<uint32_t>(program_.instructions.size());
  }

  // Adds an instruction and returns its address. Where the program grows too large it stops
  // growing, and the compilation fails in the end.
  uint32_t Add(RegexOp op, uint16_t set = 0, uint32_t other = 0, uint32_t min = 0,
               uint32_t max = 0) {
    if (here() >= kMaxInstructions) {
      too_large_ = true;
      return 0;
    }
    program_.instructions.push_back({op, set, other, min, max});
    return here() - 1;
  }

  void LetPointHere(uint32_t address) { program_.instructions[address].other = here(); }

  void Emit(const RegexNode& node) {
    if (too_large_) return;
    switch (node.kind) {
      case Kind::kSequence:
      case Kind::kGroup:
        for (const RegexNode& child : node.children) Emit(child);
        break;
      case Kind::kAlternation:
        EmitAlternation(node);
        break;
      case Kind::kLiteral:
        EmitLiteral(node);
        break;
      case Kind::kSet:
        Add(RegexOp::kSet, NumberOf(node.set));
        break;
      case Kind::kRepeat:
        EmitRepeat(node);
        break;
      case Kind::kAtomic:
        EmitEnclosed(RegexOp::kAtomic, node.children[0]);
        break;
      case Kind::kLookahead:
        EmitEnclosed(node.negated ? RegexOp::kNotLookahead : RegexOp::kLookahead, node.children[0]);
        break;
      case Kind::kLookbehind:
        EmitLookbehind(node);
        break;
      case Kind::kAssertion:
        EmitAssertion(node.assertion);
        break;
    }
  }

  void EmitAlternation(const RegexNode& node) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i + 1 < node.children.size() && !too_large_; ++i) {
      const uint32_t split = Add(RegexOp::kSplit);
      Emit(node.children[i]);
      jumps.push_back(Add(RegexOp::kJump));
      LetPointHere(split);
    }
    Emit(node.children.back());
    for (const uint32_t jump : jumps) LetPointHere(jump);
  }

  // Where case is ignored, at each place the longest stretch that folds to one character decides,
  // as in Oniguruma: "ffi" is ﬃ or three letters, but not ﬀ and i.
  void EmitLiteral(const RegexNode& node) {
    if (!node.ignore_case) {
      for (const char32_t c : node.text) Add(RegexOp::kCharacter, 0, c);
      return;
    }
    const std::u32string_view text = node.text;
    for (size_t at = 0; at < text.size() && !too_large_;) {
      const SingleCharacters singles =
          in_lookbehind_ ? SingleCharacters() : SingleCharactersFor(text.substr(at));
      if (singles.size > 0) {
        EmitEither(singles.set, text.substr(at, singles.size));
        at += singles.size;
        continue;
      }
      const std::optional<std::u32string> parts = MultipleFoldOf(text[at]);
      if (parts.has_value() && !in_lookbehind_) {
        EmitEither(IgnoreCase(text[at]), *parts);
      } else {
        Add(RegexOp::kSet, NumberOf(IgnoreCase(text[at])));
      }
      ++at;
    }
  }

  // One character of `set`, or the characters of `parts` in any case.
  void EmitEither(const CharSet& set, std::u32string_view parts) {
    const uint32_t split = Add(RegexOp::kSplit);
    Add(RegexOp::kSet, NumberOf(set));
    const uint32_t jump = Add(RegexOp::kJump);
    LetPointHere(split);
    for (const char32_t c : parts) Add(RegexOp::kSet, NumberOf(IgnoreCase(c)));
    LetPointHere(jump);
  }

  void EmitRepeat(const RegexNode& node) {
    const RegexNode& child = node.children[0];
    if (node.max == 0) return;
    if (EmitRepeatOfSet(RegexOp::kRepeatSet, node)) return;
    const Length length = LengthOf(child);
    // Nothing repeated is nothing: this keeps (?:){100000} small.
    if (length.max == 0 && node.max != kUnbounded) return EmitRepeatOfNothing(node);
    for (uint32_t i = 0; i < node.min && !too_large_; ++i) Emit(child);
    const RegexOp split = node.lazy ? RegexOp::kSplitLazy : RegexOp::kSplit;
    if (node.max == kUnbounded) return EmitLoop(child, split, /*may_be_empty=*/length.min == 0);
    std::vector<uint32_t> splits;  // x{0,2} is (x(x)?)?
    for (uint32_t i = node.min; i < node.max && !too_large_; ++i) {
      splits.push_back(Add(split));
      Emit(child);
    }
    for (const uint32_t address : splits) LetPointHere(address);
  }

  void EmitRepeatOfNothing(const RegexNode& node) {
    if (node.min > 0) return Emit(node.children[0]);
    const uint32_t split = Add(node.lazy ? RegexOp::kSplitLazy : RegexOp::kSplit);
    Emit(node.children[0]);
    LetPointHere(split);
  }

  // A repeated class, which is most of every pattern, is one instruction.
  bool EmitRepeatOfSet(RegexOp op, const RegexNode& node) {
    const RegexNode& child = node.children[0];
    if (node.lazy) return false;
    CharSet set = child.set;
    if (child.kind == Kind::kLiteral) {
      if (child.text.size() != 1) return false;
      if (child.ignore_case && MultipleFoldOf(child.text[0]).has_value()) return false;
      set = child.ignore_case ? IgnoreCase(child.text[0]) : CharSet::Of(child.text[0]);
    } else if (child.kind != Kind::kSet) {
      return false;
    }
    Add(op, NumberOf(set), 0, node.min, node.max);
    return true;
  }

  // Any number of `child`. A turn that reads nothing ends the loop.
  void EmitLoop(const RegexNode& child, RegexOp split, bool may_be_empty) {
    const uint32_t start = Add(split);
    const auto mark = static_cast<uint16_t>(program_.marks);
    if (may_be_empty) {
      if (program_.marks == kMaxMarks) too_large_ = true;
      ++program_.marks;
      Add(RegexOp::kMark, mark);
    }
    Emit(child);
    if (may_be_empty) Add(RegexOp::kProgress, mark);
    Add(RegexOp::kJump, 0, start);
    LetPointHere(start);
  }

  void EmitEnclosed(RegexOp op, const RegexNode& child) {
    if (op == RegexOp::kAtomic && child.kind == Kind::kRepeat &&
        EmitRepeatOfSet(RegexOp::kPossessSet, child)) {
      return;
    }
    const uint32_t start = Add(op);
    Emit(child);
    Add(RegexOp::kMatch);
    LetPointHere(start);
  }

  void EmitLookbehind(const RegexNode& node) {
    const RegexNode& child = node.children[0];
    const bool outer = std::exchange(in_lookbehind_, true);
    const Length length = LengthOf(child);
    const uint32_t start = Add(node.negated ? RegexOp::kNotLookbehind : RegexOp::kLookbehind, 0, 0,
                               length.min, length.max);
    Emit(child);
    Add(RegexOp::kReached);
    Add(RegexOp::kMatch);
    LetPointHere(start);
    in_lookbehind_ = outer;
  }

  void EmitAssertion(RegexOp op) {
    const bool needs_words = op == RegexOp::kWordBoundary || op == RegexOp::kNotWordBoundary;
    Add(op, needs_words ? NumberOf(CharSet::FromTable(kRegexWord, kRegexWordSize)) : uint16_t{0});
  }

  uint16_t NumberOf(const CharSet& set) {
    const auto known = std::find(sets_.begin(), sets_.end(), set);
    if (known != sets_.end()) return static_cast<uint16_t>(known - sets_.begin());
    if (sets_.size() == kMaxSets) {
      too_large_ = true;
      return 0;
    }
    sets_.push_back(set);
    return static_cast<uint16_t>(sets_.size() - 1);
  }

  RegexProgram program_;
  std::vector<CharSet> sets_;
  bool in_lookbehind_ = false;
  bool too_large_ = false;
};

}  // namespace

absl::StatusOr<RegexProgram> CompileRegex(std::string_view pattern) {
  absl::StatusOr<RegexNode> root = ParseRegex(pattern);
  if (!root.ok()) return root.status();
  return Compiler().Compile(*root);
}

}  // namespace triptych::unicode
