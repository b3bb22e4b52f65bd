#include "server/frame_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <iostream>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/str_cat.h"
#include "server/frame_call.h"
#include "server/frame_socket.h"

namespace triptych::server {
namespace {

constexpr mode_t kOwnerOnly = 0600;
// Until there may be a free file descriptor again.
constexpr auto kPause = std::chrono::milliseconds(10);

void Tell(std::string_view what) {
  // One write, so that the lines of two threads do not mix.
  std::cerr << base::StrCat("triptych-tokenizer: --local-socket: ", what, "\n") << std::flush;
}

// False where the system has no more threads.
bool StartThread(std::function<void()> work) {
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void RemoveSocket(const std::string& path) {
  struct stat found = {};
  if (::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
}

bool Bind(int fd, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  // Linux gives the file the mode of the socket, less the umask: it is never open to others.
  return ::fchmod(fd, kOwnerOnly) == 0 &&
         ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrameServer>> FrameServer::Listen(const std::string& path,
                                                                 Backend& backend) {
  RemoveSocket(path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || !Bind(fd, path) || ::listen(fd, SOMAXCONN) != 0) {
    const std::string reason = std::generic_category().message(errno);
    if (fd >= 0) ::close(fd);
    return absl::UnavailableError(
        base::StrCat("--local-socket: cannot listen on ", path, ": ", reason));
  }
  return std::unique_ptr<FrameServer>(new FrameServer(fd, path, backend));
}

FrameServer::~FrameServer() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

absl::Status FrameServer::Start() {
  if (StartThread([this] { TakeCallers(); })) return absl::OkStatus();
  return absl::ResourceExhaustedError("--local-socket: no thread can be started");
}

void FrameServer::StopListening() {
  ::unlink(path_.c_str());
  ::shutdown(fd_, SHUT_RDWR);
}

void FrameServer::WaitUntilEnded(std::chrono::system_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  has_ended_.wait_until(lock, deadline, [this] { return connections_ == 0; });
}

void FrameServer::TakeCallers() {
  while (true) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      TakeCaller(fd);
    } else if (errno == EINVAL) {  // StopListening
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      std::this_thread::sleep_for(kPause);
    }
  }
}

void FrameServer::TakeCaller(int fd) {
  if (!MayConnect()) {
    Tell(base::StrCat("a caller was sent away: ", backend_.limits.max_calls,
                      " connections are open, more than which --max-calls does not allow"));
    ::close(fd);
    return;
  }
  if (StartThread([this, fd] { Answer(fd); })) return;
  Tell("a caller was sent away: no thread can be started");
  ::close(fd);
  ForgetConnection();
}

void FrameServer::Answer(int fd) {
  absl::Status answered;
  {
    FrameSocket socket(fd);
    answered = AnswerFrames(socket, backend_);
  }
  if (!answered.ok()) Tell(base::StrCat("closed a connection: ", base::MessageOf(answered)));
  ForgetConnection();
}

bool FrameServer::MayConnect() {
  const std::lock_guard lock(mutex_);
  if (connections_ == backend_.limits.max_calls) return false;
  ++connections_;
  return true;
}

void FrameServer::ForgetConnection() {
  const std::lock_guard lock(mutex_);
  --connections_;
  has_ended_.notify_all();
}

}  // namespace triptych::server
