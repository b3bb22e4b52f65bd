// FrameSocket: frames over a connected socket. A frame is its size, 4 bytes with the highest first,
// and so many bytes.
#ifndef SIDECAR_SERVER_FRAME_SOCKET_H_
#define SIDECAR_SERVER_FRAME_SOCKET_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"

namespace triptych::server {

// Blocks. Not thread-safe, but for EndReading.
class FrameSocket {
 public:
  // Owns `fd`, a blocking stream socket.
  explicit FrameSocket(int fd) : fd_(fd) {}
  ~FrameSocket();
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  // Waits for a frame; nothing where the caller is gone, also in the middle of a frame. The bytes
  // are valid until the next call. Fails with RESOURCE_EXHAUSTED, as soon as its size has come,
  // where the frame is larger than `max_bytes`. Memory grows with what has arrived, not with what
  // was announced.
  [[nodiscard]] absl::StatusOr<std::optional<std::string_view>> Read(size_t max_bytes);

  // Sends `message` as a frame; false where the caller is gone. Fails with RESOURCE_EXHAUSTED,
  // before anything is sent, where it is larger than `max_bytes`.
  [[nodiscard]] absl::StatusOr<bool> Write(const google::protobuf::MessageLite& message,
                                           size_t max_bytes);

  // Sends a frame of no bytes; false where the caller is gone.
  [[nodiscard]] bool WriteEmpty();

  // Lets this and every later Read find the caller gone, once it has taken what has arrived whole.
  // Thread-safe.
  void EndReading();

 private:
  // Receives what there is, once, into room that it makes; false where the caller is gone.
  bool Receive(size_t frame_bytes);
  bool Send(size_t size);

  const int fd_;
  // What was received lies from begin_ to end_. Both vectors only hold room, and are kept.
  std::vector<char> received_;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::vector<char> sent_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_FRAME_SOCKET_H_
