#include "server/open_calls.h"

namespace triptych::server {

bool OpenCalls::MustEnd(grpc::ServerContext* context, bool has_work) {
  const std::lock_guard lock(mutex_);
  has_work_[context] = has_work;
  return is_draining_ && !has_work;
}

void OpenCalls::NoteBusy(grpc::ServerContext* context) {
  const std::lock_guard lock(mutex_);
  has_work_[context] = true;
}

void OpenCalls::Forget(grpc::ServerContext* context) {
  const std::lock_guard lock(mutex_);
  has_work_.erase(context);
}

void OpenCalls::BeginDrain() {
  const std::lock_guard lock(mutex_);
  is_draining_ = true;
  for (const auto& [context, has_work] : has_work_) {
    if (!has_work) context->TryCancel();
  }
}

grpc::Status OpenCalls::EndStatus() {
  const std::lock_guard lock(mutex_);
  return is_draining_ ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the sidecar is shutting down")
                      : grpc::Status::OK;
}

}  // namespace triptych::server
