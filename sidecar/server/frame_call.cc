#include "server/frame_call.h"

#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "server/decode_session.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;
using Frame = std::optional<std::string_view>;

constexpr std::string_view kStreamEncode = "/triptych.sidecar.v1.TokenizerService/StreamEncode";
constexpr std::string_view kStreamDecode = "/triptych.sidecar.v1.TokenizerService/StreamDecode";

absl::Status NoMethod() {
  return absl::UnimplementedError(
      base::StrCat("the first frame is neither ", kStreamEncode, " nor ", kStreamDecode));
}

// Answers messages by `answer`. `has_work` tells whether the caller will want to go on.
template <typename Request, typename Response>
absl::Status AnswerMessages(FrameSocket& socket, OpenCalls::Call& call, size_t max_bytes,
                            absl::FunctionRef<bool()> has_work,
                            absl::FunctionRef<absl::Status(const Request&, Response&)> answer) {
  // Both are used again for each message, so that their room is allocated once.
  Request request;
  Response response;
  while (!call.MustEnd(has_work())) {
    const absl::StatusOr<Frame> frame = socket.Read(max_bytes);
    if (!frame.ok()) return frame.status();
    if (!frame->has_value()) break;
    call.NoteBusy();
    if (!request.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) {
      return absl::InvalidArgumentError("a frame is no message of the method");
    }
    response.Clear();
    if (absl::Status answered = answer(request, response); !answered.ok()) return answered;
    const absl::StatusOr<bool> written = socket.Write(response, max_bytes);
    if (!written.ok()) return written.status();
    if (!*written) break;
  }
  return absl::OkStatus();
}

absl::Status AnswerEncode(FrameSocket& socket, OpenCalls::Call& call, Backend& backend) {
  return AnswerMessages<pb::StreamEncodeRequest, pb::StreamEncodeResponse>(
      socket, call, static_cast<size_t>(backend.limits.max_message_bytes), [] { return false; },
      [&backend](const auto& request, auto& response) {
        // Who hangs up is not noticed before the answer: a message is soon encoded.
        return backend.encoder.EncodeAll(request, response, [] { return false; });
      });
}

absl::Status AnswerDecode(FrameSocket& socket, OpenCalls::Call& call, Backend& backend) {
  DecodeSession session(backend.tokenizer, backend.limits.max_batch, backend.stream_count);
  return AnswerMessages<pb::StreamDecodeRequest, pb::StreamDecodeResponse>(
      socket, call, static_cast<size_t>(backend.limits.max_message_bytes),
      [&session] { return session.has_open_streams(); },
      [&session](const auto& request, auto& response) { return session.Run(request, response); });
}

}  // namespace

absl::Status AnswerFrames(FrameSocket& socket, Backend& backend) {
  OpenCalls::Call call(backend.calls, [&socket] { socket.EndReading(); });
  if (call.MustEnd(/*has_work=*/false)) return absl::OkStatus();
  const absl::StatusOr<Frame> first = socket.Read(kStreamEncode.size());
  if (!first.ok()) return NoMethod();
  if (!first->has_value()) return absl::OkStatus();
  const std::string_view method = **first;
  if (method != kStreamEncode && method != kStreamDecode) return NoMethod();
  const bool is_encode = method == kStreamEncode;  // the view ends with the next Read
  if (!socket.WriteEmpty()) return absl::OkStatus();
  return is_encode ? AnswerEncode(socket, call, backend) : AnswerDecode(socket, call, backend);
}

}  // namespace triptych::server
