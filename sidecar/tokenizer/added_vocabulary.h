// AddedVocabulary: the `added_tokens` of tokenizer.json, and how they are found in a text.
//
// Added tokens are cut out of a text before anything else happens to it: first those that are not
// `normalized`, in the text as it came; then the `normalized` ones, in the normalized text between
// them.
#ifndef SIDECAR_TOKENIZER_ADDED_VOCABULARY_H_
#define SIDECAR_TOKENIZER_ADDED_VOCABULARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "base/byte_range.h"
#include "models/vocabulary.h"
#include "normalizers/normalizer.h"
#include "unicode/byte_classes.h"

namespace triptych::tokenizer {

// One entry of `added_tokens`.
struct AddedToken {
  uint32_t id = 0;
  std::string content;
  bool single_word = false;  // only where no letter of a word touches it
  bool lstrip = false;       // swallows the white space before it
  bool rstrip = false;       // swallows the white space behind it
  bool normalized = true;    // found in the normalized text
  bool special = false;      // left out when decoding with skip_special_tokens

  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

// A stretch of a text: an added token, or plain text where `id` is nothing.
struct Section {
  std::optional<uint32_t> id;
  base::ByteRange range;
};

// A text has one, or a few.
using Sections = absl::InlinedVector<Section, 4>;

// Immutable after Create, so safe to share between threads.
class AddedVocabulary {
 public:
  // `normalizer` may be null; it is used here only. INVALID_ARGUMENT ("added_tokens[3]: ...") where
  // `tokenizers` would ignore an entry or give it another id than the file says.
  [[nodiscard]] static absl::StatusOr<AddedVocabulary> Create(
      std::vector<AddedToken> tokens, const models::Vocabulary& vocabulary,
      const normalizers::Normalizer* normalizer);

  // Cuts `text` at the added tokens that are `normalized` (or not). The longest token wins where
  // several begin. No byte of a token lies in `literal` (sorted, not overlapping): what a user
  // wrote stays text. White space that a token swallows may: so the ids of ordinary text are the
  // same with literal spans and without.
  [[nodiscard]] Sections Cut(std::string_view text, bool normalized,
                             const std::vector<base::ByteRange>& literal) const;

  // The token with the id, or null. Lives as long as this object.
  [[nodiscard]] const AddedToken* Find(uint32_t id) const;

  // In the order of the file.
  [[nodiscard]] const std::vector<AddedToken>& tokens() const { return tokens_; }

  // False where Cut would find no token for sure, as in most texts; takes less than half of its
  // time.
  [[nodiscard]] bool MayCut(std::string_view text, bool normalized) const {
    return has_any(normalized) && finder(normalized).NextCandidate(text, 0) < text.size();
  }

  // Whether there is any token that is `normalized` (or not).
  [[nodiscard]] bool has_any(bool normalized) const { return !finder(normalized).nodes.empty(); }

 private:
  // A trie of bytes. Why not Aho-Corasick: added tokens are short and begin with rare bytes, so
  // nearly all of a text is skipped 64 bytes at a time by a look for first bytes; and the longest
  // match from the left is then a walk.
  struct Finder {
    struct Node {
      std::vector<std::pair<uint8_t, uint32_t>> children;  // byte, index of the node
      std::optional<uint32_t> id;
    };

    void Add(std::string_view pattern, uint32_t id);

    // The first place from `at` on where a token may begin; text.size() where there is none.
    [[nodiscard]] size_t NextCandidate(std::string_view text, size_t at) const;

    std::vector<Node> nodes;                  // empty: finds nothing
    std::array<uint32_t, 256> first_nodes{};  // 0: no token begins with this byte
    unicode::ByteClasses first_bytes{1};      // the set 0: those that are ASCII
    bool has_non_ascii_first = false;
    std::string distinct_first_bytes;  // one in most vocabularies: '<'
  };

  struct Match {
    uint32_t id;
    base::ByteRange range;
  };

  [[nodiscard]] const Finder& finder(bool normalized) const {
    return normalized ? normalized_ : not_normalized_;
  }
  static std::optional<Match> LongestAt(const Finder& finder, std::string_view text, uint32_t begin,
                                        uint32_t end);

  std::vector<AddedToken> tokens_;
  absl::flat_hash_map<uint32_t, size_t> index_of_;  // id -> index in tokens_
  Finder normalized_;
  Finder not_normalized_;
};

}  // namespace triptych::tokenizer

#endif  // SIDECAR_TOKENIZER_ADDED_VOCABULARY_H_
