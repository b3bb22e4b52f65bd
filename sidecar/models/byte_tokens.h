// The tokens that stand for single bytes in vocabularies with byte_fallback: "<0x00>" to "<0xFF>".
#ifndef SIDECAR_MODELS_BYTE_TOKENS_H_
#define SIDECAR_MODELS_BYTE_TOKENS_H_

#include <array>
#include <cstdint>
#include <optional>

#include "models/vocabulary.h"

namespace triptych::models {

// The id of each byte's token, or nothing where the vocabulary lacks it.
[[nodiscard]] std::array<std::optional<uint32_t>, 256> ByteTokenIds(const Vocabulary& vocabulary);

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_BYTE_TOKENS_H_
