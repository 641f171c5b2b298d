// Reports of runs: their arithmetic and shape, by a clock that the tests advance.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "irplan/compile.h"
#include "tools/irplan-run/bench.h"
#include "tools/irplan-run/ceilings.h"
#include "tools/irplan-run/figures.h"
#include "tools/irplan-run/generated.h"
#include "tools/irplan-run/measure.h"
#include "tools/irplan-run/profile.h"
#include "tools/irplan-run/selftest.h"

namespace irplan::run {
namespace {

struct FakeClock {
  double now = 100;
  Seconds seconds() {
    return [this] { return now; };
  }
};

TEST_CASE("reports: rates and percentiles") {
  CHECK(rate_text(0.01234) == "0.0123");
  CHECK(rate_text(85.123) == "85.1");
  CHECK(rate_text(12345.6) == "12346");
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(i);
  const Spread spread = spread_of(samples);
  CHECK(spread.least == 1);
  CHECK(spread.median == 50.5);
  CHECK(spread.mean == 50.5);
  CHECK(spread.p90 == 90);
  CHECK(spread.p95 == 95);
  CHECK(spread.p99 == 99);
  CHECK(spread_of({7}).p99 == 7);
  CHECK(spread_of({3, 1, 2}).median == 2);
}

TEST_CASE("reports: warm-up, then as many runs and as long as was asked") {
  FakeClock clock;
  int runs = 0;
  std::vector<double> samples;
  const auto work = [&]() -> Failure {
    clock.now += 0.25;
    ++runs;
    return std::nullopt;
  };
  CHECK_FALSE(measure({0.5, 1, 3}, clock.seconds(), work, &samples));
  CHECK(samples == std::vector<double>(4, 0.25));
  CHECK(runs == 6);
  CHECK_FALSE(measure({0, 0, 7}, clock.seconds(), work, &samples));
  CHECK(samples.size() == 7);
  CHECK(measure(
            {0, 1, 7}, clock.seconds(), []() -> Failure { return "no"; }, &samples) == "no");
}

TEST_CASE("reports: what makes figures doubtful is said, and nothing else") {
  CHECK(doubts({.iterations = 10, .median = 1, .p99 = 1.2}).empty());
  const auto one = [](const Circumstances& of) {
    const auto found = doubts(of);
    REQUIRE(found.size() == 1);
    return found[0];
  };
  CHECK(one({.iterations = 9}).rfind("too few iterations: 9", 0) == 0);
  CHECK(one({.iterations = 10, .elsewhere = 0.3}).find("others took 30%") != std::string::npos);
  CHECK(one({.iterations = 10, .stolen = 0.02}).find("2%") != std::string::npos);
  CHECK(one({.iterations = 10, .clock = 0.5}).find("50% of its highest clock") != std::string::npos);
  CHECK(one({.iterations = 10, .median = 2, .p99 = 4}).find("P99 is 2 times") != std::string::npos);
  CHECK(one({.iterations = 10, .short_ops = 3}).rfind("3 ops took less than 5 µs", 0) == 0);
  Circumstances seen;
  look({100, 50, 1, 10}, {110, 52, 2, 13}, &seen);  // of 10 seconds 2 idle, 1 stolen, 3 our own
  CHECK(seen.stolen == Approx(0.1));
  CHECK(seen.elsewhere == Approx(0.4));
}

TEST_CASE("reports: the ceilings of a machine as they are kept") {
  const Ceilings kept{"A \"processor\"", "2 threads", {10e9, 18e9}, 100e9, 80e9, 2e-6};
  const auto read = read_ceilings(ceilings_json(kept));
  REQUIRE(read);
  CHECK(ceilings_json(*read) == ceilings_json(kept));
  CHECK(read->bytes() == 18e9);
  CHECK(read->flops() == 100e9);
  CHECK(read->of(1).bytes() == 10e9);
  CHECK(read->of(1).flops() == 50e9);
  CHECK(read->of(9).bytes() == 18e9);
  CHECK(kernels_of_device("2 threads, AVX2") == "AVX2");
  CHECK(least_seconds(kept, 18e9, 1) == Approx(1.000002));
  CHECK(least_seconds(kept, 1, 200e9) == Approx(2.000002));
  for (const char* bad :
       {"", "[]", "{}", R"({"version": 2})", R"({"version": 1, "read_bytes_a_second_by_threads": [0]})"})
    CHECK_FALSE(read_ceilings(bad));
  auto text = ceilings_json(kept);
  text.replace(text.find("\"loop_seconds\": "), 16, "\"loop_seconds\": -");
  CHECK_FALSE(read_ceilings(text));
}

TEST_CASE("reports: a measurement in trtexec's shape") {
  BenchReport report;
  report.step = "decode at B=2, S=1, P=128";
  report.device = "cpu, 2 threads, AVX2";
  report.samples = {0.5, 0.25, 0.25};
  report.traffic = {2e9, 5e8, 3e9, 1e9};
  report.tokens = 2;
  report.host = 12e-6;
  std::string text = bench_text(report);
  CHECK(text.find("runs      3 in 1 s, after 200 ms of warm-up\n") != std::string::npos);
  CHECK(text.find("min 250 ms, median 250 ms, mean 333 ms, P90 500 ms") != std::string::npos);
  CHECK(text.find("tokens    8 a second, 2 a step\n") != std::string::npos);
  CHECK(text.find("memory    12 GB/s: 2 GB of weights, 500 MB of states and 500 MB else a step\n") !=
        std::string::npos);
  CHECK(text.find("compute   4 GFLOP/s\n") != std::string::npos);
  CHECK(text.find("host      12 µs") != std::string::npos);
  CHECK(text.find("roofline") == std::string::npos);
  report.ceilings = Ceilings{"p", "k", {10e9, 16e9}, 8e9, 4e9, 0};
  text = bench_text(report);
  CHECK(text.find("memory    12 GB/s, 75.0% of 16: ") != std::string::npos);
  CHECK(text.find("compute   4 GFLOP/s, 50.0% of 8\n") != std::string::npos);
  CHECK(text.find("roofline  188 ms a step at least, 75% of the median\n") != std::string::npos);
  const auto json = nlohmann::json::parse(bench_json(report));
  CHECK(json["ms"]["p99"] == 500);
  CHECK(json["tokens_a_second"] == 8);
  CHECK(json["samples_ms"] == nlohmann::json({500, 250, 250}));
}

TEST_CASE("reports: what generating took") {
  CHECK(generation_text({.sequences = 1, .prompt = 17, .generated = 1, .prompt_seconds = 0.0123}) ==
        "17 tokens read, first new one after 12.3 ms\n");
  CHECK(generation_text({.sequences = 2,
                         .prompt = 1,
                         .generated = 22,
                         .steps = 10,
                         .prompt_seconds = 1.5,
                         .steps_seconds = 0.5,
                         .bytes = 1e9}) ==
        "2 sequences: 1 token read, first new one after 1.5 s; then 40 tokens a second, 50 ms a step, 20 "
        "GB/s "
        "of weights and states read\n");
}

TEST_CASE("reports: times of kernels beside the least that a machine allows") {
  const std::map<std::string, KernelTime> times = {{"cpu_a_v1", {2e-3, 1e-3}}, {"cpu_b_v1", {1e-3, 1e-3}}};
  CHECK(times_text(times, true).find("cpu_a_v1" + std::string(21, ' ') + "2.000     1.000     50.0%\n") !=
        std::string::npos);
  CHECK(times_text(times, false).find("cpu_b_v1" + std::string(21, ' ') + "1.000\n") != std::string::npos);
}

constexpr const char* kProgram = R"(
dim S in 1..8
input x: f32[S, 16]
for i in 2 with x {
  y = linear(x, param f32[16, 16] from "layers.{i}.up.weight")
  x = silu(y)
}
out = output(x)
)";

TEST_CASE("reports: a profile sums ops by operator, kernel and layer, and is a trace") {
  CompileOptions options;
  options.target = "cpu";
  const Compilation done = compile(SourceText("p.irplan", kProgram), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  const auto plan = checked_plan(done.plan_json, "p");
  REQUIRE(plan);
  const Plan::Phase& phase = plan->phases.back();
  const uint32_t count = phase.ops_end - phase.ops_begin;
  FakeClock clock;
  Profile profile(*plan, clock.seconds());
  // Every submission takes a millisecond, and the k-th op k more.
  const auto run = [&](OpRange range) -> Failure {
    clock.now += 1e-3;
    for (uint32_t k = 0; k < count; ++k)
      clock.now += range.contains(phase.ops_begin + k) ? (k + 1) * 1e-3 : 0;
    return std::nullopt;
  };
  Step step{phase.name, {}, 0};
  step.sizes.dims = {3};
  step.sizes.rows.resize(1);
  for (int i = 0; i < 2; ++i) REQUIRE_FALSE(profile.run(step, run));
  const auto json = nlohmann::json::parse(profile.json({"a doubt"}));
  const double all = 2.0 * count * (count + 1) / 2;
  CHECK(json["steps"] == 2);
  CHECK(json["ms"].get<double>() == Approx(all));
  CHECK(json["doubts"] == nlohmann::json({"a doubt"}));
  REQUIRE(json["ops"].size() == count);
  for (uint32_t k = 0; k < count; ++k) {
    CHECK(json["ops"][k]["calls"] == 2);
    CHECK(json["ops"][k]["ms"].get<double>() == Approx(2.0 * (k + 1)));
  }
  for (const char* list : {"by_operator", "by_kernel", "by_layer", "ops"}) {
    double sum = 0, share = 0;
    for (const auto& row : json[list]) sum += row["ms"].get<double>(), share += row["share"].get<double>();
    CHECK(sum == Approx(all));
    CHECK(share == Approx(1));
  }
  const auto named = [&](const char* list, const char* name) {
    return std::any_of(json[list].begin(), json[list].end(),
                       [&](const auto& row) { return row["name"] == name; });
  };
  CHECK(named("by_operator", "linear"));
  CHECK(named("by_layer", "layers.*.up"));
  CHECK(json["by_layer"].size() == 2);
  const auto trace = nlohmann::json::parse(profile.trace());
  double end = 0;
  size_t ops = 0, steps = 0;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    (event["cat"] == "op" ? ops : steps) += 1;
    if (event["cat"] != "op") continue;
    CHECK(event["ts"].get<double>() >= end);
    end = event["ts"].get<double>() + event["dur"].get<double>();
    CHECK(event["args"].contains("kernel"));
  }
  CHECK(ops == 2 * count);
  CHECK(steps == 2);
  CHECK(profile.circumstances().iterations == 2);
  CHECK(profile.circumstances().short_ops == 0);
  CHECK(profile.table().find("of 2 steps") != std::string::npos);
}

}  // namespace
}  // namespace irplan::run
