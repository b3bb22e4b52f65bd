// Tested by model_parser_test.cc and tests/unit/tokenizer/test_models.py.
#include "loader/serde_float.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/str_cat.h"

namespace triptych::loader {
namespace {

constexpr int kMaxPower = 308;

// The correctly rounded 10^0 to 10^308.
const std::array<double, kMaxPower + 1>& PowersOfTen() {
  static const auto powers = [] {
    std::array<double, kMaxPower + 1> built;
    for (int i = 0; i <= kMaxPower; ++i) {
      const std::string text = base::StrCat("1e", i);
      std::from_chars(text.data(), text.data() + text.size(), built[i]);
    }
    return built;
  }();
  return powers;
}

}  // namespace

double SerdeFloat(double exact) {
  if (exact == 0 || !std::isfinite(exact)) return exact;
  // "1.2345e-07": the shortest digits that read back.
  char buffer[32];
  const auto written = std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(exact),
                                     std::chars_format::scientific);
  *written.ptr = '\0';
  const std::string_view text(buffer, static_cast<size_t>(written.ptr - buffer));
  const size_t e = text.find('e');
  uint64_t digits = 0;
  int exponent = std::atoi(buffer + e + 1);
  for (const char c : text.substr(0, e)) {
    if (c == '.') continue;
    digits = digits * 10 + static_cast<uint64_t>(c - '0');
  }
  if (e > 1) exponent -= static_cast<int>(e) - 2;  // the digits behind the point

  auto value = static_cast<double>(digits);
  for (; exponent < -kMaxPower; exponent += kMaxPower) value /= PowersOfTen()[kMaxPower];
  const double power = PowersOfTen()[static_cast<size_t>(std::abs(exponent))];
  value = exponent < 0 ? value / power : value * power;
  return std::copysign(value, exact);
}

}  // namespace triptych::loader
