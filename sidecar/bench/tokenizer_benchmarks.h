// What is timed of one tokenizer, as Google Benchmark benchmarks.
#ifndef SIDECAR_BENCH_TOKENIZER_BENCHMARKS_H_
#define SIDECAR_BENCH_TOKENIZER_BENCHMARKS_H_

#include <string>

#include "absl/status/status.h"
#include "bench/text_sets.h"

namespace triptych::bench {

// Loads the tokenizer.json at `path` and registers benchmarks named `NAME/WHAT/SET`:
//
//   load           once, with the process's resident memory afterwards as the counter rss_mb
//   encode         ids of a warm set: each text was encoded before
//   encode_spans   ids and spans of a warm set
//   cold           ids of a cold set, by a tokenizer that was just loaded and has seen only the set
//                  seed_filler, so that what the first text of all makes ready is not counted
//   worst          ids of a set of one hard text, the first time it is seen
//   decode         the whole text of the ids of a warm set
//   stream_decode  the same, token by token; items are tokens
//
// A set is warm, cold or worst by the first part of its name; only the sets of large texts are
// decoded. `sets` must outlive the benchmarks. Fails as LoadTokenizer does, and with NOT_FOUND
// where the set seed_filler is missing.
[[nodiscard]] absl::Status RegisterTokenizer(const std::string& name, const std::string& path,
                                             const TextSets& sets);

}  // namespace triptych::bench

#endif  // SIDECAR_BENCH_TOKENIZER_BENCHMARKS_H_
