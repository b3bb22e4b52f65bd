#include "models/piece_cache.h"

#include <utility>

#include "base/string_map.h"

namespace triptych::models {

size_t PieceCache::ShardOf(std::string_view piece) {
  // The high half: the shard's own table uses the low bits of the same hash.
  return (base::StringHash()(piece) >> 32) % kShards;
}

bool PieceCache::Find(std::string_view piece, std::vector<Token>& out) const {
  if (piece.size() > kMaxPieceBytes) return false;
  const Shard& shard = shards_[ShardOf(piece)];
  absl::MutexLock lock(&shard.mutex);
  const auto found = shard.pieces.find(piece);
  if (found == shard.pieces.end()) return false;
  out.insert(out.end(), found->second.begin(), found->second.end());
  return true;
}

void PieceCache::Insert(std::string_view piece, std::vector<Token> tokens) {
  if (piece.size() > kMaxPieceBytes) return;
  Shard& shard = shards_[ShardOf(piece)];
  absl::MutexLock lock(&shard.mutex);
  if (shard.pieces.size() >= kMaxPiecesPerShard) shard.pieces.clear();
  shard.pieces.insert_or_assign(std::string(piece), std::move(tokens));
}

size_t PieceCache::size() const {
  size_t total = 0;
  for (const Shard& shard : shards_) {
    absl::MutexLock lock(&shard.mutex);
    total += shard.pieces.size();
  }
  return total;
}

}  // namespace triptych::models
