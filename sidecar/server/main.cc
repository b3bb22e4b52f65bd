// triptych-tokenizer: the command line and the exit codes, nothing else. Tested by
// tests/unit/tokenizer.
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "server/options.h"
#include "server/serve.h"
#include "server/version.h"

namespace {

constexpr int kFailure = 1;
constexpr int kUsageMistake = 2;

int Report(const absl::Status& status, int exit_code) {
  std::cerr << "triptych-tokenizer: " << triptych::base::MessageOf(status) << std::endl;
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using triptych::server::Options;
  const absl::StatusOr<Options> options =
      triptych::server::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) return Report(options.status(), kUsageMistake);
  switch (options->action) {
    case Options::Action::kPrintHelp:
      std::cout << triptych::server::kUsage;
      return 0;
    case Options::Action::kPrintVersion:
      std::cout << triptych::server::kVersion << std::endl;
      return 0;
    case Options::Action::kServe:
      break;
  }
  return Report(triptych::server::Serve(*options), kFailure);
}
