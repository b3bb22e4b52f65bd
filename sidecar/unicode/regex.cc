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

  // Matches the program at `at`; on success `end` is where the match ends.
  bool MatchAt(size_t at, size_t& end) {
    stack_.clear();
    return Run(0, at, end, 0);
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

  [[nodiscard]] uint64_t MaskAt(size_t at, size_t& size) const {
    const auto decoded = DecodeAt(text_, at);
    size = decoded.size;
    return program_.classifier.MaskOf(decoded.value);
  }

  // Moves `at` over min to max characters of the set; false where there are fewer than min. `least`
  // becomes the place after `min` of them.
  bool Repeat(const RegexInstruction& instruction, size_t& at, size_t& least) {
    const uint64_t bit = uint64_t{1} << instruction.set;
    uint32_t count = 0;
    if (instruction.min == 0) least = at;
    while (count < instruction.max && at < text_.size()) {
      size_t size;
      if ((MaskAt(at, size) & bit) == 0) break;
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

  bool Run(uint32_t pc, size_t at, size_t& end, int nesting) {
    const size_t floor = stack_.size();
    while (true) {
      Spend(1);
      if (stack_.size() > kMaxChoices || nesting > kMaxLookaheads) steps_left_ = 0;
      if (steps_left_ == 0) return false;
      bool failed = false;
      const RegexInstruction& instruction = program_.instructions[pc];
      switch (instruction.op) {
        case RegexOp::kSet: {
          size_t size = 0;
          failed = at == text_.size() || (MaskAt(at, size) >> instruction.set & 1) == 0;
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
        case RegexOp::kTextStart:
          failed = at != 0;
          ++pc;
          break;
        case RegexOp::kTextEnd:
          failed = at != text_.size();
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
  for (size_t at = 0; at <= text.size();) {
    size_t end = at;
    const bool matched = matcher.MatchAt(at, end);
    if (matcher.exhausted()) {
      return absl::ResourceExhaustedError(
          "the tokenizer's regular expression needs too many steps for this text");
    }
    if (matched && (end > at || last_end != at)) {
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(end)});
      last_end = end;
    }
    if (matched && end > at) {
      at = end;
    } else if (at == text.size()) {
      break;
    } else {
      at += DecodeAt(text, at).size;
    }
  }
  return absl::OkStatus();
}

}  // namespace triptych::unicode
