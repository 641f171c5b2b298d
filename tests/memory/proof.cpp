// ./dev proof [MINUTES [FIRST_SEED [THREADS]]]: random programs, at random sizes, random budgets and
// random packings; the first finding ends it, and Ctrl-C: the totals are told all the same. A seed says
// everything: a run can be repeated, and a later one goes on where it ended.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "memory/check_budgets.h"
#include "memory/check_program.h"

namespace {

using namespace irplan::memory_test;
using Clock = std::chrono::steady_clock;

constexpr int kPackings = 20;     // for each program
constexpr uint64_t kBudgets = 8;  // of so many programs one has budgets
constexpr int64_t kSizes = 64;

volatile std::sig_atomic_t interrupted = 0;

class Proof {
 public:
  Proof(double minutes, uint64_t first)
      : minutes_(minutes),
        first_(first),
        next_(first),
        end_(begin_ +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(minutes * 60))) {}

  int run(unsigned threads) {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
    for (std::thread& worker : workers) worker.join();
    say_totals();
    std::printf("%s", finding_.c_str());
    return finding_.empty() ? 0 : 1;
  }

 private:
  static unsigned long long number(uint64_t n) { return n; }
  static long long number(int64_t n) { return n; }

  void say_totals() const {
    std::printf(
        "programs   %llu in %.0f s\n"
        "placements %lld simulated (%.0f a minute)\n"
        "budgets    %lld of %lld programs (%lld met), %lld sizes found again, %lld changes planned\n"
        "executed   %lld programs' plans, every operand looked at\n"
        "packings   %lld\n",
        number(next_ - first_), seconds(), number(tally_.bindings),
        60.0 * static_cast<double>(tally_.bindings) / std::max(seconds(), 1e-3), number(budgets_.budgets),
        number(budgets_.programs), number(budgets_.met), number(budgets_.answers), number(budgets_.changes),
        number(tally_.executed), number(tally_.packed));
    const auto share = [&](int64_t n) {
      return 100.0 * static_cast<double>(n) / static_cast<double>(std::max<int64_t>(1, tally_.plans));
    };
    std::printf(
        "arena      over its bound at the worst size: 1.00 in %.1f%% (proven %.1f%%), up to 1.02 in %.1f%%, "
        "1.05 in %.1f%%, 1.10 in %.1f%%, worst %.3f\n",
        share(tally_.at_bound), share(tally_.proven), share(tally_.within[0]), share(tally_.within[1]),
        share(tally_.within[2]), tally_.worst);
    std::printf(
        "findings   %d\nseeds      %llu to %llu; again: ./dev proof %g %llu; on from here: ./dev proof %g "
        "%llu\n",
        finding_.empty() ? 0 : 1, number(first_), number(next_ - 1), minutes_, number(first_), minutes_,
        number(next_.load()));
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  void work() {
    while (Clock::now() < end_ && !stop_ && interrupted == 0) {
      const uint64_t seed = next_++;
      // Mostly small programs: they hold most of the ways to be wrong, and can be read.
      const int64_t most = seed % 16 == 0 ? 200 : seed % 4 == 0 ? 40 : 12;
      Tally tally;
      std::string wrong = check_program(seed, most, kSizes, tally);
      for (uint64_t k = 0; k < kPackings && wrong.empty(); ++k, ++tally.packed)
        wrong = check_packing(seed * kPackings + k);
      BudgetTally budgets;
      if (wrong.empty() && seed % kBudgets == 3)
        wrong = check_budgets(seed, most, features_of(seed), budgets);
      report(tally, budgets, wrong);
    }
  }

  void report(const Tally& tally, const BudgetTally& budgets, const std::string& wrong) {
    const std::lock_guard lock(mutex_);
    tally_.add(tally);
    budgets_.add(budgets);
    if (!wrong.empty() && finding_.empty()) finding_ = wrong, stop_ = true;
    if (seconds() - said_ < 5) return;
    said_ = seconds();
    std::fprintf(stderr, "%7.0f s  %llu programs, %lld placements simulated, %lld budgets, %s\n", said_,
                 number(next_ - first_), number(tally_.bindings), number(budgets_.budgets),
                 finding_.empty() ? "no finding" : "a finding");
  }

  const Clock::time_point begin_ = Clock::now();
  const double minutes_;
  const uint64_t first_;
  std::atomic<uint64_t> next_;
  const Clock::time_point end_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  Tally tally_;
  BudgetTally budgets_;
  std::string finding_;
  double said_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  const double minutes = count > 1 ? std::atof(arguments[1]) : 1;
  const uint64_t first = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned threads = count > 3 ? static_cast<unsigned>(std::atoi(arguments[3])) : cores;
  if (minutes <= 0 || threads == 0 || threads > 1024)
    return std::fprintf(stderr, "usage: irplan-proof [MINUTES [FIRST_SEED [THREADS]]]\n"), 2;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  return Proof(minutes, first).run(threads);
}
