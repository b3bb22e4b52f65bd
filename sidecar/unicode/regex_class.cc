#include "unicode/regex_class.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/str_cat.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

bool IsScalar(uint32_t value) { return value <= 0x10FFFF && !(value >= 0xD800 && value < 0xE000); }

RegexEscape Class(CharSet set, bool negated) {
  return {negated ? set.Complement() : std::move(set), /*is_character=*/false};
}

RegexEscape Character(char32_t c) { return {CharSet::Of(c), /*is_character=*/true}; }

// \p{..}, behind the p.
absl::StatusOr<RegexEscape> TakeProperty(PatternReader& reader, bool negated) {
  if (!reader.Take("{")) return Character(negated ? 'P' : 'p');
  if (reader.Take("^")) negated = !negated;
  const size_t size = reader.rest().find('}');
  if (size == std::string_view::npos) return reader.Error("\\p needs {a property}");
  const std::string_view name = reader.rest().substr(0, size);
  std::optional<CharSet> set = CharSet::FromProperty(name);
  if (!set.has_value()) {
    return reader.Error(
        base::StrCat("the property ", name,
                     " is not supported; supported: general categories, scripts and the "
                     "usual classes, such as L, Letter, Han, Alphabetic"));
  }
  reader.Skip(size + 1);
  return Class(*std::move(set), negated);
}

// Bytes written as \xHH or octal make up a character in UTF-8; behind the first of them.
absl::StatusOr<RegexEscape> FinishBytes(PatternReader& reader, uint32_t first) {
  if (first > 0xFF) return reader.Error("the octal escape is above 0377");
  std::string bytes(1, static_cast<char>(first));
  const size_t size = SizeOfCharacter(bytes[0]);
  for (uint32_t byte = 0; bytes.size() < size; bytes.push_back(static_cast<char>(byte))) {
    if (!reader.Take("\\x") || reader.TakeNumber(16, 2, byte) == 0) break;
  }
  if (bytes.size() != size || FindInvalidUtf8(bytes).has_value()) {
    return reader.Error("the escaped bytes are not a character in UTF-8");
  }
  return Character(DecodeAt(bytes, 0).value);
}

// A code point in braces, behind the opening one.
absl::StatusOr<RegexEscape> TakeBracedCodePoint(PatternReader& reader, uint32_t base) {
  uint32_t value = 0;
  if (reader.TakeNumber(base, base == 8 ? 11 : 8, value) == 0 || !reader.Take("}") ||
      !IsScalar(value)) {
    return reader.Error("the number in braces is not one code point");
  }
  return Character(value);
}

absl::StatusOr<RegexEscape> TakeNumericEscape(PatternReader& reader, char32_t kind) {
  uint32_t value = 0;
  if (kind == 'x') {
    if (reader.Take("{")) return TakeBracedCodePoint(reader, 16);
    (void)reader.TakeNumber(16, 2, value);
    return FinishBytes(reader, value);
  }
  if (kind == 'u') {
    if (reader.TakeNumber(16, 4, value) != 4 || !IsScalar(value)) {
      return reader.Error("\\u needs the four hexadecimal digits of a character");
    }
    return Character(value);
  }
  if (kind == 'o') return reader.Take("{") ? TakeBracedCodePoint(reader, 8) : Character('o');
  (void)reader.TakeNumber(8, 2, value);  // \0, \012
  return FinishBytes(reader, value);
}

std::optional<RegexEscape> ClassEscape(char32_t c) {
  switch (c) {
    case 's':
    case 'S':
      return Class(CharSet::FromTable(kRegexSpace, kRegexSpaceSize), c == 'S');
    case 'w':
    case 'W':
      return Class(CharSet::FromTable(kRegexWord, kRegexWordSize), c == 'W');
    case 'd':
    case 'D':
      return Class(*CharSet::FromProperty("Nd"), c == 'D');
    case 'h':
    case 'H': {
      CharSet digits = CharSet::Of('0', '9');
      digits.Add('A', 'F');
      digits.Add('a', 'f');
      return Class(std::move(digits), c == 'H');
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<RegexEscape> TakeRegexEscape(PatternReader& reader, bool in_brackets) {
  if (reader.at_end()) return reader.Error("the pattern ends in a backslash");
  const char32_t c = reader.TakeCodePoint();
  if (std::optional<RegexEscape> known = ClassEscape(c)) return *std::move(known);
  if (c == 'p' || c == 'P') return TakeProperty(reader, c == 'P');
  if (c == 'x' || c == 'u' || c == 'o' || c == '0') return TakeNumericEscape(reader, c);
  constexpr std::array<std::pair<char32_t, char32_t>, 7> kControls = {
      {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'f', '\f'}, {'v', '\v'}, {'a', '\a'}, {'e', 0x1B}}};
  for (const auto& [letter, control] : kControls) {
    if (c == letter) return Character(control);
  }
  if (in_brackets && c == 'b') return Character('\b');
  // These mean something that we do not know: back-references, calls, segments, control characters.
  constexpr std::string_view kUnknown = "123456789cCM";
  constexpr std::string_view kUnknownOutside = "kgKXyY";
  if (c < 0x80 &&
      (kUnknown.find(static_cast<char>(c)) != std::string_view::npos ||
       (!in_brackets && kUnknownOutside.find(static_cast<char>(c)) != std::string_view::npos))) {
    return reader.Error(
        base::StrCat("\\", std::string(1, static_cast<char>(c)), " is not supported"));
  }
  return Character(c);
}

namespace {

// Reads the inside of brackets. A range a-z is recognised by states, as Oniguruma does, since `-`
// is a character in some places and an error in others.
class BracketParser {
 public:
  BracketParser(PatternReader& reader, int depth) : reader_(reader), depth_(depth) {}

  absl::StatusOr<RegexBrackets> Parse() {
    if (depth_ > kMaxClassNesting) return reader_.Error("classes are nested too deeply");
    const bool negated = reader_.Take("^");
    if (reader_.Has("]")) {
      // A closing bracket comes first: it is a character if another one can close the class.
      if (!AnotherBracketFollows()) return reader_.Error("an empty class is not supported");
      reader_.Skip(1);
      if (absl::Status added = AddCharacter(']'); !added.ok()) return added;
    }
    while (!reader_.Take("]")) {
      if (reader_.at_end()) return reader_.Error("missing ]");
      if (absl::Status read = Member(); !read.ok()) return read;
    }
    FlushCharacter();
    CharSet set = TakeOperand();
    if (set.ranges().size() > kMaxRanges) return reader_.Error("the class has too many ranges");
    return RegexBrackets{std::move(set), negated};
  }

 private:
  enum class State {
    kStart,     // nothing was read, or `&&`
    kValue,     // `last_` or a class was read
    kRange,     // `last_` and a `-` behind it
    kComplete,  // a range or a nested class
  };

  [[nodiscard]] bool AnotherBracketFollows() const {
    const std::string_view rest = reader_.rest();
    for (size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == ']') return true;
      if (rest[i] == '\\') ++i;
    }
    return false;
  }

  absl::Status Member() {
    if (reader_.Has("[:")) {
      absl::StatusOr<bool> named = TakeNamedClass();
      if (!named.ok()) return named.status();
      if (*named) return absl::OkStatus();
    }
    if (reader_.Take("[")) return NestedClass();
    if (reader_.Take("&&")) {
      FlushCharacter();
      operand_ = TakeOperand();
      members_ = CharSet();
      known_.clear();
      state_ = State::kStart;
      return absl::OkStatus();
    }
    if (reader_.Take("-")) return Hyphen();
    if (!reader_.Has("\\")) return AddCharacter(reader_.TakeCodePoint());
    return Escape();
  }

  absl::Status Escape() {
    const std::string_view from_here = reader_.rest();
    // [\p{L}\p{L}...] is as good as [\p{L}].
    const size_t size = from_here.starts_with("\\p{") ? from_here.find('}') + 1 : 2;
    if (known_.contains(from_here.substr(0, size))) {
      reader_.Skip(size);
      return AddClass(CharSet());
    }
    reader_.Skip(1);
    absl::StatusOr<RegexEscape> escape = TakeRegexEscape(reader_, /*in_brackets=*/true);
    if (!escape.ok()) return escape.status();
    if (escape->is_character) return AddCharacter(escape->set.ranges()[0].first);
    known_.insert(from_here.substr(0, from_here.size() - reader_.rest().size()));
    return AddClass(escape->set);
  }

  absl::Status Hyphen() {
    switch (state_) {
      case State::kStart:
      case State::kRange:
        return AddCharacter('-');
      case State::kValue:
        if (reader_.Has("]") || reader_.Has("&&")) return AddCharacter('-');
        if (!last_.has_value()) return reader_.Error("a range cannot begin with a class");
        state_ = State::kRange;
        return absl::OkStatus();
      case State::kComplete:
        if (reader_.Has("]") || reader_.Has("&&")) return AddCharacter('-');
        break;
    }
    return reader_.Error("a range cannot begin with a range; write \\- for the character");
  }

  absl::Status AddCharacter(char32_t c) {
    if (state_ == State::kRange) {
      if (c < *last_) return reader_.Error("the range ends before it begins");
      members_.Append(*last_, c);
      last_.reset();
      state_ = State::kComplete;
      return absl::OkStatus();
    }
    FlushCharacter();
    last_ = c;
    state_ = State::kValue;
    return absl::OkStatus();
  }

  absl::Status AddClass(const CharSet& set) {
    if (state_ == State::kRange) return reader_.Error("a range cannot end with a class");
    FlushCharacter();
    members_.Append(set);
    state_ = State::kValue;
    return absl::OkStatus();
  }

  absl::Status NestedClass() {
    // An unfinished range, as in [a-[b]], is dropped: Oniguruma does that.
    if (state_ == State::kValue) FlushCharacter();
    last_.reset();
    state_ = State::kComplete;
    absl::StatusOr<RegexBrackets> nested = BracketParser(reader_, depth_ + 1).Parse();
    if (!nested.ok()) return nested.status();
    members_.Append(nested->negated ? nested->set.Complement() : nested->set);
    return absl::OkStatus();
  }

  // [:alpha:] or [:^alpha:].
  absl::StatusOr<bool> TakeNamedClass() {
    std::string_view name = reader_.rest().substr(2);
    const size_t size = name.find(":]");
    if (size == std::string_view::npos || name.find(']') < size) return false;
    name = name.substr(0, size);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    const std::optional<CharSet> set = CharSet::FromProperty(name);
    constexpr std::string_view kNames =
        " alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit ";
    if (!set.has_value() || kNames.find(base::StrCat(" ", name, " ")) == std::string_view::npos) {
      return reader_.Error(base::StrCat("[:", name, ":] is not a known class"));
    }
    if (absl::Status added = AddClass(negated ? set->Complement() : *set); !added.ok()) {
      return added;
    }
    reader_.Skip(size + 4);
    return true;
  }

  void FlushCharacter() {
    if (last_.has_value()) members_.Append(*last_, *last_);
    last_.reset();
  }

  // What was read since the last `&&`, and in what was read before.
  CharSet TakeOperand() {
    members_.Normalize();
    return operand_.has_value() ? operand_->Intersect(members_) : std::move(members_);
  }

  // Oniguruma allows 10,000 ranges beyond ASCII, which has at most 64.
  static constexpr size_t kMaxRanges = 10'064;

  PatternReader& reader_;
  int depth_;
  State state_ = State::kStart;
  std::optional<char32_t> last_;  // a character that may begin a range
  CharSet members_;
  absl::flat_hash_set<std::string_view> known_;  // the classes among the members, as written
  std::optional<CharSet> operand_;               // what stood before `&&`
};

}  // namespace

absl::StatusOr<RegexBrackets> TakeRegexBrackets(PatternReader& reader) {
  return BracketParser(reader, 0).Parse();
}

}  // namespace triptych::unicode
