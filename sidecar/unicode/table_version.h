// TableVersion: whose Unicode tables to follow.
#ifndef SIDECAR_UNICODE_TABLE_VERSION_H_
#define SIDECAR_UNICODE_TABLE_VERSION_H_

#include <cstdint>

namespace triptych::unicode {

// The series of Hugging Face `tokenizers` whose results are wanted. They differ in the normal forms
// (NFC, NFD, NFKC, NFKD) of characters that are younger than Unicode 9, in nothing else here.
enum class TableVersion : uint8_t {
  kTokenizers023,
  kTokenizers10,
};

}  // namespace triptych::unicode

#endif  // SIDECAR_UNICODE_TABLE_VERSION_H_
