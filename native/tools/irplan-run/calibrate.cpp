#include "tools/irplan-run/calibrate.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "command_line/terminal.h"
#include "files/paths.h"
#include "files/write.h"
#include "irplan/compile.h"
#include "runtime/machine.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "tools/irplan-run/backends.h"
#include "tools/irplan-run/figures.h"
#include "tools/irplan-run/measure.h"

namespace irplan::run {
namespace {

// ---- memory: every thread reads a part of its own of what no cache holds

constexpr size_t kReadBytes = size_t{512} << 20;
constexpr int kPasses = 6;

// Four at a time, so that additions do not wait for each other.
uint64_t sum_of(const uint64_t* from, size_t count) {
  uint64_t sum[4] = {};
  for (size_t i = 0; i + 32 <= count; i += 32) {
    for (size_t j = 0; j < 32; ++j) sum[j % 4] += from[i + j];
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

double read_rate(const std::vector<uint64_t>& numbers, size_t threads) {
  std::atomic<size_t> waiting{0};
  std::atomic<uint64_t> kept{0};  // so that what is read is needed
  std::vector<double> begin(threads, 0), end(threads, 0);
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    waiting = threads;
    const auto work = [&](size_t thread) {
      const size_t each = numbers.size() / threads;
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      begin[thread] = steady_seconds();
      kept += sum_of(numbers.data() + thread * each, each);
      end[thread] = steady_seconds();
    };
    std::vector<std::thread> others;
    for (size_t thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    const double took =
        *std::max_element(end.begin(), end.end()) - *std::min_element(begin.begin(), begin.end());
    best = std::max(best, static_cast<double>(numbers.size() / threads * threads * sizeof(uint64_t)) / took);
  }
  return best;
}

// ---- arithmetic: chains of multiplications and additions in registers, as many as hide an operation's time

constexpr int kChains = 12;
constexpr int64_t kLinks = 4096;

#define IRPLAN_CHAINS(Vector)                                                            \
  Vector sums[kChains];                                                                  \
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + (0.5f + static_cast<float>(i)); \
  const Vector a = Vector{} + 0.999f, b = Vector{} + 0.001f;                             \
  for (int64_t link = 0; link < kLinks; ++link) {                                        \
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * a + b;                         \
  }                                                                                      \
  float out = 0;                                                                         \
  for (int i = 0; i < kChains; ++i) out += sums[i][0];                                   \
  return out

using Four = float __attribute__((vector_size(16)));
float chains_of_four() { IRPLAN_CHAINS(Four); }
#if defined(__x86_64__)
using Eight = float __attribute__((vector_size(32)));
using Sixteen = float __attribute__((vector_size(64)));
__attribute__((target("avx2,fma"))) float chains_of_eight() { IRPLAN_CHAINS(Eight); }
__attribute__((target("avx512f"))) float chains_of_sixteen() { IRPLAN_CHAINS(Sixteen); }
#endif
#undef IRPLAN_CHAINS

struct Chains {
  float (*run)();
  int lanes;
};

std::vector<Chains> chains() {
  std::vector<Chains> out = {{chains_of_four, 4}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.push_back({chains_of_eight, 8});
  if (__builtin_cpu_supports("avx512f")) out.push_back({chains_of_sixteen, 16});
#endif
  return out;
}

constexpr MeasureLimits kShort = {.warm_up = 0.02, .least_seconds = 0.1, .least_iterations = 20};

double fastest(const std::function<Failure()>& work, Failure* failure) {
  std::vector<double> samples;
  *failure = measure(kShort, steady_seconds, work, &samples);
  return samples.empty() ? 1 : *std::min_element(samples.begin(), samples.end());
}

double fma_rate() {
  constexpr int64_t kRepeats = 64;
  double best = 0;
  std::atomic<float> kept{0};
  for (const Chains& one : chains()) {
    Failure none;
    const double took = fastest(
        [&]() -> Failure {
          parallel(thread_count(), 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = 0; i < (end - begin) * kRepeats; ++i)
              kept.store(one.run(), std::memory_order_relaxed);
          });
          return std::nullopt;
        },
        &none);
    const double flops = 2.0 * kChains * kLinks * kRepeats * one.lanes * thread_count();
    best = std::max(best, flops / took);
  }
  return best;
}

double loop_seconds() {
  Failure none;
  std::atomic<int64_t> kept{0};
  return fastest(
      [&]() -> Failure {
        parallel(thread_count(), 1,
                 [&](int64_t begin, int64_t) { kept.store(begin, std::memory_order_relaxed); });
        return std::nullopt;
      },
      &none);
}

// ---- a product of bf16 whose operands stay in the cache, by the kernel that plans name

constexpr const char* kProduct =
    "input x: bf16[256, 512]\n"
    "y = output(linear(x, param bf16[512, 512] from \"w\"))\n";
constexpr double kProductFlops = 2.0 * 256 * 512 * 512;

Result<double> product_rate(Backend& cpu) {
  CompileOptions how;
  how.target = "cpu";
  const Compilation done = compile(SourceText("calibrate", kProduct), how);
  if (!done.ok) return Error{render(done.diagnostics, done.source, false)};
  const auto plan = checked_plan(done.plan_json, "calibrate");
  if (!plan) return plan.error();
  Session session(*plan, cpu);
  Step step;
  step.phase = plan->phases.back().name;
  WeightSource weights;
  weights.seed = 1;
  Failure failure = session.prepare({step}, weights);
  if (!failure) failure = session.bind(step);
  HostArray x;
  x.shape = {256, 512};
  x.f.assign(256 * 512, 0.5f);
  if (!failure) failure = session.set_input(*find_input(*plan, "x"), x);
  double took = 1;
  if (!failure) took = fastest([&] { return session.run(); }, &failure);
  if (failure) return Error{*failure};
  return kProductFlops / took;
}

}  // namespace

Result<Ceilings> measured_ceilings(Backend& cpu) {
  Ceilings out;
  out.processor = processor_name();
  out.kernels = kernels_of_device(cpu.device());
  const std::vector<uint64_t> numbers(std::min(kReadBytes, machine_bytes() / 8) / sizeof(uint64_t), 1);
  for (int threads = 1; threads <= thread_count(); ++threads)
    out.read.push_back(read_rate(numbers, static_cast<size_t>(threads)));
  out.fma_f32 = fma_rate();
  out.loop = loop_seconds();
  const auto product = product_rate(cpu);
  if (!product) return product.error();
  out.product_bf16 = *product;
  return out;
}

std::string ceilings_text(const Ceilings& c) {
  std::string out = "machine   " + (c.processor.empty() ? "" : c.processor + ", ") + c.kernels + "\n";
  for (size_t i = 0; i < c.read.size(); ++i)
    out += "read      " + rate_text(c.read[i] * 1e-9) + " GB/s by " +
           counted(static_cast<int64_t>(i) + 1, "thread") + "\n";
  out +=
      "f32       " + rate_text(c.fma_f32 * 1e-9) + " GFLOP/s of multiplications and additions in registers\n";
  out += "bf16      " + rate_text(c.product_bf16 * 1e-9) +
         " GFLOP/s of products in the cache, by this build's kernel\n";
  return out + "loop      " + time_text(c.loop) + " for one over all threads\n";
}

Exit calibrate() {
  const auto made = make_backend("cpu");
  if (!made) return fail(kFailed, made.message()), kFailed;
  const std::unique_ptr<Backend>& cpu = made->backend;
  const ProcessorTimes before = processor_times();
  const auto found = measured_ceilings(*cpu);
  if (!found) return fail(kFailed, found.message()), kFailed;
  Circumstances circumstances;
  look(before, processor_times(), &circumstances);
  circumstances.iterations = kShort.least_iterations;
  circumstances.clock = clock_share();
  if (!command::print(ceilings_text(*found))) return kFailed;
  for (const std::string& doubt : doubts(circumstances)) command::say("note: " + doubt);
  const std::string path = ceilings_file();
  if (path.empty())
    return fail(kFailed, "there is no folder to keep it in: set HOME or XDG_CACHE_HOME"), kFailed;
  const std::string folder = folder_of(path), above = folder_of(folder);
  for (const std::string& each : {above, folder})
    ::mkdir(each.c_str(), 0777);  // a reason shows when it is written
  if (auto failure = write_files({{path, ceilings_json(*found)}})) return fail(kFailed, *failure), kFailed;
  command::say("note: kept in " + path + " for --bench and --selftest --perf");
  return kDone;
}

}  // namespace irplan::run
