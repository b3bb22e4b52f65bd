// tokenizer-bench: times tokenizers over a folder of texts.
//
//     tokenizer-bench --texts=FOLDER NAME=TOKENIZER_JSON ... [--benchmark_filter=... and its kin]
//
// `make tokenizer-bench` makes the texts, runs it beside other tokenizers and compares.
#include <benchmark/benchmark.h>

#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "bench/text_sets.h"
#include "bench/tokenizer_benchmarks.h"

namespace {

constexpr int kFailure = 1;
constexpr int kUsageMistake = 2;
constexpr std::string_view kTextsFlag = "--texts=";

int Report(std::string_view message, int exit_code) {
  std::cerr << "tokenizer-bench: " << message << std::endl;
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using triptych::base::MessageOf;
  benchmark::Initialize(&argc, argv);  // takes its own flags away
  if (argc < 3 || !std::string_view(argv[1]).starts_with(kTextsFlag)) {
    return Report("usage: tokenizer-bench --texts=FOLDER NAME=TOKENIZER_JSON ...", kUsageMistake);
  }
  const std::string folder(std::string_view(argv[1]).substr(kTextsFlag.size()));
  const absl::StatusOr<triptych::bench::TextSets> sets = triptych::bench::ReadTextSets(folder);
  if (!sets.ok()) return Report(MessageOf(sets.status()), kFailure);
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string_view::npos) {
      return Report("an argument is not NAME=TOKENIZER_JSON", kUsageMistake);
    }
    const absl::Status registered = triptych::bench::RegisterTokenizer(
        std::string(argument.substr(0, equals)), std::string(argument.substr(equals + 1)), *sets);
    if (!registered.ok()) return Report(MessageOf(registered), kFailure);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
