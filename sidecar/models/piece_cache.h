// PieceCache: remembers the tokens of short pieces. Text repeats its words, and a lookup is several
// times cheaper than merging.
#ifndef SIDECAR_MODELS_PIECE_CACHE_H_
#define SIDECAR_MODELS_PIECE_CACHE_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/string_map.h"
#include "models/model.h"

namespace triptych::models {

// Bounded: pieces of at most kMaxPieceBytes, at most kShards * kMaxPiecesPerShard of them (some 20
// MiB). A full shard is emptied: a server's text changes, and a cache that only stops growing would
// serve the first hour's words for ever.
//
// Thread-safe. Shards keep threads out of each other's way.
class PieceCache {
 public:
  static constexpr size_t kMaxPieceBytes = 48;
  static constexpr size_t kMaxPiecesPerShard = 8'192;
  static constexpr size_t kShards = 16;

  // Appends the remembered tokens of `piece`; false where it is not known.
  bool Find(std::string_view piece, std::vector<Token>& out) const;

  // Remembers `tokens`, unless `piece` is too long.
  void Insert(std::string_view piece, std::vector<Token> tokens);

  // The number of pieces that are remembered now.
  [[nodiscard]] size_t size() const;

 private:
  struct Shard {
    mutable absl::Mutex mutex;
    base::StringMap<std::vector<Token>> pieces ABSL_GUARDED_BY(mutex);
  };

  static size_t ShardOf(std::string_view piece);

  std::array<Shard, kShards> shards_;
};

}  // namespace triptych::models

#endif  // SIDECAR_MODELS_PIECE_CACHE_H_
