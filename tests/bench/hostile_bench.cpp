// What programs take that are written to take long (W0501 says what was left out): many dims, budgets,
// phases, tensors alive, sizes that are hard to find. Times are of the processor, on one core; each is
// compiled once.
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/hostile.h"
#include "irplan/compile.h"
#include "plan/plan.h"

namespace irplan::bench {
namespace {

constexpr double kAnswered = 2.0;   // seconds for any source
constexpr double kAtLimits = 10.0;  // where ops, dims or tensors alive are at their limits

struct Hostile {
  std::string name, text;
  double target = kAnswered;
};

std::string alone(int dims, int budgets) {
  std::string out = head(dims, 0, budgets);
  for (int d = 0; d < dims; ++d) out += "o" + number(d) + " = output(softmax(x" + number(d) + "))\n";
  return out;
}

// Relations between dims, so that one is traded for another.
std::string traded(int relations, int dims, int budgets) {
  uint64_t state = 5;
  const auto dim = [&] {
    return "D" + number(static_cast<int64_t>(drawn(state, static_cast<uint64_t>(dims))));
  };
  std::string out;
  for (int r = 0; r < relations; ++r)
    out += "budget " + dim() + " * " + dim() + " + " + dim() + " <= " + number(1000 + r) + "\n";
  return alone(dims, budgets) + out;
}

// Sizes that divide what is sliced: the largest is looked for one by one.
std::string divided(int dims) {
  std::string out = head(dims, 0, 1);
  for (int d = 0; d < dims; ++d)
    out += "o" + number(d) + " = output(silu(view(x" + number(d) + ", shape=[D" + number(d) + " / 7, 7, " +
           number(8 << (d % 4)) + "])))\n";
  return out;
}

std::string sliced(int ops) {
  std::string out = head(4, 0, 1);
  for (int i = 0; i < ops; ++i)
    out += "o" + number(i) + " = output(silu(slice(x" + number(i % 4) + ", axis=0, start=min(D" +
           number((i + 1) % 4) + ", " + number(i) + "), len=1)))\n";
  return out;
}

std::string looped(int ops) {
  return "h = x0\nfor a in 1000 with h {\n  for b in " + number(ops / 1000) +
         " with h {\n    y = silu(h)\n    h = y + x0\n  }\n}\nout = output(h)\n";
}

std::vector<Hostile> programs() {
  return {
      {"8 dims, 16 phases, 10 budgets, 200 ops", head(8, 16, 10) + body(8, 200, 20)},
      {"16 dims, 16 phases, 10 budgets, 400 ops", head(16, 16, 10) + body(16, 400, 60)},
      {"8 dims, 16 phases, 100 budgets, 60 ops", head(8, 16, 100) + body(8, 60, 12)},
      {"60 dims, 100 budgets, 5 ops", head(60, 0, 100) + body(60, 5, 3)},
      {"30 dims, 50 budgets, 40 ops", head(30, 0, 50) + body(30, 40, 10)},
      {"16 dims, 5,000 ops, 200 alive", head(16, 0, 0) + body(16, 5000, 200)},
      {"16 dims, 5,000 ops, 200 alive, 3 budgets", head(16, 0, 3) + body(16, 5000, 200)},
      {"4 dims, 2,000 ops, 1,000 alive", head(4, 0, 0) + body(4, 2000, 1000)},
      {"16 dims, 16 phases, 1,000 ops, 100 alive", head(16, 16, 2) + body(16, 1000, 100)},
      {"1,000 dims, 1 budget", alone(1000, 1), kAtLimits},
      {"1,000 dims, 100 budgets", alone(1000, 100), kAtLimits},
      {"40 dims, 90 relations, 4 budgets", traded(90, 40, 4)},
      {"100 dims, 60 relations, 1 budget", traded(60, 100, 1)},
      {"200 dims of whole sevenths", divided(200)},
      {"2,000 slices at the lesser of two", sliced(2000)},
      {"4 dims, 4,000 statements, 1,000 alive", head(4, 0, 2) + body(4, 4000, 1000), kAtLimits},
      {"1 dim, 240,000 ops", head(1, 0, 1) + looped(120'000), kAtLimits},
      {"8 dims, 16 phases, 9,000 statements in each", head(8, 16, 1) + body(8, 9000, 10), kAtLimits},
  };
}

// What was emitted is read and proven, and in as little time as a source is answered.
bool proven(const std::string& plan) {
  const std::clock_t start = std::clock();
  const auto read = read_true_plan(plan);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("    %.1f MiB of plan, %s in %.2f s\n", static_cast<double>(plan.size()) / (1 << 20),
              read ? "proven" : ("REFUSED: " + read.message().substr(0, 300)).c_str(), seconds);
  return read && seconds <= kAnswered;
}

}  // namespace

int hostile_bench() {
  std::printf("programs that are written to take long; %s\n", circumstances().c_str());
  bool all = true;
  for (const Hostile& program : programs()) {
    const std::clock_t start = std::clock();
    const Compilation made = compile(SourceText("hostile.irplan", program.text), {});
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    figure(program.name, seconds, "s", program.target);
    all = all && seconds <= program.target;
    std::string codes;
    for (const Diagnostic& d : made.diagnostics.list()) {
      const std::string code = info(d.code).name;
      if (codes.find(code) == std::string::npos) codes += " " + code;
    }
    std::printf("    %zu bytes, %s%s\n", program.text.size(),
                made.ok ? "a plan," : "refused:", codes.c_str());
    all = (!made.ok || proven(made.plan_json)) && all;
  }
  figure("peak memory of all of them", peak_mebibytes(), "MiB", 1024);
  return all ? 0 : 1;
}

}  // namespace irplan::bench
