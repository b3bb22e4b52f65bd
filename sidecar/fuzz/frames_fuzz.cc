// The local socket: any bytes as what one connection sends. What comes back must be whole frames,
// one answer for each request that was whole, and each a message of the method's type.
//
// Input: the sample's letter; the bytes.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "fuzz/sample_tokenizers.h"
#include "server/backend.h"
#include "server/frame_call.h"
#include "server/frame_socket.h"
#include "server/limits.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::fuzz {
namespace {

namespace pb = sidecar::v1;

constexpr size_t kHeadBytes = 4;
constexpr int kMaxMessageBytes = 200'000;

server::Limits SmallLimits() {
  server::Limits limits;
  limits.max_text_bytes = 2'000;
  limits.max_batch = 8;
  limits.max_message_bytes = kMaxMessageBytes;
  limits.max_streams = 5;
  limits.threads = 1;
  return limits;
}

server::Backend& BackendOf(const SampleTokenizer& sample) {
  static auto& backends = *new std::map<std::string, server::Backend>();
  return backends.try_emplace(sample.name, sample.tokenizer, SmallLimits()).first->second;
}

// The frames at the beginning of `bytes` that are whole and not too large; `rest` becomes what is
// behind them.
std::vector<std::string_view> FramesOf(std::string_view bytes, std::string_view& rest) {
  std::vector<std::string_view> frames;
  while (bytes.size() >= kHeadBytes) {
    size_t size = 0;
    for (const char byte : bytes.substr(0, kHeadBytes)) {
      size = size << 8 | static_cast<uint8_t>(byte);
    }
    if (size > kMaxMessageBytes || size > bytes.size() - kHeadBytes) break;
    frames.push_back(bytes.substr(kHeadBytes, size));
    bytes.remove_prefix(kHeadBytes + size);
  }
  rest = bytes;
  return frames;
}

std::string ReceiveAll(int fd) {
  std::string received;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;  // libFuzzer's alarm
    if (size <= 0) return received;
    received.append(buffer.data(), static_cast<size_t>(size));
  }
}

// Sends `bytes` and hangs up; returns what came back.
std::string Converse(server::Backend& backend, std::string_view bytes, absl::Status& ended) {
  std::array<int, 2> pair = {-1, -1};
  Require(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0, "there is a pair of sockets");
  Require(::send(pair[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(bytes.size()),
          "the kernel holds all of the input");
  ::shutdown(pair[0], SHUT_WR);
  std::thread server([&backend, &ended, fd = pair[1]] {
    server::FrameSocket socket(fd);
    ended = server::AnswerFrames(socket, backend);
  });
  const std::string answers = ReceiveAll(pair[0]);
  server.join();
  ::close(pair[0]);
  return answers;
}

template <typename Message>
Message Parsed(std::string_view bytes) {
  Message message;
  Require(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
          "what is answered, and the answer, are messages of the method");
  return message;
}

void CheckEncoded(std::string_view asked, std::string_view answered) {
  const auto request = Parsed<pb::StreamEncodeRequest>(asked);
  const auto response = Parsed<pb::StreamEncodeResponse>(answered);
  Require(response.results_size() == request.requests_size(), "each text has its result");
}

void CheckDecoded(std::string_view asked, std::string_view answered) {
  const auto request = Parsed<pb::StreamDecodeRequest>(asked);
  const auto response = Parsed<pb::StreamDecodeResponse>(answered);
  Require(response.results_size() == request.operations_size(), "each operation has its result");
  Require(
      response.texts().pieces_size() == request.appends().stream_ids_size() + request.closes_size(),
      "each append and each close has its text");
}

void Run(ByteSource source) {
  server::Backend& backend = BackendOf(ChooseSample(source.TakeByte()));
  const std::string_view sent = source.TakeRest();
  absl::Status ended;
  const std::string received = Converse(backend, sent, ended);
  std::string_view rest;
  const std::vector<std::string_view> asked = FramesOf(sent, rest);
  const std::vector<std::string_view> answered = FramesOf(received, rest);
  Require(rest.empty(), "only whole frames come back");
  Require(ended.ok() ? answered.size() == asked.size() : answered.size() <= asked.size(),
          "each whole frame is answered, or the connection is closed for a reason");
  for (size_t i = 1; i < answered.size(); ++i) {
    asked[0].ends_with("StreamEncode") ? CheckEncoded(asked[i], answered[i])
                                       : CheckDecoded(asked[i], answered[i]);
  }
  Require(answered.empty() || answered[0].empty(), "the method is answered by nothing");
  Require(backend.stream_count.open == 0, "no stream outlives its connection");
}

}  // namespace
}  // namespace triptych::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
