// HugeArray: an array of zeroes in huge pages, for tables that are read all over. With small pages
// nearly every read of one of several MB would miss the TLB as well as the cache.
#ifndef SIDECAR_BASE_HUGE_ARRAY_H_
#define SIDECAR_BASE_HUGE_ARRAY_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace triptych::base {

// For types whose zero bytes are a value, and that need no destructor. Throws std::bad_alloc.
template <typename T>
class HugeArray {
 public:
  explicit HugeArray(size_t size) : size_(size), items_(Map(size * sizeof(T))) {
    static_assert(std::is_trivially_destructible_v<T>);
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] T& operator[](size_t at) { return items_.get()[at]; }
  [[nodiscard]] const T& operator[](size_t at) const { return items_.get()[at]; }

 private:
  static constexpr size_t kHugePage = size_t{2} << 20;

  struct Unmap {
    size_t bytes = 0;
    void operator()(T* items) const { munmap(items, bytes); }
  };

  static std::unique_ptr<T, Unmap> Map(size_t bytes) {
    // Only what is aligned to huge pages can be one; what is in front of it and behind goes back.
    const size_t kept = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* const mapped =
        mmap(nullptr, kept + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    char* const first = static_cast<char*>(mapped);
    const size_t before = -reinterpret_cast<uintptr_t>(first) % kHugePage;
    if (before > 0) munmap(first, before);
    munmap(first + before + kept, kHugePage - before);
    madvise(first + before, kept, MADV_HUGEPAGE);
    std::memset(first + before, 0, bytes);  // now, not when the first words come
    return std::unique_ptr<T, Unmap>(reinterpret_cast<T*>(first + before), Unmap{kept});
  }

  size_t size_;
  std::unique_ptr<T, Unmap> items_;
};

}  // namespace triptych::base

#endif  // SIDECAR_BASE_HUGE_ARRAY_H_
