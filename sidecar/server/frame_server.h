// FrameServer: StreamEncode and StreamDecode over a plain Unix socket, for a caller on the same
// machine. gRPC's own part of a message costs more than what the message asks for, on both sides;
// here a message is one receive and one send, by a thread that does nothing else.
//
// What is sent is told in docs/tokenizer.md; why there is a second way to call, in
// docs/adr/0006-frames-for-two-calls.md.
// Tested by tests/unit/tokenizer/test_frame_server.py and fuzz/frames_fuzz.cc.
#ifndef SIDECAR_SERVER_FRAME_SERVER_H_
#define SIDECAR_SERVER_FRAME_SERVER_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/backend.h"

namespace triptych::server {

// Each connection has a thread; what is wrong with one is a line on stderr. At most --max-calls
// are open.
//
// Thread-safe. std::mutex, because ThreadSanitizer does not see the locks of a distribution's absl.
class FrameServer {
 public:
  // Takes the path, for the owner of this process alone; a socket that an earlier one left there
  // goes. Who connects waits until Start. `backend` must outlive this object.
  // REQUIRES: the path is at most kMaxSocketPathBytes long.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<FrameServer>> Listen(const std::string& path,
                                                                           Backend& backend);

  // Leaves the path. REQUIRES: Start has not been called; its threads end with the process only.
  ~FrameServer();
  FrameServer(const FrameServer&) = delete;
  FrameServer& operator=(const FrameServer&) = delete;

  // Takes callers from now on. REQUIRES: called at most once.
  [[nodiscard]] absl::Status Start();

  // Leaves the path and takes no more callers. Those that are here end by the backend's drain.
  void StopListening();

  // Returns when all connections have ended, or at `deadline`.
  void WaitUntilEnded(std::chrono::system_clock::time_point deadline);

 private:
  FrameServer(int fd, std::string path, Backend& backend)
      : fd_(fd), path_(std::move(path)), backend_(backend) {}

  void TakeCallers();
  void TakeCaller(int fd);
  void Answer(int fd);
  bool MayConnect();
  void ForgetConnection();

  const int fd_;
  const std::string path_;
  Backend& backend_;
  std::mutex mutex_;  // guards connections_
  std::condition_variable has_ended_;
  int connections_ = 0;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_FRAME_SERVER_H_
