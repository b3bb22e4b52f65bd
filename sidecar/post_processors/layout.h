// Layout: in which order the texts of a request and special tokens stand in its encoding.
//
// All post-processors of tokenizer.json do nothing but that. So they run once, when the file is
// loaded, on names instead of texts; the tokenizer then writes each token where it belongs, and an
// encoding is never moved to make room for a token.
#ifndef SIDECAR_POST_PROCESSORS_LAYOUT_H_
#define SIDECAR_POST_PROCESSORS_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace triptych::post_processors {

class PostProcessor;  // post_processor.h

// The tokens of a text, or a special token.
struct Piece {
  enum class Kind { kFirstText, kSecondText, kToken };

  Kind kind = Kind::kFirstText;
  uint32_t id = 0;       // of a token
  uint32_t type_id = 0;  // of all tokens of the piece

  friend bool operator==(const Piece&, const Piece&) = default;
};

// A text may stand there several times, or not at all.
using Layout = std::vector<Piece>;

// The four layouts of a tokenizer. Immutable.
class Layouts {
 public:
  // `post_processor` may be null: then texts stand one after the other. It is used here only.
  // INVALID_ARGUMENT where it cannot process a text or a pair.
  [[nodiscard]] static absl::StatusOr<Layouts> Create(const PostProcessor* post_processor);

  [[nodiscard]] const Layout& For(bool is_pair, bool add_special_tokens) const {
    return layouts_[is_pair][add_special_tokens];
  }

 private:
  Layout layouts_[2][2];
};

}  // namespace triptych::post_processors

#endif  // SIDECAR_POST_PROCESSORS_LAYOUT_H_
