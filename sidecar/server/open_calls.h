// OpenCalls: the streaming calls that are open, so that a drain can end those that wait for
// nothing.
#ifndef SIDECAR_SERVER_OPEN_CALLS_H_
#define SIDECAR_SERVER_OPEN_CALLS_H_

#include <functional>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace triptych::server {

// A caller keeps a streaming call open for as long as it lives. Without this class such a call
// would hold up every shutdown until the drain's time is over.
//
// Thread-safe. std::mutex, because ThreadSanitizer does not see the locks of a distribution's absl.
class OpenCalls {
 public:
  // One call, for as long as this object lives. Belongs to one thread.
  class Call {
   public:
    // `calls` must outlive this object. `end` ends the call's waiting for its caller; a drain calls
    // it, from a thread of its own, and never once this object is gone.
    Call(OpenCalls& calls, std::function<void()> end) : calls_(calls), end_(std::move(end)) {
      const std::lock_guard lock(calls_.mutex_);
      calls_.calls_.insert(this);
    }
    ~Call() {
      const std::lock_guard lock(calls_.mutex_);
      calls_.calls_.erase(this);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // Notes that the call is about to wait for its caller, and whether it has work that the caller
    // will want to finish (an open token stream). Returns whether the call must end instead.
    [[nodiscard]] bool MustEnd(bool has_work) {
      const std::lock_guard lock(calls_.mutex_);
      has_work_ = has_work;
      return calls_.is_draining_ && !has_work;
    }

    // Notes that the call works on a message, so that a drain lets it answer.
    void NoteBusy() {
      const std::lock_guard lock(calls_.mutex_);
      has_work_ = true;
    }

   private:
    friend class OpenCalls;

    OpenCalls& calls_;
    const std::function<void()> end_;
    bool has_work_ = true;  // guarded by the mutex of `calls_`
  };

  // Ends the calls that wait without work, now and as soon as the others have none.
  void BeginDrain() {
    const std::lock_guard lock(mutex_);
    is_draining_ = true;
    for (const Call* call : calls_) {
      if (!call->has_work_) call->end_();
    }
  }

  [[nodiscard]] bool is_draining() {
    const std::lock_guard lock(mutex_);
    return is_draining_;
  }

 private:
  std::mutex mutex_;  // guards all below
  bool is_draining_ = false;
  absl::flat_hash_set<Call*> calls_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_OPEN_CALLS_H_
