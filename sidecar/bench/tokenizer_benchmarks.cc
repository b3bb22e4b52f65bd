#include "bench/tokenizer_benchmarks.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/encoding.h"
#include "loader/tokenizer_loader.h"
#include "tokenizer/decode_stream.h"
#include "tokenizer/tokenizer.h"

namespace triptych::bench {
namespace {

using SharedTokenizer = std::shared_ptr<const tokenizer::Tokenizer>;

constexpr size_t kDecodedTextBytes = 50'000;
constexpr char kSeed[] = "seed_filler";

double ProcessCpuSeconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

double ResidentMegabytes() {
  std::ifstream file("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// False, and the benchmark fails, where a text cannot be encoded.
bool EncodeAll(const tokenizer::Tokenizer& tokenizer, const TextSet& set, benchmark::State& state,
               bool include_ranges = false) {
  for (const std::string& text : set.texts) {
    absl::StatusOr<base::Encoding> encoding =
        tokenizer.Encode({.text = text, .include_ranges = include_ranges});
    if (!encoding.ok()) {
      state.SkipWithError(std::string(encoding.status().message()).c_str());
      return false;
    }
    benchmark::DoNotOptimize(encoding->ids.data());
  }
  return true;
}

std::vector<std::vector<uint32_t>> IdsOf(const tokenizer::Tokenizer& tokenizer,
                                         const TextSet& set) {
  std::vector<std::vector<uint32_t>> ids;
  for (const std::string& text : set.texts) {
    absl::StatusOr<base::Encoding> encoding = tokenizer.Encode({.text = text});
    if (encoding.ok()) ids.push_back(std::move(encoding->ids));
  }
  return ids;
}

void CountBytes(benchmark::State& state, const TextSet& set) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * set.size_bytes));
  state.counters["texts"] = static_cast<double>(set.texts.size());
}

void EncodeWarmWithSpans(benchmark::State& state, const SharedTokenizer& tokenizer,
                         const TextSet& set) {
  for (auto _ : state) {
    if (!EncodeAll(*tokenizer, set, state, /*include_ranges=*/true)) return;
  }
  CountBytes(state, set);
}

void EncodeWarm(benchmark::State& state, const SharedTokenizer& tokenizer, const TextSet& set) {
  if (!EncodeAll(*tokenizer, set, state)) return;
  for (auto _ : state) {
    if (!EncodeAll(*tokenizer, set, state)) return;
  }
  CountBytes(state, set);
}

// REQUIRES: one iteration.
void EncodeCold(benchmark::State& state, const std::string& path, const TextSet& seed,
                const TextSet& set) {
  const absl::StatusOr<tokenizer::Tokenizer> fresh = loader::LoadTokenizer(path);
  if (!fresh.ok()) return state.SkipWithError(std::string(fresh.status().message()).c_str());
  if (!EncodeAll(*fresh, seed, state)) return;
  for (auto _ : state) {
    if (!EncodeAll(*fresh, set, state)) return;
  }
  CountBytes(state, set);
}

void EncodeOnce(benchmark::State& state, const SharedTokenizer& tokenizer, const TextSet& set) {
  for (auto _ : state) {
    if (!EncodeAll(*tokenizer, set, state)) return;
  }
  CountBytes(state, set);
}

void Decode(benchmark::State& state, const SharedTokenizer& tokenizer, const TextSet& set) {
  const auto lists = IdsOf(*tokenizer, set);
  for (auto _ : state) {
    for (const std::vector<uint32_t>& ids : lists) {
      benchmark::DoNotOptimize(tokenizer->Decode(ids, {}));
    }
  }
  CountBytes(state, set);
}

void StreamDecode(benchmark::State& state, const SharedTokenizer& tokenizer, const TextSet& set) {
  const auto lists = IdsOf(*tokenizer, set);
  size_t tokens = 0;
  for (auto _ : state) {
    for (const std::vector<uint32_t>& ids : lists) {
      auto stream = tokenizer::DecodeStream::Create(*tokenizer, {}).value();
      for (const uint32_t id : ids) benchmark::DoNotOptimize(stream.Append({&id, 1}));
      benchmark::DoNotOptimize(stream.Flush());
      tokens += ids.size();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(tokens));
}

void RegisterLoad(const std::string& name, double seconds) {
  const double rss_mb = ResidentMegabytes();
  benchmark::RegisterBenchmark((name + "/load").c_str(),
                               [=](benchmark::State& state) {
                                 for (auto _ : state) state.SetIterationTime(seconds);
                                 state.counters["rss_mb"] = rss_mb;
                               })
      ->UseManualTime()
      ->Iterations(1);
}

void RegisterWarm(const std::string& name, const SharedTokenizer& tokenizer, const TextSet& set,
                  const std::string& set_name) {
  const auto add = [&](const char* what, auto* run) {
    benchmark::RegisterBenchmark((name + "/" + what + "/" + set_name).c_str(),
                                 [=, &set](benchmark::State& state) { run(state, tokenizer, set); })
        ->MeasureProcessCPUTime();
  };
  add("encode", &EncodeWarm);
  add("encode_spans", &EncodeWarmWithSpans);
  if (set.size_bytes / set.texts.size() < kDecodedTextBytes) return;
  add("decode", &Decode);
  add("stream_decode", &StreamDecode);
}

// One run is all there is: afterwards the texts have been seen.
template <typename Run>
void RegisterOnce(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->Iterations(1)
      ->MeasureProcessCPUTime();
}

}  // namespace

absl::Status RegisterTokenizer(const std::string& name, const std::string& path,
                               const TextSets& sets) {
  if (!sets.contains(kSeed)) return absl::NotFoundError("the texts have no set seed_filler");
  const double start = ProcessCpuSeconds();
  absl::StatusOr<tokenizer::Tokenizer> loaded = loader::LoadTokenizer(path);
  if (!loaded.ok()) return loaded.status();
  RegisterLoad(name, ProcessCpuSeconds() - start);
  const auto tokenizer = std::make_shared<const tokenizer::Tokenizer>(*std::move(loaded));
  for (const auto& [full_name, set] : sets) {
    const size_t dash = full_name.find('_');
    const std::string kind = full_name.substr(0, dash);
    const std::string set_name = dash == std::string::npos ? "" : full_name.substr(dash + 1);
    if (kind == "warm") RegisterWarm(name, tokenizer, set, set_name);
    if (kind == "cold") {
      RegisterOnce(name + "/cold/" + set_name, [path, &sets, &set = set](benchmark::State& state) {
        EncodeCold(state, path, sets.at(kSeed), set);
      });
    }
    if (kind == "worst") {
      RegisterOnce(name + "/worst/" + set_name, [tokenizer, &set = set](benchmark::State& state) {
        EncodeOnce(state, tokenizer, set);
      });
    }
  }
  return absl::OkStatus();
}

}  // namespace triptych::bench
