// IsNfc and NfcOf: composition for text that is nearly always composed already.
//
// Nearly all text is, in every language, and to know that is several times cheaper than to compose
// it. This is the quick check of UAX #15, section 9: a code point has a combining class, and it
// either may stand in composed text, or may not, or perhaps: it composes with some code points
// before it. A text is composed if its marks are in order and all its code points may stand in it.
// Only around a "perhaps" (the nukta of Hindi, a loose accent) the few characters between two that
// are surely apart are really composed and compared.
//
// By the tables of unicode_tables.h, so it tells of the same NFC as canonical.h.
// Tested by nfc_check_test.cc against ToNfc on every code point, pair with a mark, and random text.
#ifndef SIDECAR_UNICODE_NFC_CHECK_H_
#define SIDECAR_UNICODE_NFC_CHECK_H_

#include <string>
#include <string_view>

namespace triptych::unicode {

// Exactly ToNfc(text).text == text. Skips ASCII many bytes at a time. REQUIRES: valid UTF-8.
[[nodiscard]] bool IsNfc(std::string_view text);

// ToNfc(text).text, composing only what must be. REQUIRES: valid UTF-8.
[[nodiscard]] std::string NfcOf(std::string_view text);

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_NFC_CHECK_H_
