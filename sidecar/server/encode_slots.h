// EncodeSlots: how many texts are encoded at once.
#ifndef SIDECAR_SERVER_ENCODE_SLOTS_H_
#define SIDECAR_SERVER_ENCODE_SLOTS_H_

#include <condition_variable>
#include <mutex>

namespace triptych::server {

// gRPC gives each call a thread. Without a bound, a hundred long texts would share the processors
// with each other and with the decoders, which are wanted at once; with it the decoders share them
// with few.
//
// Thread-safe. std::mutex, because ThreadSanitizer does not see the locks of a distribution's absl.
class EncodeSlots {
 public:
  // REQUIRES: count is at least 1.
  explicit EncodeSlots(int count) : free_(count) {}

  // Holds a slot while it lives; waits for one when it is made.
  class Holder {
   public:
    // `slots` must outlive this object.
    explicit Holder(EncodeSlots& slots) : slots_(slots) {
      std::unique_lock lock(slots_.mutex_);
      slots_.has_free_.wait(lock, [this] { return slots_.free_ > 0; });
      --slots_.free_;
    }
    ~Holder() {
      {
        const std::lock_guard lock(slots_.mutex_);
        ++slots_.free_;
      }
      slots_.has_free_.notify_one();
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   private:
    EncodeSlots& slots_;
  };

 private:
  std::mutex mutex_;  // guards free_
  std::condition_variable has_free_;
  int free_;
};

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_ENCODE_SLOTS_H_
