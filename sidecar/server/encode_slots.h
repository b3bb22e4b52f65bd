// EncodeSlots: how many texts are encoded at once.
#ifndef SIDECAR_SERVER_ENCODE_SLOTS_H_
#define SIDECAR_SERVER_ENCODE_SLOTS_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace triptych::server {

// gRPC gives each call a thread. Without a bound, a hundred long texts would share the processors
// with each other and with the decoders, which are wanted at once; with it the decoders find a
// processor that is their own or shared with few.
//
// Thread-safe.
class EncodeSlots {
 public:
  // REQUIRES: count is at least 1.
  explicit EncodeSlots(int count) : free_(count) {}

  // Holds a slot while it lives; waits for one when it is made.
  class Holder {
   public:
    // `slots` must outlive this object.
    explicit Holder(EncodeSlots& slots) : slots_(slots) {
      absl::MutexLock lock(&slots_.mutex_, absl::Condition(&HasFree, &slots_));
      --slots_.free_;
    }
    ~Holder() {
      absl::MutexLock lock(&slots_.mutex_);
      ++slots_.free_;
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   private:
    EncodeSlots& slots_;
  };

 private:
  static bool HasFree(EncodeSlots* slots) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return slots->free_ > 0;
  }

  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_ENCODE_SLOTS_H_
