#include "tools/irplan-run/bench.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "command_line/terminal.h"
#include "files/write.h"
#include "runtime/parallel.h"
#include "runtime/sampler.h"
#include "tools/irplan-run/figures.h"
#include "tools/irplan-run/profile.h"
#include "tools/irplan-run/token_steps.h"

namespace irplan::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kProfiled = 10;  // steps of --profile after a measurement
constexpr double kAbove = 1.02;    // of a ceiling, beyond which it is none
constexpr MeasureLimits kHost = {.warm_up = 0.01, .least_seconds = 0.1, .least_iterations = 20};

// One step as a run does it: sizes, inputs, ops, and of a model the choice of a token.
class Stepper {
 public:
  Stepper(const Plan& plan, const Options& options, Session& session, const Step& step,
          const std::vector<InputArray>& inputs)
      : session_(session), step_(step), inputs_(inputs) {
    take_tokens(plan, options);
    const Plan::Output* logits = find_output(plan, "logits", step.phase);
    if (!logits || !find_input(plan, "tokens")) return;
    const Plan::Value& value = plan.values[logits->value];
    if (!is_float(value.dtype) || value.shape.empty()) return;
    logits_ = logits->value;
    last_.assign(static_cast<size_t>(evaluate(value.shape[0], step.sizes.dims).value_or(0)), INT64_MAX);
  }

  Failure operator()(OpRange only) {
    if (steps_) {
      auto made = steps_->step(counts_, positions_);
      if (!made) return made.message();
      step_.sizes = std::move(made->sizes);
    }
    if (auto failure = session_.bind(step_)) return failure;
    for (const InputArray& input : inputs_) {
      if (auto failure = session_.set_input(input.value, input.array)) return failure;
    }
    if (auto failure = session_.run(only)) return failure;
    if (logits_ == kAbsent) return std::nullopt;
    int64_t width = 0;
    if (auto failure = session_.read_rows(logits_, last_, &rows_, &width)) return failure;
    for (size_t row = 0; row < last_.size(); ++row) {
      // Of random weights logits may be what they are.
      static_cast<void>(sampler_.next(rows_.data() + static_cast<int64_t>(row) * width, width));
    }
    return std::nullopt;
  }

 private:
  // A model's sizes are made anew for each step, from what its sequences hold.
  void take_tokens(const Plan& plan, const Options& options) {
    Options alone = options;
    alone.dims.clear();
    auto steps = TokenSteps::of(plan, alone);
    if (!steps || !steps->holds_positions()) return;
    const Shape& shape = plan.values[steps->input()].shape;
    const auto rows = static_cast<size_t>(evaluate(shape[0], step_.sizes.dims).value_or(0));
    const std::vector<int64_t>& own = step_.sizes.rows[steps->position()];
    counts_.assign(rows, evaluate(shape[1], step_.sizes.dims).value_or(0));
    positions_ = own.size() == rows ? own : std::vector<int64_t>(rows, step_.sizes.dims[steps->position()]);
    const auto made = steps->step(counts_, positions_);
    if (made && made->phase == step_.phase && made->sizes.dims == step_.sizes.dims)
      steps_ = *std::move(steps);
  }

  Session& session_;
  Step step_;
  std::optional<TokenSteps> steps_;
  std::vector<int64_t> counts_, positions_;
  const std::vector<InputArray>& inputs_;
  uint32_t logits_ = kAbsent;
  std::vector<int64_t> last_;
  std::vector<float> rows_;
  Sampler sampler_;
};

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < std::size(units); ++unit) bytes /= 1000;
  return rate_text(bytes) + " " + units[unit];
}

std::string share(double value, double ceiling) {
  char text[64];
  std::snprintf(text, sizeof text, ", %.1f%% of %s", 100 * value / ceiling,
                rate_text(ceiling * 1e-9).c_str());
  return text;
}

}  // namespace

std::string bench_text(const BenchReport& report) {
  const Spread spread = spread_of(report.samples);
  double all = 0;
  for (const double s : report.samples) all += s;
  const Traffic& t = report.traffic;
  const double bytes = t.bytes / spread.median, flops = t.flops / spread.median;
  std::string out = report.step + " on " + report.device + "\n";
  out += "runs      " + std::to_string(report.samples.size()) + " in " + time_text(all) + ", after " +
         time_text(report.limits.warm_up) + " of warm-up\n";
  out += "time      min " + time_text(spread.least) + ", median " + time_text(spread.median) + ", mean " +
         time_text(spread.mean) + ", P90 " + time_text(spread.p90) + ", P95 " + time_text(spread.p95) +
         ", P99 " + time_text(spread.p99) + "\n";
  if (report.tokens > 0)
    out += "tokens    " + rate_text(static_cast<double>(report.tokens) / spread.median) + " a second, " +
           std::to_string(report.tokens) + " a step\n";
  const auto& most = report.ceilings;
  out += "memory    " + rate_text(bytes * 1e-9) + " GB/s" + (most ? share(bytes, most->bytes()) : "") + ": " +
         bytes_text(t.weights) + " of weights, " + bytes_text(t.state) + " of states and " +
         bytes_text(std::max(0.0, t.bytes - t.held())) + " else a step\n";
  out +=
      "compute   " + rate_text(flops * 1e-9) + " GFLOP/s" + (most ? share(flops, most->flops()) : "") + "\n";
  out += "host      " + time_text(report.host) + " a step without its kernels\n";
  if (most)
    out += "roofline  " + time_text(least_seconds(*most, t.bytes, t.flops)) + " a step at least, " +
           rate_text(100 * least_seconds(*most, t.bytes, t.flops) / spread.median) + "% of the median\n";
  return out;
}

std::string bench_json(const BenchReport& report) {
  const Spread spread = spread_of(report.samples);
  const Traffic& t = report.traffic;
  Json json = {{"version", 1},
               {"step", report.step},
               {"device", report.device},
               {"warm_up_ms", report.limits.warm_up * 1e3},
               {"ms",
                {{"min", spread.least * 1e3},
                 {"median", spread.median * 1e3},
                 {"mean", spread.mean * 1e3},
                 {"p90", spread.p90 * 1e3},
                 {"p95", spread.p95 * 1e3},
                 {"p99", spread.p99 * 1e3}}},
               {"tokens_a_second", static_cast<double>(report.tokens) / spread.median},
               {"bytes", {{"weights", t.weights}, {"state", t.state}, {"all", t.bytes}}},
               {"bytes_a_second", t.bytes / spread.median},
               {"flops_a_second", t.flops / spread.median},
               {"host_ms", report.host * 1e3}};
  if (report.ceilings)
    json["ceilings"] = {{"bytes_a_second", report.ceilings->bytes()},
                        {"flops_a_second", report.ceilings->flops()}};
  json["doubts"] = report.doubts;
  Json samples = Json::array();
  for (const double s : report.samples) samples.push_back(s * 1e3);
  json["samples_ms"] = std::move(samples);
  return json.dump(1) + "\n";
}

namespace {

std::string step_text(const Plan& plan, const Step& step) {
  std::string out = step.phase;
  for (size_t d = 0; d < plan.dims.size(); ++d)
    out += (d ? ", " : " at ") + plan.dims[d].name + "=" + std::to_string(step.sizes.dims[d]);
  return out;
}

int64_t tokens_of(const Plan& plan, const Step& step) {
  const auto input = find_input(plan, "tokens");
  if (!input) return 0;
  int64_t count = 1;
  for (const Expr extent : plan.values[*input].shape) count *= evaluate(extent, step.sizes.dims).value_or(0);
  return count;
}

}  // namespace

Exit run_bench(const Plan& plan, Backend& backend, const Options& options, Session& session, const Step& step,
               const std::vector<InputArray>& inputs) {
  if (auto failure = session.clear_states()) return fail(kFailed, *failure), kFailed;
  Stepper run(plan, options, session, step, inputs);
  BenchReport report;
  report.step = step_text(plan, step);
  report.device = std::string(backend.name()) + ", " + backend.device();
  report.limits = options.limits;
  report.traffic = traffic_of(plan, step);
  report.tokens = tokens_of(plan, step);
  if (std::string_view(backend.name()) == "cpu") {
    auto known = known_ceilings(backend.device(), thread_count());
    report.no_ceilings = known.message();
    if (known) report.ceilings = *std::move(known);
  }
  const ProcessorTimes before = processor_times();
  auto failure = measure(
      options.limits, steady_seconds, [&] { return run({}); }, &report.samples);
  Circumstances found;
  look(before, processor_times(), &found);
  found.clock = clock_share();
  std::vector<double> host;
  if (!failure)
    failure = measure(
        kHost, steady_seconds,
        [&] {
          return run({UINT32_MAX, UINT32_MAX});
        },
        &host);
  if (failure) return fail(kFailed, *failure), kFailed;
  report.host = spread_of(host).median;
  const Spread spread = spread_of(report.samples);
  found.iterations = static_cast<int64_t>(report.samples.size());
  found.median = spread.median;
  found.p99 = spread.p99;
  report.doubts = doubts(found);
  if (report.ceilings && report.traffic.bytes / spread.median > kAbove * report.ceilings->bytes())
    report.doubts.push_back(
        "more is read than memory gives: what a step reads stays in a cache, or --calibrate ran on a busy "
        "machine");
  if (!command::print(bench_text(report))) return kFailed;
  if (!report.no_ceilings.empty()) command::say("note: " + report.no_ceilings);
  for (const std::string& doubt : report.doubts) command::say("note: " + doubt);
  if (!options.times_file.empty()) {
    if (auto unwritten = write_files({{options.times_file, bench_json(report)}}))
      return fail(kFailed, *unwritten), kFailed;
  }
  if (!options.profiles()) return kDone;
  Profile profile(plan);
  for (int64_t i = 0; i < kProfiled; ++i) {
    if (auto wrong = profile.run(step, [&](OpRange only) { return session.run(only); }))
      return fail(kFailed, *wrong), kFailed;
  }
  return profile.show(options);
}

}  // namespace irplan::run
