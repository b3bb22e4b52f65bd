// Runs a RegexProgram: a backtracking matcher with its own stack.
//
// Why backtracking, which can take exponential time, and not an automaton: the patterns of
// tokenizers need almost no backtracking (one character is given back, once, for `\s+(?!\S)`), and
// this is simple and fast for them. A repeated class, which is nearly all of every pattern, is one
// tight loop and one stack entry. A budget of steps, linear in the text, stops a pattern that does
// blow up.
//
// Tested by regex_test.cc, and against `tokenizers` by tests/unit/tokenizer.
#include "unicode/regex.h"

#include <algorithm>
#include <utility>

#include "unicode/regex_program.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr uint64_t kStepsPerByte = 1'000;
constexpr uint64_t kFreeSteps = 100'000;
constexpr size_t kMaxChoices = 4'000'000;  // 128 MiB
constexpr int kMaxLookaheads = 64;         // nested in each other; the compiler allows 50

class Matcher {
 public:
  Matcher(const RegexProgram& program, std::string_view text)
      : program_(program),
        text_(text),
        steps_left_(kFreeSteps + kStepsPerByte * text.size()),
        marks_(program.marks, 0) {}

  [[nodiscard]] bool exhausted() const { return steps_left_ == 0; }

  // Finds the first match that begins at `start` or behind it.
  bool Search(size_t start, base::ByteRange& match) {
    search_start_ = start;
    for (size_t at = start;; at += DecodeAt(text_, at).size) {
      size_t end = at;
      stack_.clear();
      if (Run(0, at, end, 0)) {
        match = {static_cast<uint32_t>(at), static_cast<uint32_t>(end)};
        return true;
      }
      if (exhausted() || at == text_.size()) return false;
    }
  }

 private:
  // What to try next when the present way fails: go on at `pc` from `at`; while at > give_back_to,
  // also from one character before. Marks are undone by the same stack.
  struct Choice {
    enum { kResume, kRestoreMark } kind;
    uint32_t pc;  // or the number of the mark
    size_t at;
    size_t give_back_to;
  };

  // Whether `set` has the character at `at`, whose size becomes `size`.
  [[nodiscard]] bool IsIn(uint16_t set, size_t at, size_t& size) const {
    const auto decoded = DecodeAt(text_, at);
    size = decoded.size;
    return (program_.classifiers[set / CharClassifier::kMaxSets].MaskOf(decoded.value) >>
                (set % CharClassifier::kMaxSets) &
            1) != 0;
  }

  // Moves `at` over min to max characters of the set; false where there are fewer than min. `least`
  // becomes the place after `min` of them.
  bool Repeat(const RegexInstruction& instruction, size_t& at, size_t& least) {
    uint32_t count = 0;
    if (instruction.min == 0) least = at;
    while (count < instruction.max && at < text_.size()) {
      size_t size;
      if (!IsIn(instruction.set, at, size)) break;
      at += size;
      if (++count == instruction.min) least = at;
    }
    Spend(count);
    return count >= instruction.min;
  }

  void Spend(uint64_t steps) { steps_left_ -= std::min(steps_left_, steps); }

  // Takes the next way from the stack, down to `floor`; false where there is none.
  bool Backtrack(size_t floor, uint32_t& pc, size_t& at) {
    while (stack_.size() > floor) {
      Choice& choice = stack_.back();
      if (choice.kind == Choice::kRestoreMark) {
        marks_[choice.pc] = choice.at;
        stack_.pop_back();
        continue;
      }
      pc = choice.pc;
      at = choice.at;
      if (choice.at > choice.give_back_to) {
        choice.at = PreviousBoundary(text_, choice.at);
      } else {
        stack_.pop_back();
      }
      return true;
    }
    return false;
  }

  [[nodiscard]] bool IsWordBoundary(uint16_t words, size_t at) const {
    size_t size;
    const bool before = at > 0 && IsIn(words, PreviousBoundary(text_, at), size);
    const bool behind = at < text_.size() && IsIn(words, at, size);
    return before != behind;
  }

  // Whether the program behind `pc` matches from some place before `at` to just `at`.
  bool LooksBehind(uint32_t pc, size_t at, int nesting) {
    const RegexInstruction& instruction = program_.instructions[pc];
    const size_t outer_end = std::exchange(behind_end_, at);
    const size_t mark = stack_.size();
    size_t start = at;
    bool matched = false;
    for (uint32_t count = 0; !matched && !exhausted(); ++count) {
      size_t end;
      if (count >= instruction.min) {
        matched = Run(pc + 1, start, end, nesting + 1);
        stack_.resize(std::min(mark, stack_.size()));
      }
      if (start == 0 || count == instruction.max) break;
      start = PreviousBoundary(text_, start);
      Spend(1);
    }
    behind_end_ = outer_end;
    return matched;
  }

  bool Run(uint32_t pc, size_t at, size_t& end, int nesting) {
    const size_t floor = stack_.size();
    while (true) {
      Spend(1);
      if (stack_.size() > kMaxChoices || nesting > kMaxLookaheads) steps_left_ = 0;
      if (steps_left_ == 0) return false;
      bool failed = false;
      const RegexInstruction& instruction = program_.instructions[pc];
      switch (instruction.op) {
        case RegexOp::kCharacter: {
          const auto decoded = at == text_.size() ? DecodedCodePoint{0, 0} : DecodeAt(text_, at);
          failed = decoded.size == 0 || decoded.value != instruction.other;
          at += decoded.size;
          ++pc;
          break;
        }
        case RegexOp::kSet: {
          size_t size = 0;
          failed = at == text_.size() || !IsIn(instruction.set, at, size);
          at += size;
          ++pc;
          break;
        }
        case RegexOp::kRepeatSet:
        case RegexOp::kPossessSet: {
          size_t least = at;
          failed = !Repeat(instruction, at, least);
          ++pc;
          if (!failed && instruction.op == RegexOp::kRepeatSet && at > least) {
            stack_.push_back({Choice::kResume, pc, PreviousBoundary(text_, at), least});
          }
          break;
        }
        case RegexOp::kSplit:
          stack_.push_back({Choice::kResume, instruction.other, at, at});
          ++pc;
          break;
        case RegexOp::kSplitLazy:
          stack_.push_back({Choice::kResume, pc + 1, at, at});
          pc = instruction.other;
          break;
        case RegexOp::kJump:
          pc = instruction.other;
          break;
        case RegexOp::kLookahead:
        case RegexOp::kNotLookahead:
        case RegexOp::kAtomic: {
          const size_t mark = stack_.size();
          size_t inner_end = at;
          const bool matched = Run(pc + 1, at, inner_end, nesting + 1);
          stack_.resize(std::min(mark, stack_.size()));
          failed = matched == (instruction.op == RegexOp::kNotLookahead);
          if (instruction.op == RegexOp::kAtomic) at = inner_end;
          pc = instruction.other;
          break;
        }
        case RegexOp::kLookbehind:
        case RegexOp::kNotLookbehind:
          failed = LooksBehind(pc, at, nesting) == (instruction.op == RegexOp::kNotLookbehind);
          pc = instruction.other;
          break;
        case RegexOp::kReached:
          failed = at != behind_end_;
          ++pc;
          break;
        case RegexOp::kTextStart:
          failed = at != 0;
          ++pc;
          break;
        case RegexOp::kTextEnd:
          failed = at != text_.size();
          ++pc;
          break;
        case RegexOp::kTextEndOrNewline:
          failed = at != text_.size() && !(at + 1 == text_.size() && text_[at] == '\n');
          ++pc;
          break;
        case RegexOp::kSearchStart:
          failed = at != search_start_;
          ++pc;
          break;
        case RegexOp::kWordBoundary:
        case RegexOp::kNotWordBoundary:
          failed =
              IsWordBoundary(instruction.set, at) == (instruction.op != RegexOp::kWordBoundary);
          ++pc;
          break;
        case RegexOp::kLineStart:
          failed = at != 0 && (text_[at - 1] != '\n' || at == text_.size());
          ++pc;
          break;
        case RegexOp::kLineEnd:
          failed = at != text_.size() && text_[at] != '\n';
          ++pc;
          break;
        case RegexOp::kMark:
          stack_.push_back({Choice::kRestoreMark, instruction.set, marks_[instruction.set], 0});
          marks_[instruction.set] = at;
          ++pc;
          break;
        case RegexOp::kProgress:
          // Oniguruma goes on behind the loop where a turn read nothing; so do we, past the jump
          // back.
          pc += marks_[instruction.set] == at ? 2 : 1;
          break;
        case RegexOp::kMatch:
          end = at;
          return true;
      }
      if (failed && !Backtrack(floor, pc, at)) return false;
    }
  }

  const RegexProgram& program_;
  std::string_view text_;
  uint64_t steps_left_;
  size_t search_start_ = 0;
  size_t behind_end_ = 0;  // of the innermost lookbehind
  std::vector<size_t> marks_;
  std::vector<Choice> stack_;
};

}  // namespace

absl::StatusOr<Regex> Regex::Create(std::string_view pattern) {
  absl::StatusOr<RegexProgram> program = CompileRegex(pattern);
  if (!program.ok()) return program.status();
  return Regex(std::make_unique<const RegexProgram>(*std::move(program)));
}

Regex::Regex(std::unique_ptr<const RegexProgram> program) : program_(std::move(program)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

absl::Status Regex::FindAll(std::string_view text, std::vector<base::ByteRange>& matches) const {
  Matcher matcher(*program_, text);
  size_t last_end = std::string_view::npos;
  base::ByteRange match;
  for (size_t start = 0; start <= text.size() && matcher.Search(start, match);) {
    if (match.empty() && match.end == last_end) {
      start += start < text.size() ? DecodeAt(text, start).size : 1;
      continue;
    }
    matches.push_back(match);
    start = last_end = match.end;
  }
  if (!matcher.exhausted()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the tokenizer's regular expression needs too many steps for this text");
}

}  // namespace triptych::unicode
