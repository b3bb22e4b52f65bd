// CharsMap: the rules of a SentencePiece normalizer (`precompiled_charsmap`), from texts to texts.
//
// The form is that of SentencePiece: the size of a trie in bytes (32 bits, little endian); the
// trie, a double array of 32-bit units (Darts); then the texts, each ended by a NUL, which the
// trie's values point into.
#ifndef SIDECAR_NORMALIZERS_CHARS_MAP_H_
#define SIDECAR_NORMALIZERS_CHARS_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace triptych::normalizers {

// Immutable, so safe to share between threads.
class CharsMap {
 public:
  // INVALID_ARGUMENT where `bytes` are too short for the trie that they announce, or the texts are
  // not UTF-8.
  [[nodiscard]] static absl::StatusOr<CharsMap> Create(std::string_view bytes);

  // The text that replaces `text`: that of the shortest beginning of it that has a rule, as in
  // Rust's spm_precompiled, which is odd but what models were made with. Nothing where none has.
  // A damaged trie gives nothing or a wrong text, but valid UTF-8.
  [[nodiscard]] std::optional<std::string_view> Find(std::string_view text) const;

 private:
  CharsMap(std::vector<uint32_t> trie, std::string texts)
      : trie_(std::move(trie)), texts_(std::move(texts)) {}

  [[nodiscard]] std::optional<std::string_view> TextAt(size_t place) const;

  std::vector<uint32_t> trie_;
  std::string texts_;
};

}  // namespace triptych::normalizers

#endif  // SIDECAR_NORMALIZERS_CHARS_MAP_H_
