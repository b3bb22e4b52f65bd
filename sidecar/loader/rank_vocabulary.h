// RankVocabulary: the tokens of a tiktoken or tekken file, and how such a file becomes a
// tokenizer.json. Private to the loader.
//
// Those files list tokens as bytes, each with a rank, and no merges: any two neighbours merge whose
// bytes together are a token, the lowest rank of the joined bytes first. tokenizer.json lists
// pairs. One pair a token is enough, and exact:
//
// Say that somewhere in a text tiktoken merges l and r into the token t. Until then nothing has
// merged across the ends of t, so that what happened between them is what happens when t is encoded
// alone, where there is nothing but t: the choice of the lowest rank, the leftmost of equals, is
// the same whatever lies around. So (l, r) is the pair that is left last when t is encoded alone:
// one for each token, or none where t never comes about by merging. With these pairs only, each
// step chooses from a part of what tiktoken chooses from, and what tiktoken chooses is in that
// part.
//
// A token that does not come about is not an error: both look a piece up as a whole before they
// merge (`ignore_merges`).
#ifndef SIDECAR_LOADER_RANK_VOCABULARY_H_
#define SIDECAR_LOADER_RANK_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "models/vocabulary.h"

namespace triptych::loader {

struct SpecialToken {
  uint32_t id = 0;
  std::string content;
};

// What a file in rank form says, or, where it leaves something out, what is known of its family.
struct RankFormat {
  std::string pattern;                       // a regular expression that cuts a text into pieces
  std::vector<SpecialToken> special_tokens;  // by ascending id
  uint32_t id_offset = 0;                    // the id of a token is its rank and this
  bool nfc = false;                          // texts are normalized first
  std::string bos;  // the special token in front where special tokens are asked for; or empty
};

// The pair whose merging makes each token, by ascending rank. INVALID_ARGUMENT where one of the 256
// bytes is not a token, or the tokens are so long that this takes more than some seconds.
[[nodiscard]] absl::StatusOr<std::vector<std::pair<std::string_view, std::string_view>>> MergesOf(
    const models::Vocabulary& ranks);

// The tokenizer.json that encodes as tiktoken does with `ranks`, with all special tokens allowed.
[[nodiscard]] absl::StatusOr<std::string> ToTokenizerJson(const models::Vocabulary& ranks,
                                                          const RankFormat& format);

}  // namespace triptych::loader

#endif  // SIDECAR_LOADER_RANK_VOCABULARY_H_
