// Options: the command line of triptych-tokenizer.
#ifndef SIDECAR_SERVER_OPTIONS_H_
#define SIDECAR_SERVER_OPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace triptych::server {

inline constexpr std::string_view kUsage =
    R"(usage: triptych-tokenizer --tokenizer PATH --listen unix:PATH [--parent-death PID]

Serves triptych.sidecar.v1.TokenizerService for one tokenizer.

  --tokenizer PATH      a tokenizer.json, or a directory that has one
  --listen unix:PATH    the Unix socket to serve on
  --parent-death PID    exit when PID, which must be the parent process, is gone
  --help                print this and exit
  --version             print the version and exit

SIGTERM and SIGINT drain: open calls may finish for 5 seconds. The exit code is then 0; 2 is a mistake in the
flags, 1 any other failure.
)";

struct Options {
  enum class Action { kServe, kPrintHelp, kPrintVersion };

  Action action = Action::kServe;
  std::string tokenizer_path;
  std::string listen_address;
  int parent_pid = 0;  // 0: do not watch the parent
};

// Reads the arguments behind the program's name; `--flag value` and `--flag=value` are the same.
// INVALID_ARGUMENT tells the flag and what to do.
[[nodiscard]] absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments);

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_OPTIONS_H_
