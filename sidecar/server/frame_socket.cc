#include "server/frame_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/str_cat.h"

namespace triptych::server {
namespace {

constexpr size_t kHeadBytes = 4;
// Nearly every message fits, so that one call of the kernel gets it whole.
constexpr size_t kUsualBytes = 64 << 10;
// Room above this is given back behind the message that needed it.
constexpr size_t kKeptBytes = 1 << 20;

size_t SizeIn(const char* head) {
  size_t size = 0;
  for (size_t i = 0; i < kHeadBytes; ++i) size = size << 8 | static_cast<uint8_t>(head[i]);
  return size;
}

void PutSize(size_t size, char* head) {
  for (size_t i = 0; i < kHeadBytes; ++i) {
    head[i] = static_cast<char>(size >> 8 * (kHeadBytes - 1 - i));
  }
}

absl::Status CheckSize(size_t size, size_t max_bytes) {
  if (size <= max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(base::StrCat("a frame of ", size,
                                                   " bytes is larger than the ", max_bytes,
                                                   " that --max-message-bytes allows"));
}

void MakeRoom(size_t size, std::vector<char>& room) {
  if (room.size() < size) room.resize(size);
}

void GiveBack(std::vector<char>& room) {
  if (room.size() > kKeptBytes) room = {};
}

}  // namespace

FrameSocket::~FrameSocket() { ::close(fd_); }

absl::StatusOr<std::optional<std::string_view>> FrameSocket::Read(size_t max_bytes) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    GiveBack(received_);
  }
  size_t frame_bytes = kHeadBytes;
  while (true) {
    if (end_ - begin_ >= kHeadBytes) {
      const size_t size = SizeIn(received_.data() + begin_);
      if (absl::Status checked = CheckSize(size, max_bytes); !checked.ok()) return checked;
      frame_bytes = kHeadBytes + size;
    }
    if (end_ - begin_ >= frame_bytes) break;
    if (!Receive(frame_bytes)) return std::nullopt;
  }
  const std::string_view frame(received_.data() + begin_ + kHeadBytes, frame_bytes - kHeadBytes);
  begin_ += frame_bytes;
  return frame;
}

bool FrameSocket::Receive(size_t frame_bytes) {
  if (begin_ > 0) {
    std::memmove(received_.data(), received_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Room for the rest of the frame, but for no more than there is already once more.
  MakeRoom(std::max(kUsualBytes, std::min(frame_bytes, 2 * end_)), received_);
  // poll, because it sleeps until there is something to read. A blocking recv is also woken when
  // the caller has read an answer: for nothing, and at the cost of both.
  pollfd readable = {.fd = fd_, .events = POLLIN, .revents = 0};
  ssize_t got = 0;
  do {
    got = ::poll(&readable, 1, -1) < 0
              ? -1
              : ::recv(fd_, received_.data() + end_, received_.size() - end_, 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  end_ += static_cast<size_t>(got);
  return true;
}

absl::StatusOr<bool> FrameSocket::Write(const google::protobuf::MessageLite& message,
                                        size_t max_bytes) {
  const size_t size = message.ByteSizeLong();
  if (absl::Status checked = CheckSize(size, max_bytes); !checked.ok()) return checked;
  MakeRoom(kHeadBytes + size, sent_);
  PutSize(size, sent_.data());
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(sent_.data() + kHeadBytes));
  const bool is_sent = Send(kHeadBytes + size);
  GiveBack(sent_);
  return is_sent;
}

bool FrameSocket::WriteEmpty() {
  MakeRoom(kHeadBytes, sent_);
  PutSize(0, sent_.data());
  return Send(kHeadBytes);
}

void FrameSocket::EndReading() { ::shutdown(fd_, SHUT_RD); }

bool FrameSocket::Send(size_t size) {
  const char* rest = sent_.data();
  while (size > 0) {
    const ssize_t sent = ::send(fd_, rest, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    rest += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace triptych::server
