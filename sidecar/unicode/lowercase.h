// Lowercase of single characters, without regard to language or to what stands around them: a final
// sigma is a sigma.
#ifndef SIDECAR_UNICODE_LOWERCASE_H_
#define SIDECAR_UNICODE_LOWERCASE_H_

#include <string>

#include "unicode/code_point_map.h"

namespace triptych::unicode {

// Immutable, so safe to share between threads.
class Lowercase {
 public:
  Lowercase();

  // Not 0 for the characters that lowercase changes.
  [[nodiscard]] const CodePointMap& capitals() const { return capitals_; }

  // Appends the lowercase of `c` to `out`: one character, or two for U+0130.
  // REQUIRES: `c` is a capital.
  static void Append(char32_t c, std::string& out);

 private:
  CodePointMap capitals_;
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_LOWERCASE_H_
