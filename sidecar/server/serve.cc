#include "server/serve.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "loader/tokenizer_loader.h"
#include "server/backend.h"
#include "server/frame_server.h"
#include "server/tokenizer_service.h"
#include "tokenizer/tokenizer.h"

namespace triptych::server {
namespace {

constexpr auto kDrainTime = std::chrono::seconds(5);
// Threads of the quota that wait for the next call, beside those that have one.
constexpr int kOwnThreads = 4;
constexpr timespec kParentCheckInterval = {0, 500'000'000};

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

bool ParentIsGone(const Options& options) {
  return options.parent_pid != 0 && getppid() != options.parent_pid;
}

void WaitForStop(const Options& options) {
  const sigset_t signals = StopSignals();
  while (!ParentIsGone(options)) {
    if (sigtimedwait(&signals, nullptr, &kParentCheckInterval) > 0) return;
  }
}

// `port` becomes the port that was taken, where the address is HOST:PORT.
std::unique_ptr<grpc::Server> Start(const Options& options, TokenizerService& service, int& port) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen_address, grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(options.limits.max_message_bytes);
  builder.SetMaxSendMessageSize(options.limits.max_message_bytes);
  grpc::ResourceQuota quota("triptych-tokenizer");
  quota.SetMaxThreads(options.limits.max_calls + kOwnThreads);
  builder.SetResourceQuota(quota);
  // The probe answers every message with a ping, to find out how fast a network is. It doubles the
  // cost of a message; a Unix socket has no such thing to be found out.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.RegisterService(&service);
  return builder.BuildAndStart();
}

std::string ListenedAddress(const std::string& asked, int port) {
  if (asked.starts_with("unix:")) return asked;
  return base::StrCat(asked.substr(0, asked.rfind(':')), ":", port);
}

// Nothing where no local socket is asked for.
absl::StatusOr<std::unique_ptr<FrameServer>> ListenForFrames(const Options& options,
                                                             Backend& backend) {
  if (options.local_socket.empty()) return nullptr;
  return FrameServer::Listen(options.local_socket, backend);
}

// Lets calls finish until `kDrainTime` is over. `frames` may be null.
void Drain(grpc::Server& server, FrameServer* frames, Backend& backend) {
  const auto deadline = std::chrono::system_clock::now() + kDrainTime;
  server.GetHealthCheckService()->SetServingStatus(false);
  if (frames != nullptr) frames->StopListening();
  backend.calls.BeginDrain();
  server.Shutdown(deadline);
  if (frames != nullptr) frames->WaitUntilEnded(deadline);
}

Limits Filled(Limits limits) {
  if (limits.threads == 0) limits.threads = std::max(1U, std::thread::hardware_concurrency());
  return limits;
}

}  // namespace

absl::Status Serve(const Options& options) {
  const sigset_t signals = StopSignals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (options.parent_pid != 0) prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (ParentIsGone(options)) {
    return absl::FailedPreconditionError(
        base::StrCat("--parent-death: the process ", options.parent_pid, " is not our parent"));
  }
  absl::StatusOr<tokenizer::Tokenizer> tokenizer =
      loader::LoadTokenizer(options.model_path, options.load);
  if (!tokenizer.ok()) return tokenizer.status();

  Backend backend(*tokenizer, Filled(options.limits));
  absl::StatusOr<std::unique_ptr<FrameServer>> frames = ListenForFrames(options, backend);
  if (!frames.ok()) return frames.status();
  TokenizerService service(backend);
  int port = 0;
  const std::unique_ptr<grpc::Server> server = Start(options, service, port);
  if (server == nullptr) {
    return absl::UnavailableError(base::StrCat("cannot listen on ", options.listen_address));
  }
  if (*frames != nullptr) {
    if (absl::Status started = (*frames)->Start(); !started.ok()) return started;
  }
  std::cerr << "triptych-tokenizer ready on " << ListenedAddress(options.listen_address, port)
            << std::endl;
  WaitForStop(options);
  Drain(*server, frames->get(), backend);
  // All calls have ended, but for those over the local socket that had more to do than there was
  // time, whose threads go on. All gRPC connections are closed. To destroy gRPC as well takes ten
  // seconds where large answers woke the poller that finishes their writes. Its threads still hold
  // what was made here, so nothing of it is destroyed: it ends with the process.
  std::quick_exit(0);
}

}  // namespace triptych::server
