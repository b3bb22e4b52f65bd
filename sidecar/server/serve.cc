#include "server/serve.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>

#include "absl/status/statusor.h"
#include "base/str_cat.h"
#include "loader/tokenizer_loader.h"
#include "server/tokenizer_service.h"
#include "tokenizer/tokenizer.h"

namespace triptych::server {
namespace {

constexpr auto kDrainTime = std::chrono::seconds(5);
constexpr timespec kParentCheckInterval = {0, 500'000'000};
constexpr int kMaxMessageBytes = 1 << 30;  // a text may have 256 MiB, a batch several texts

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

std::unique_ptr<grpc::Server> Start(const Options& options, TokenizerService& service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen_address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.RegisterService(&service);
  return builder.BuildAndStart();
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
  absl::StatusOr<tokenizer::Tokenizer> tokenizer = loader::LoadTokenizer(options.tokenizer_path);
  if (!tokenizer.ok()) return tokenizer.status();

  TokenizerService service(*tokenizer);
  const std::unique_ptr<grpc::Server> server = Start(options, service);
  if (server == nullptr) {
    return absl::UnavailableError(base::StrCat("cannot listen on ", options.listen_address));
  }
  std::cerr << "triptych-tokenizer ready on " << options.listen_address << std::endl;
  WaitForStop(options);
  server->GetHealthCheckService()->SetServingStatus(false);
  service.BeginDrain();
  server->Shutdown(std::chrono::system_clock::now() + kDrainTime);
  return absl::OkStatus();
}

}  // namespace triptych::server
