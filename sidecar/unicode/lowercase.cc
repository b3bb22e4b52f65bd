#include "unicode/lowercase.h"

#include <algorithm>
#include <iterator>

#include "unicode/normalizer_tables.h"
#include "unicode/utf8.h"

namespace triptych::unicode {
namespace {

constexpr char32_t kCapitalIWithDot = 0x130;

}  // namespace

Lowercase::Lowercase() {
  for (size_t i = 0; i < kLowercaseRunsSize; ++i) {
    const LowercaseRun& run = kLowercaseRuns[i];
    for (char32_t c = run.first; c <= run.last; c += run.step) capitals_.Add(c, 1);
  }
  capitals_.Add(kCapitalIWithDot, 1);
}

void Lowercase::Append(char32_t c, std::string& out) {
  if (c == kCapitalIWithDot) {
    out += "i\u0307";
    return;
  }
  const LowercaseRun* after =
      std::upper_bound(kLowercaseRuns, kLowercaseRuns + kLowercaseRunsSize, c,
                       [](char32_t value, const LowercaseRun& run) { return value < run.first; });
  AppendUtf8(c + static_cast<char32_t>(std::prev(after)->distance), out);
}

}  // namespace triptych::unicode
