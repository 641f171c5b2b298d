#include "runtime/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/parallel.h"

namespace irplan {
namespace {

constexpr int kMostThreads = 64;

class Pool {
 public:
  Pool() {
    const int wanted = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostThreads);
    workers_.reserve(static_cast<size_t>(wanted));
    try {
      for (int i = 1; i < wanted; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system gives no more of them: those that are there do the work.
    }
  }
  ~Pool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(int64_t count, int64_t part, void (*body)(void*, int64_t, int64_t), void* of) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = body;
      of_ = of;
      count_ = count;
      part_ = part;
      next_ = 0;
      busy_ = static_cast<int>(workers_.size());
      ++round_;
    }
    wake_.notify_all();
    take_parts();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

 private:
  void take_parts() {
    try {
      for (int64_t begin = next_.fetch_add(part_); begin < count_; begin = next_.fetch_add(part_))
        body_(of_, begin, std::min(count_, begin + part_));
    } catch (...) {  // run() throws it again, once all threads are done with the body
      const std::lock_guard<std::mutex> lock(mutex_);
      thrown_ = std::current_exception();
      next_ = count_;
    }
  }

  void work() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return ending_ || round_ != seen; });
      if (ending_) return;
      seen = round_;
      lock.unlock();
      take_parts();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  void (*body_)(void*, int64_t, int64_t) = nullptr;
  void* of_ = nullptr;
  int64_t count_ = 0, part_ = 1;
  std::atomic<int64_t> next_{0};
  int busy_ = 0;
  uint64_t round_ = 0;
  std::exception_ptr thrown_;
  bool ending_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

void loop(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* of) {
  // A few parts for each thread, so that one that starts late does not hold up the others.
  const int64_t parts = 4 * int64_t{pool().size()};
  pool().run(count, std::max(grain, (count + parts - 1) / parts), body, of);
}

}  // namespace

void lend_machine_threads() { lend_threads({pool().size(), loop}); }

}  // namespace irplan
