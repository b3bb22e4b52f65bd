// OpenCalls: the streaming calls that are open, so that a drain can end those that wait for
// nothing.
#ifndef SIDECAR_SERVER_OPEN_CALLS_H_
#define SIDECAR_SERVER_OPEN_CALLS_H_

#include <grpcpp/grpcpp.h>

#include <mutex>

#include "absl/container/flat_hash_map.h"

namespace triptych::server {

// A caller keeps a streaming call open for as long as it lives. Without this class such a call
// would hold up every shutdown until the drain's time is over.
//
// Thread-safe. std::mutex, because ThreadSanitizer does not see the locks of a distribution's absl.
class OpenCalls {
 public:
  // Notes that the call is about to wait for its caller, and whether it has work that the caller
  // will want to finish (an open token stream). Returns whether the call must end instead.
  [[nodiscard]] bool MustEnd(grpc::ServerContext* context, bool has_work);

  // Notes that the call works on a message, so that a drain lets it answer.
  void NoteBusy(grpc::ServerContext* context);

  // The call has ended. `context` is not used afterwards.
  void Forget(grpc::ServerContext* context);

  // Ends the calls that wait without work, now and as soon as the others have none.
  void BeginDrain();

  // What a call that ends is answered: UNAVAILABLE while draining, else OK.
  [[nodiscard]] grpc::Status EndStatus();

 private:
  std::mutex mutex_;  // guards all below
  bool is_draining_ = false;
  absl::flat_hash_map<grpc::ServerContext*, bool> has_work_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_OPEN_CALLS_H_
