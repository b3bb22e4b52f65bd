// AnswerFrames: one call over a plain socket, from the frame that names its method to its end.
#ifndef SIDECAR_SERVER_FRAME_CALL_H_
#define SIDECAR_SERVER_FRAME_CALL_H_

#include "absl/status/status.h"
#include "server/backend.h"
#include "server/frame_socket.h"

namespace triptych::server {

// Answers the caller, in this thread, until one of both has enough. OK where the caller is gone, or
// a drain ended the call; else the reason for which the connection must be closed. Reasons hold
// nothing of what the caller sent: they go to a log.
//
// The caller's first frame is the full method, of StreamEncode or StreamDecode, and is answered by
// an empty one. Each frame behind it is a request of that method, and is answered by its response.
[[nodiscard]] absl::Status AnswerFrames(FrameSocket& socket, Backend& backend);

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_FRAME_CALL_H_
