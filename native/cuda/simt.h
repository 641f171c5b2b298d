// Runs CUDA kernels on a CPU: every thread of a block is a fiber, blocks run one after the other.
//
// Made to find mistakes, not to be fast. Threads and blocks run in an order drawn from a seed
// (IRPLAN_SIMT_SEED), each as far as it gets before it has to wait for others; shared memory starts as NaN in
// every block; a barrier that not all threads of the block reach, or that threads reach at different lines,
// is an error, and so is a warp collective that not every lane of its mask takes part in. With
// AddressSanitizer every access out of bounds is found.
//
// It covers: __syncthreads, __syncwarp, the shuffles, ballot, any, all, dynamic shared memory, the atomics
// below, dim3, 16-byte vectors. It cannot cover: races between blocks through global memory, memory ordering,
// tensor cores, TMA, clusters,
// __shared__ declared with a type (use IRPLAN_SHARED), divergence that only independent thread scheduling
// would resolve, bank conflicts, and time. What needs those is tested on a GPU with compute-sanitizer.
//
// Types of 16 bits are reinterpreted from wider loads, as in CUDA: build with -fno-strict-aliasing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define IRPLAN_SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IRPLAN_SIMT_ASAN 1
#endif
#endif
#ifdef IRPLAN_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifndef __x86_64__
#include <ucontext.h>
#endif

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

namespace irplan::shim {

// Where the running thread stands; set before each of its turns.
struct Place {
  dim3 thread{0, 0, 0}, block{0, 0, 0}, block_size, grid_size;
  unsigned char* shared = nullptr;
};
inline thread_local Place place;

// ------------------------------------------------------------------------------------------------ fibers

constexpr size_t kStackBytes = 64 * 1024;

#ifdef __x86_64__
// Saves the callee-saved registers on the running stack, leaves its top in *save, and goes on from `load`.
extern "C" void irplan_simt_switch(void** save, void* load);
asm(R"(
.text
.weak irplan_simt_switch
.type irplan_simt_switch,@function
irplan_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size irplan_simt_switch, .-irplan_simt_switch
)");
#endif

// One stack of execution, and the switch between it and the scheduler's.
class Fiber {
 public:
  void start(void (*entry)()) {
    if (!stack_) stack_.reset(new (std::align_val_t(64)) unsigned char[kStackBytes]);
#ifdef IRPLAN_SIMT_ASAN
    __asan_unpoison_memory_region(stack_.get(), kStackBytes);
    fake_ = nullptr;
#endif
#ifdef __x86_64__
    auto** top = reinterpret_cast<void**>(stack_.get() + kStackBytes);
    *--top = nullptr;  // where a return address would be: keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    top_ = top;
#else
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
#endif
  }
  // Called by the scheduler.
  void resume(Fiber& scheduler) {
#ifdef IRPLAN_SIMT_ASAN
    __sanitizer_start_switch_fiber(&scheduler.fake_, stack_.get(), kStackBytes);
#endif
    jump(scheduler, *this);
#ifdef IRPLAN_SIMT_ASAN
    __sanitizer_finish_switch_fiber(scheduler.fake_, nullptr, nullptr);
#endif
  }
  // Called by the fiber itself, first of all.
  static void entered(Fiber& scheduler) {
#ifdef IRPLAN_SIMT_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom_, &scheduler.size_);
#else
    (void)scheduler;
#endif
  }
  // Called by the fiber itself; does not come back where it is `last`.
  void leave(Fiber& scheduler, bool last) {
#ifdef IRPLAN_SIMT_ASAN
    __sanitizer_start_switch_fiber(last ? nullptr : &fake_, scheduler.bottom_, scheduler.size_);
#endif
    (void)last;
    jump(*this, scheduler);
#ifdef IRPLAN_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_, nullptr, nullptr);
#endif
  }

 private:
  static void jump(Fiber& from, Fiber& to) {
#ifdef __x86_64__
    irplan_simt_switch(&from.top_, to.top_);
#else
    swapcontext(&from.context_, &to.context_);
#endif
  }
  struct Free {
    void operator()(unsigned char* p) const { ::operator delete[](p, std::align_val_t(64)); }
  };
  std::unique_ptr<unsigned char[], Free> stack_;  // the scheduler has none of its own
#ifdef __x86_64__
  void* top_ = nullptr;
#else
  ucontext_t context_{};
#endif
#ifdef IRPLAN_SIMT_ASAN
  void* fake_ = nullptr;
  const void* bottom_ = nullptr;
  size_t size_ = 0;
#endif
};

// ------------------------------------------------------------------------------------------------ a block of
// threads

enum class State : uint8_t { Ready, Barrier, Warp, Done };

struct Thread {
  Fiber fiber;
  State state = State::Ready;
  int line = 0;        // of the barrier or collective that it waits at
  uint32_t mask = 0;   // of the collective
  uint64_t value = 0;  // what it brings to the collective
  bool predicate = false;
};

class Machine {
 public:
  static Machine& own() {
    static thread_local Machine machine;
    return machine;
  }

  Machine() {
    const char* text = std::getenv("IRPLAN_SIMT_SEED");
    reseed(text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : 1);
  }
  void reseed(uint32_t seed) { random_.seed(seed); }

  // Blocks that a grid may have in y, and in z; fewer, where a test wants them to take turns.
  int64_t most_in_y() const { return most_in_y_; }
  void limit_grids(int64_t most) { most_in_y_ = most; }

  // As cudaFuncSetAttribute does for a kernel; here, for the next one.
  void allow_shared(size_t bytes) { allowed_shared_ = bytes; }

  // Runs a grid. False where it went wrong; error() then says how.
  bool run(dim3 grid, dim3 block, size_t shared_bytes, std::function<void()> body) {
    error_.clear();
    const size_t count = size_t{block.x} * block.y * block.z, blocks = size_t{grid.x} * grid.y * grid.z;
    if (count == 0 || count > 1024) return fail("a block of " + std::to_string(count) + " threads");
    if (blocks == 0 || grid.x > INT32_MAX || grid.y > most_in_y_ || grid.z > most_in_y_)
      return fail("a grid of no size, or with too many blocks in x, y or z");
    if (shared_bytes > std::exchange(allowed_shared_, kShared))
      return fail(std::to_string(shared_bytes) + " bytes of shared memory, which the kernel did not ask for");
    if (shared_bytes > kMaxShared) return fail(std::to_string(shared_bytes) + " bytes of shared memory");
    body_ = std::move(body);
    while (threads_.size() < count) threads_.push_back(std::make_unique<Thread>());
    live_ = count;
    place.block_size = block;
    place.grid_size = grid;
    std::vector<size_t> order(blocks);
    for (size_t i = 0; i < blocks; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random_);
    for (const size_t at : order) {
      place.block = dim3(static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y),
                         static_cast<unsigned>(at / grid.x / grid.y));
      if (!run_block(block, shared_bytes)) return false;
    }
    return true;
  }
  const std::string& error() const { return error_; }

  // Of the kernel that runs: whether a block of the launch has no more threads than it is compiled for.
  bool bounds(size_t most) {
    if (live_ > most && error_.empty())
      fail("a block of " + std::to_string(live_) + " threads, and the kernel's launch bounds are " +
           std::to_string(most));
    return live_ <= most;
  }

  void wait(State state, int line, uint32_t mask = 0) {
    Thread& self = *threads_[current_];
    self.state = state;
    self.line = line;
    self.mask = mask;
    self.fiber.leave(scheduler_, false);
  }

  // Every lane of the mask brings a value, and reads another's once all have come.
  template <class T, class Read>
  auto exchange(int line, uint32_t mask, T value, bool predicate, const Read& read) {
    static_assert(sizeof(T) <= 8);
    Thread& self = *threads_[current_];
    self.value = 0;
    std::memcpy(&self.value, &value, sizeof value);
    self.predicate = predicate;
    wait(State::Warp, line, mask);
    const auto result = read(current_ & ~size_t{31}, static_cast<int>(current_ & 31));
    wait(State::Warp, line, mask);  // nobody brings the next value before all have read this one
    return result;
  }
  template <class T>
  T value_of(size_t thread, T own) const {
    if (thread >= live_) return own;
    T value;
    std::memcpy(&value, &threads_[thread]->value, sizeof value);
    return value;
  }
  bool predicate_of(size_t thread) const { return thread < live_ && threads_[thread]->predicate; }

 private:
  // Bytes of a block: what every kernel has, and the most that one has on sm_86, 89 and 120, if it asks.
  static constexpr size_t kShared = 48 * 1024, kMaxShared = 99 * 1024;
  size_t allowed_shared_ = kShared;
  int64_t most_in_y_ = 65535;

  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }

  static void entry() {
    Machine& machine = own();
    Fiber::entered(machine.scheduler_);
    machine.body_();
    Thread& self = *machine.threads_[machine.current_];
    self.state = State::Done;
    self.fiber.leave(machine.scheduler_, true);
    std::abort();  // a thread that is done has no further turn
  }

  bool run_block(dim3 block, size_t shared_bytes) {
    // Of its own size, so that AddressSanitizer knows its end; all ones are a NaN in every float format.
    shared_.reset(new (std::align_val_t(16)) unsigned char[std::max<size_t>(shared_bytes, 1)]);
    std::memset(shared_.get(), 0xff, std::max<size_t>(shared_bytes, 1));
    place.shared = shared_.get();
    std::vector<size_t> order(live_);
    for (size_t i = 0; i < live_; ++i) {
      order[i] = i;
      threads_[i]->state = State::Ready;
      threads_[i]->fiber.start(entry);
    }
    for (;;) {
      std::shuffle(order.begin(), order.end(), random_);
      bool progress = false;
      for (const size_t i : order) {
        if (threads_[i]->state != State::Ready) continue;
        current_ = i;
        place.thread = dim3(static_cast<unsigned>(i % block.x), static_cast<unsigned>(i / block.x % block.y),
                            static_cast<unsigned>(i / (size_t{block.x} * block.y)));
        threads_[i]->fiber.resume(scheduler_);
        progress = true;
      }
      if (all_done()) return error_.empty();
      for (size_t warp = 0; warp < live_; warp += 32) progress |= release_warp(warp);
      progress |= release_barrier();
      if (!error_.empty()) return false;
      if (!progress) return fail(describe_stall());
    }
  }

  bool all_done() const {
    return std::all_of(threads_.begin(), threads_.begin() + static_cast<std::ptrdiff_t>(live_),
                       [](const auto& t) { return t->state == State::Done; });
  }

  // Lets the lanes go whose masks are complete at one line.
  bool release_warp(size_t warp) {
    bool progress = false;
    for (size_t lane = 0; lane < 32 && warp + lane < live_; ++lane) {
      const Thread& first = *threads_[warp + lane];
      if (first.state != State::Warp) continue;
      if (!(first.mask >> lane & 1))
        return fail("a lane is not in the mask of its own collective, line " + std::to_string(first.line));
      bool complete = true;
      for (size_t other = 0; other < 32 && warp + other < live_; ++other) {
        if (!(first.mask >> other & 1)) continue;
        const Thread& t = *threads_[warp + other];
        complete = complete && t.state == State::Warp && t.line == first.line && t.mask == first.mask;
      }
      if (!complete) continue;
      const uint32_t mask = first.mask;
      for (size_t other = 0; other < 32 && warp + other < live_; ++other) {
        if (mask >> other & 1) threads_[warp + other]->state = State::Ready;
      }
      progress = true;
    }
    return progress;
  }

  // A barrier opens when every thread of the block stands at it: at one line, and none has returned.
  bool release_barrier() {
    const int line = threads_[0]->line;
    for (size_t i = 0; i < live_; ++i) {
      if (threads_[i]->state != State::Barrier) return false;
    }
    for (size_t i = 0; i < live_; ++i) {
      if (threads_[i]->line != line)
        return fail("divergent barrier: threads wait at lines " + std::to_string(line) + " and " +
                    std::to_string(threads_[i]->line));
    }
    for (size_t i = 0; i < live_; ++i) threads_[i]->state = State::Ready;
    return true;
  }

  std::string describe_stall() const {
    size_t done = 0, barrier = 0, warp = 0;
    int line = 0;
    for (size_t i = 0; i < live_; ++i) {
      const Thread& t = *threads_[i];
      done += t.state == State::Done;
      barrier += t.state == State::Barrier;
      warp += t.state == State::Warp;
      if (t.state == State::Barrier || t.state == State::Warp) line = t.line;
    }
    return "divergent threads: " + std::to_string(barrier) + " wait at a barrier, " + std::to_string(warp) +
           " at a warp collective, " + std::to_string(done) + " have returned; one waits at line " +
           std::to_string(line);
  }

  struct Free {
    void operator()(unsigned char* p) const { ::operator delete[](p, std::align_val_t(16)); }
  };
  std::vector<std::unique_ptr<Thread>> threads_;
  size_t live_ = 0;  // threads of the block that runs
  size_t current_ = 0;
  Fiber scheduler_;
  std::function<void()> body_;
  std::unique_ptr<unsigned char[], Free> shared_;
  std::mt19937 random_;
  std::string error_;
};

// ------------------------------------------------------------------------------------------------
// collectives

template <class T>
T shuffle_xor(int line, uint32_t mask, T value, int with) {
  Machine& m = Machine::own();
  return m.exchange(line, mask, value, false, [&](size_t warp, int lane) {
    return m.value_of(warp + static_cast<size_t>((lane ^ with) & 31), value);
  });
}
template <class T>
T shuffle_down(int line, uint32_t mask, T value, unsigned by) {
  Machine& m = Machine::own();
  return m.exchange(line, mask, value, false, [&](size_t warp, int lane) {
    const unsigned from = static_cast<unsigned>(lane) + by;
    return from > 31 ? value : m.value_of(warp + from, value);
  });
}
template <class T>
T shuffle(int line, uint32_t mask, T value, int from) {
  Machine& m = Machine::own();
  return m.exchange(line, mask, value, false, [&](size_t warp, int) {
    return m.value_of(warp + static_cast<size_t>(from & 31), value);
  });
}
inline unsigned ballot(int line, uint32_t mask, bool predicate) {
  Machine& m = Machine::own();
  return m.exchange(line, mask, 0, predicate, [&](size_t warp, int) {
    unsigned bits = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
      if ((mask >> lane & 1) && m.predicate_of(warp + lane)) bits |= 1u << lane;
    }
    return bits;
  });
}

}  // namespace irplan::shim

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__
#define __grid_constant__
#define __launch_bounds__(...)
#define threadIdx irplan::shim::place.thread
#define blockIdx irplan::shim::place.block
#define blockDim irplan::shim::place.block_size
#define gridDim irplan::shim::place.grid_size
#define __syncthreads() irplan::shim::Machine::own().wait(irplan::shim::State::Barrier, __LINE__)
#define __syncwarp() irplan::shim::Machine::own().wait(irplan::shim::State::Warp, __LINE__, 0xffffffffu)
#define __shfl_xor_sync(mask, v, with) irplan::shim::shuffle_xor(__LINE__, mask, v, with)
#define __shfl_down_sync(mask, v, by) irplan::shim::shuffle_down(__LINE__, mask, v, by)
#define __shfl_sync(mask, v, from) irplan::shim::shuffle(__LINE__, mask, v, from)
#define __ballot_sync(mask, p) irplan::shim::ballot(__LINE__, mask, p)
#define __any_sync(mask, p) (irplan::shim::ballot(__LINE__, mask, p) != 0)
#define __all_sync(mask, p) (irplan::shim::ballot(__LINE__, mask, !(p)) == 0)

// Threads of a block never run at the same time here.
inline int atomicCAS(int* at, int expected, int desired) {
  const int old = *at;
  if (old == expected) *at = desired;
  return old;
}
template <class T>
inline T atomicAdd(T* at, T more) {
  const T old = *at;
  *at += more;
  return old;
}
inline void __threadfence() {}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
