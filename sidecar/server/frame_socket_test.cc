#include "server/frame_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {
namespace {

constexpr size_t kMaxBytes = 64 << 20;

std::string Framed(std::string_view message) {
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(message.size() >> shift);
  }
  return frame.append(message);
}

// A FrameSocket and its caller's end.
class FrameSocketTest : public testing::Test {
 protected:
  ~FrameSocketTest() override { HangUp(); }

  // From another thread, for the kernel holds little.
  void Send(const std::vector<std::string>& pieces) {
    sender_ = std::thread([this, pieces] {
      for (const std::string& piece : pieces) {
        for (size_t sent = 0; sent < piece.size();) {
          const ssize_t size =
              ::send(caller_, piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
          if (size < 0) return;
          sent += static_cast<size_t>(size);
        }
      }
      ::shutdown(caller_, SHUT_WR);
    });
  }

  void HangUp() {
    if (sender_.joinable()) sender_.join();
    if (caller_ >= 0) ::close(caller_);
    caller_ = -1;
  }

  // All frames until the caller is gone.
  std::vector<std::string> ReadAll() {
    std::vector<std::string> frames;
    while (true) {
      const auto frame = socket_.Read(kMaxBytes);
      if (!frame.ok() || !frame->has_value()) return frames;
      frames.emplace_back(**frame);
    }
  }

  std::array<int, 2> pair_ = [] {
    std::array<int, 2> pair = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    return pair;
  }();
  int caller_ = pair_[0];
  FrameSocket socket_{pair_[1]};
  std::thread sender_;
};

TEST_F(FrameSocketTest, FramesAreReadWhereverTheyAreCut) {
  const std::vector<std::string> messages = {"", "hello", std::string(3'000'000, 'x'),
                                             "", "end",   std::string(70'000, 'y')};
  std::string all;
  for (const std::string& message : messages) all += Framed(message);
  std::vector<std::string> pieces;
  for (size_t begin = 0, size = 1; begin < all.size(); begin += size, size = size * 3 / 2 + 1) {
    pieces.push_back(all.substr(begin, size));
  }
  Send(pieces);
  EXPECT_EQ(ReadAll(), messages);
}

TEST_F(FrameSocketTest, TheBeginningOfAFrameBehindAnotherIsNoFrame) {
  const std::string large(1'000'000, 'x');
  Send({Framed("a") + Framed(large) + Framed("b") + Framed(large) + Framed("c").substr(0, 4)});
  EXPECT_EQ(ReadAll(), (std::vector<std::string>{"a", large, "b", large}));
}

TEST_F(FrameSocketTest, AFrameThatIsTooLargeIsRefusedBeforeItHasCome) {
  Send({Framed("12345678"), Framed("123456789").substr(0, 4)});
  EXPECT_EQ(**socket_.Read(8), "12345678");
  EXPECT_EQ(socket_.Read(8).status().message(),
            "a frame of 9 bytes is larger than the 8 that --max-message-bytes allows");
}

TEST_F(FrameSocketTest, EndReadingEndsAReadThatWaits) {
  std::thread ender([this] { socket_.EndReading(); });
  EXPECT_EQ(*socket_.Read(8), std::nullopt);
  ender.join();
}

TEST_F(FrameSocketTest, AMessageThatIsTooLargeIsNotSent) {
  sidecar::v1::DecodeResponse message;
  message.set_text("1234567");
  EXPECT_EQ(socket_.Write(message, 8).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(*socket_.Write(message, 9));
  std::string received(100, '\0');
  received.resize(static_cast<size_t>(::recv(caller_, received.data(), received.size(), 0)));
  EXPECT_EQ(received, Framed("\x0a\x07"
                             "1234567"));
}

TEST_F(FrameSocketTest, ACallerThatIsGoneTakesNothing) {
  HangUp();
  EXPECT_FALSE(socket_.WriteEmpty());
  EXPECT_EQ(*socket_.Read(8), std::nullopt);
}

}  // namespace
}  // namespace triptych::server
