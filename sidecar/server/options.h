// Options: the command line of triptych-tokenizer.
#ifndef SIDECAR_SERVER_OPTIONS_H_
#define SIDECAR_SERVER_OPTIONS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "loader/load_options.h"
#include "server/limits.h"

namespace triptych::server {

inline constexpr std::string_view kUsage =
    R"(usage: triptych-tokenizer --model PATH --listen ADDRESS [flags]

Serves triptych.sidecar.v1.TokenizerService for one tokenizer, with health and reflection.

  --model PATH             a tokenizer.json, or a directory that has one; also written --tokenizer
  --listen ADDRESS         unix:PATH, or HOST:PORT; port 0 takes a free one. There is no encryption
                           and no password: whoever reaches the address may call
  --local-socket PATH      serves StreamEncode and StreamDecode also on this Unix socket, without gRPC and
                           at a fraction of its cost, for a caller on the same machine; only the owner of
                           this process may connect

  --tokenizers-series S    0.23 or 1.0: the series of Hugging Face tokenizers whose ids are wanted.
                           They differ in the normal forms of characters younger than Unicode 9 (0.23)

limits
  --max-text-bytes N       bytes of one text (67108864)
  --max-batch N            texts in one message (4096)
  --max-message-bytes N    bytes of one message, in or out (268435456)
  --max-streams N          token streams open at once, over all calls (65536)
  --max-calls N            calls open at once, on each of the two sockets; each has a thread (256)
  --threads N              texts encoded at once; others wait (one for each processor)

  --parent-death PID       exit when PID, which must be the parent process, is gone
  --help                   print this and exit
  --version                print the version and exit

Writes "triptych-tokenizer ready on ADDRESS" to stderr when it serves. SIGTERM and SIGINT drain: open calls
may finish for 5 seconds. The exit code is then 0; 2 is a mistake in the flags, 1 any other failure.
)";

inline constexpr size_t kMaxSocketPathBytes = 107;  // sockaddr_un.sun_path, less its closing zero

struct Options {
  enum class Action { kServe, kPrintHelp, kPrintVersion };

  Action action = Action::kServe;
  std::string model_path;
  std::string listen_address;
  std::string local_socket;  // empty: none
  loader::LoadOptions load;
  Limits limits;
  int parent_pid = 0;  // 0: do not watch the parent
};

// Reads the arguments behind the program's name; `--flag value` and `--flag=value` are the same,
// and of a flag that comes twice the last value counts. INVALID_ARGUMENT tells the flag and what to
// do.
[[nodiscard]] absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments);

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_OPTIONS_H_
