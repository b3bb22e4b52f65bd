// Serve: the life of the process, from the loaded tokenizer to the exit.
#ifndef SIDECAR_SERVER_SERVE_H_
#define SIDECAR_SERVER_SERVE_H_

#include "absl/status/status.h"
#include "server/options.h"

namespace triptych::server {

// Loads the tokenizer, serves until SIGTERM, SIGINT or the parent's death, drains and ends the
// process with exit code 0. Returns only where it could not serve, with the reason. Writes one
// line, "triptych-tokenizer ready on ...", to stderr once it serves.
//
// The parent's death is noticed in two ways: the kernel's signal, which comes at once but is bound
// to the thread that started us, and a look at our parent's id twice a second, which is bound to
// nothing.
//
// REQUIRES: called once, by the main thread, before any other thread exists: it blocks the signals
// that it waits for, in all threads to come.
[[nodiscard]] absl::Status Serve(const Options& options);

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_SERVE_H_
