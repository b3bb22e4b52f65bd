// The rpcs: any bytes as the message of each, or as the messages of a stream, through gRPC itself
// and a Unix socket. (gRPC's transport within a process keeps the memory of each call.)
//
// Input: the sample's letter; the number of the rpc; for a stream before each message its size in
// two bytes; the message, as protobuf writes it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/str_cat.h"
#include "fuzz/byte_source.h"
#include "fuzz/require.h"
#include "fuzz/sample_tokenizers.h"
#include "server/backend.h"
#include "server/limits.h"
#include "server/tokenizer_service.h"

namespace triptych::fuzz {
namespace {

constexpr auto kPatience = std::chrono::seconds(15);
constexpr size_t kMaxMessages = 8;

struct Rpc {
  std::string_view name;
  bool is_stream;
};

constexpr Rpc kRpcs[] = {{"Encode", false},      {"EncodeBatch", false}, {"Decode", false},
                         {"StreamDecode", true}, {"StreamEncode", true}, {"GetInfo", false}};

// A server of one sample, and a client. Lives as long as the process: gRPC's threads outlive main.
class Server {
 public:
  explicit Server(const SampleTokenizer& sample)
      : backend_(sample.tokenizer, SmallLimits()), service_(backend_) {
    const std::string address =
        base::StrCat("unix-abstract:triptych_fuzz_", ::getpid(), "_", sample.name);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
    server_ = builder.BuildAndStart();
    Require(server_ != nullptr, "the server starts");
    const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    stub_ = std::make_unique<grpc::GenericStub>(channel);
  }

  grpc::GenericStub& stub() { return *stub_; }

 private:
  static server::Limits SmallLimits() {
    server::Limits limits;
    limits.max_text_bytes = 2'000;
    limits.max_batch = 8;
    limits.max_streams = 5;
    limits.threads = 1;
    return limits;
  }

  server::Backend backend_;
  server::TokenizerService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

Server& ServerOf(const SampleTokenizer& sample) {
  static auto& servers = *new std::map<std::string, Server>();
  return servers.try_emplace(sample.name, sample).first->second;
}

grpc::ByteBuffer ToBuffer(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

// Waits for the one thing that was started.
bool Done(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  Require(queue.Next(&tag, &ok), "what was started ends");
  return ok;
}

// A failure is the caller's: never one of ours, and never silence. INTERNAL is gRPC's word for a
// message that is no protobuf.
void RequireCallersFault(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::INTERNAL:
      return;
    default:
      Require(false, base::StrCat("status ", static_cast<int>(status.error_code()), ": ",
                                  status.error_message()));
  }
}

void Call(grpc::GenericStub& stub, const std::string& method, std::string_view message) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, ToBuffer(message), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  Done(queue);
  RequireCallersFault(status);
}

void CallStream(grpc::GenericStub& stub, const std::string& method, ByteSource source) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  bool open = Done(queue);
  for (size_t i = 0; open && i < kMaxMessages && !source.empty(); ++i) {
    const uint16_t size = source.TakeNumber();
    call->Write(ToBuffer(source.TakeText(size)), nullptr);
    if (!Done(queue)) break;
    grpc::ByteBuffer response;
    call->Read(&response, nullptr);
    open = Done(queue);
  }
  if (open) {
    call->WritesDone(nullptr);
    Done(queue);
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  Done(queue);
  RequireCallersFault(status);
  Require(status.ok() || !open, "a stream in which each message was answered ends with OK");
}

void Run(ByteSource source) {
  Server& server = ServerOf(ChooseSample(source.TakeByte()));
  const Rpc& rpc = kRpcs[source.TakeByte() % std::size(kRpcs)];
  const std::string method = base::StrCat("/triptych.sidecar.v1.TokenizerService/", rpc.name);
  if (rpc.is_stream) {
    CallStream(server.stub(), method, source);
  } else {
    Call(server.stub(), method, source.TakeRest());
  }
}

}  // namespace
}  // namespace triptych::fuzz

// The servers outlive the process's end, and so do their threads. A thread that gRPC starts for its
// timers may end just then: of what it holds only gRPC's own frames are known. What is ours is made
// by `new`, and looked for.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:grpc::ThreadManager\n"
         "leak:grpc_core::Thread::Thread\n"
         "leak:gpr_malloc\n";
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  triptych::fuzz::Run(triptych::fuzz::ByteSource(data, size));
  return 0;
}
