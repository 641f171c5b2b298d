#include "command_line/heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace irplan::command {
namespace {

thread_local size_t missing = 0;

// Small blocks of one thread, one after another out of one piece of memory. What is given back serves the
// next block of its size.
class Pool {
 public:
  void open(std::byte* begin, size_t bytes) { begin_ = at_ = begin, end_ = begin + bytes; }

  // Null where it has none.
  void* take(size_t bytes) {
    const size_t units = (bytes + kUnit - 1) / kUnit;
    if (!begin_ || units >= kSizes) return nullptr;
    if (Free* const block = free_[units]) return free_[units] = block->next, block;
    if (static_cast<size_t>(end_ - at_) < units * kUnit) return nullptr;
    at_ += units * kUnit;
    return at_ - units * kUnit;
  }
  // Whether the block is one of its own; of unknown size it is used no more.
  bool give(void* block, size_t bytes) {
    const auto* at = static_cast<std::byte*>(block);
    if (at < begin_ || at >= end_) return false;
    Free*& first = free_[(bytes + kUnit - 1) / kUnit];
    if (bytes > 0) first = new (block) Free{first};
    return true;
  }

 private:
  struct Free {
    Free* next;
  };
  static constexpr size_t kUnit = alignof(std::max_align_t), kSizes = 64;  // up to 1 KiB
  std::byte *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;
  Free* free_[kSizes] = {};
};

constinit Pool pool;

}  // namespace

size_t bytes_missing() { return missing; }

void take_heap(size_t bytes) {
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE)
  constexpr int kMostInHeap = 32 << 20;  // bytes of a block: glibc takes no more
  constexpr int kMostFree = 1 << 30;     // bytes at the heap's end that are not given back
  mallopt(M_MMAP_THRESHOLD, kMostInHeap);
  mallopt(M_TRIM_THRESHOLD, kMostFree);
  auto* const small = static_cast<std::byte*>(std::malloc(bytes / 2));
  void* const rest = std::malloc(bytes / 2);
  if (small && rest) {
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const uintptr_t begin = reinterpret_cast<uintptr_t>(small) / page * page;
    ::madvise(reinterpret_cast<void*>(begin), bytes, MADV_HUGEPAGE);
    ::madvise(reinterpret_cast<void*>(begin), bytes, MADV_POPULATE_WRITE);  // older kernels know it not
    pool.open(small, bytes / 2);
  }
  std::free(rest);
#else
  static_cast<void>(bytes);
#endif
}

}  // namespace irplan::command

// So that a message can say how much was missing. Sanitizers have their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IRPLAN_SANITIZED
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(IRPLAN_SANITIZED)
void* operator new(size_t bytes) {
  using irplan::command::pool, irplan::command::missing;
  if (void* const block = pool.take(bytes ? bytes : 1)) return block;
  if (void* const block = std::malloc(bytes ? bytes : 1)) return block;
  missing = bytes;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  if (block && !irplan::command::pool.give(block, 0)) std::free(block);
}
void operator delete(void* block, size_t bytes) noexcept {
  if (!irplan::command::pool.give(block, bytes ? bytes : 1)) std::free(block);
}
#endif
