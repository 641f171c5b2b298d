#include "tools/irplan-run/selftest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "command_line/terminal.h"
#include "cuda/cuda_backend.h"
#include "irplan/compile.h"
#include "kernels/kernel.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "tools/irplan-run/backends.h"
#include "tools/irplan-run/ceilings.h"
#include "tools/irplan-run/profile.h"

namespace irplan::run {
namespace {

struct Trial {
  const char* name;
  const char* program;
  double tolerance;             // of the largest number of an output
  int64_t width = 0, rows = 0;  // W and N where times are taken
};

// W, and N where it is there, are small for the reference, and larger where times are taken.
constexpr Trial kTrials[] = {
    {"elements, axes and order, f32", R"(
let W = 64
let N = 32
dim S in 1..N
input x: f32[2, S, W]
input y: f32[2, S, W]
e = exp(clamp(x, lo=-2.0, hi=2.0)) + sqrt(x * x + 1.0) - tanh(y) / (sigmoid(y) + 1.0)
f = gelu(e) + gelu_tanh(-e) + relu(x) + softcap(y, cap=3.0)
g = softmax(f) * max(f, axis=2, keep=true)
u, v = split(transpose(g, perm=[0, 2, 1]), sizes=[W / 2, W / 2], axis=1)
sums = output(sum(concat(v, slice(u, axis=1, start=4, len=8), axis=1), axis=1))
best = output(argmax(f, axis=2))
top, ids = topk(f, k=4)
most = output(top)
places = output(cast(ids, to=i64))
rounded = output(view(cast(g, to=bf16), shape=[2, -1]))
)",
     1e-5, 2048, 512},
    {"norms, products, gates, blocks, bf16", R"(
let W = 256
let N = 32
dim S in 1..N
input x: bf16[1, S, W]
n = layernorm(x, param bf16[W] from "n.w", param bf16[W] from "n.b", eps=1e-5)
h = linear(n, param bf16[2 * W, W] from "h.w", param bf16[2 * W] from "h.b")
g, u = split(h, sizes=[W, W])
r = rmsnorm(silu(g) * u + x, param bf16[W] from "r.w", eps=1e-5)
l = layernorm(gelu_tanh(u) * g + x, param bf16[W] from "l.w", param bf16[W] from "l.b", eps=1e-5)
q = linear(r, dequant(param q8_0[W, W] from "q.w", to=bf16))
y = output(q + linear(l, param mxfp4[W, W] from "m.w"))
plain = output(rmsnorm(x, param bf16[W] from "p.w", eps=1e-5))
squares = output(matmul(x, transpose(x, perm=[0, 2, 1])))
)",
     2e-2, 2048, 128},
    {"a layer with experts, prefill and decode", R"(
let W = 128
let N = 8
dim B in 1..4
dim S in 1..N
dim P[B] in 0..4 * N - 8
phase prefill { S in 1..N }
phase decode { S = 1 }
input tokens: i32[B, S]
table = param bf16[64, W] from "table"
h = embed(tokens, table)
q = rope(view(linear(h, param bf16[W, W] from "q"), shape=[B, S, W / 32, 32]), at=P, base=10000.0)
k = rope(view(linear(h, param bf16[W / 2, W] from "k"), shape=[B, S, W / 64, 32]), at=P, base=10000.0)
v = view(linear(h, param bf16[W / 2, W] from "v"), shape=[B, S, W / 64, 32])
keys = append(state bf16[B, 4 * N, W / 64, 32] from "keys", k, at=P)
values = append(state bf16[B, 4 * N, W / 64, 32] from "values", v, at=P)
small = append(state q8_0[B, 4 * N, W / 64, 32] from "small", v, at=P)
a = attention(q, keys, values) + attention(q, keys, small, window=4, sinks=param bf16[W / 32] from "sinks")
t = view(a, shape=[B, S, W])
w, e = route(linear(t, param bf16[8, W] from "route", to=f32), k=2)
x = expert(h, param bf16[8, W / 2, W] from "up", e)
y = expert(silu(x), param bf16[8, W, W / 2] from "down", e)
o = sum(y * view(w, shape=[B, S, 2, 1]), axis=2)
logits = output(linear(h + o, table, to=f32))
places = output(positions(at=P, shape=[B, S]))
)",
     5e-2, 1024, 128},
};

constexpr uint32_t kSeed = 1;
constexpr int64_t kBatch = 3, kPrompt = 5;
constexpr int kTimes = 5;  // that each op is timed

// The steps of a trial: one, or a prompt and the token after it.
std::vector<Step> steps_of(const Plan& plan, int64_t prompt = kPrompt) {
  std::vector<Step> steps;
  for (const Plan::Phase& phase : plan.phases) {
    if (phase.name == "load") continue;
    Step step;
    step.phase = phase.name;
    const bool decodes = phase.name == "decode";
    for (const Plan::Dim& dim : plan.dims) {
      const int64_t size = !dim.per.empty()  ? (decodes ? prompt : 0)
                           : dim.name == "B" ? kBatch
                           : decodes         ? 1
                                             : prompt;
      step.sizes.dims.push_back(size);
      step.sizes.rows.emplace_back();
      if (!dim.per.empty()) step.sizes.rows.back().assign(static_cast<size_t>(kBatch), size);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

HostArray numbers(const Plan::Value& value, const StepBinding& sizes, std::mt19937& random) {
  HostArray out;
  out.floats = is_float(value.dtype);
  size_t count = 1;
  for (const Expr extent : value.shape) {
    out.shape.push_back(evaluate(extent, sizes.dims).value_or(0));
    count *= static_cast<size_t>(out.shape.back());
  }
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int64_t> ids(0, 63);
  if (is_float(value.dtype)) {
    for (size_t i = 0; i < count; ++i) out.f.push_back(normal(random));
  } else {
    for (size_t i = 0; i < count; ++i) out.i.push_back(ids(random));
  }
  return out;
}

Failure give_inputs(const Plan& plan, const Step& step, std::mt19937& random, Session& session) {
  Failure failure = session.bind(step);
  for (uint32_t i = 0; i < plan.values.size() && !failure; ++i) {
    if (plan.values[i].kind == Plan::Kind::Input)
      failure = session.set_input(i, numbers(plan.values[i], step.sizes, random));
  }
  return failure;
}

// All outputs of all steps, in order; none with the reason.
Result<std::vector<std::pair<std::string, HostArray>>> outputs(const Plan& plan, Backend& backend) {
  const std::vector<Step> steps = steps_of(plan);
  WeightSource weights;
  weights.seed = kSeed;
  Session session(plan, backend);
  if (auto failure = session.prepare(steps, weights)) return Error{*failure};
  std::vector<std::pair<std::string, HostArray>> out;
  std::mt19937 random(kSeed);
  for (const Step& step : steps) {
    Failure failure = give_inputs(plan, step, random, session);
    if (!failure) failure = session.run();
    if (failure) return Error{*failure};
    for (const Plan::Output& output : plan.outputs) {
      if (!output.phase.empty() && output.phase != step.phase) continue;
      auto array = session.read(output.value);
      if (!array) return array.error();
      out.emplace_back(step.phase + "/" + output.name, std::move(*array));
    }
  }
  return out;
}

// The largest difference as a part of the largest number; infinite where integers differ or one is no number.
double difference(const HostArray& want, const HostArray& got) {
  if (want.shape != got.shape || want.i != got.i || want.f.size() != got.f.size()) return INFINITY;
  double most = 0, largest = 0;
  for (size_t i = 0; i < want.f.size(); ++i) {
    const double apart = std::fabs(double{want.f[i]} - double{got.f[i]});
    if (!(apart <= 1e30)) return INFINITY;
    most = std::max(most, apart);
    largest = std::max(largest, std::fabs(double{want.f[i]}));
  }
  return largest > 0 ? most / largest : most;
}

Result<Plan> planned(const Trial& trial, const Backend& backend, bool large) {
  CompileOptions options;
  options.target = backend.target().empty() ? "cpu" : std::string(backend.target());
  if (large) options.lets = {{"W", std::to_string(trial.width)}, {"N", std::to_string(trial.rows)}};
  const Compilation done = compile(SourceText("selftest", trial.program), options);
  if (!done.ok) return Error{"does not compile: " + render(done.diagnostics, done.source, false)};
  auto plan = checked_plan(done.plan_json, "selftest");
  if (!plan) return plan;
  if (auto failure = backend.load(*plan)) return Error{*failure};
  return plan;
}

// Whether it passes; says so on stdout.
bool passes(const Trial& trial, Backend& backend, Backend& reference, std::set<std::string>& kernels) {
  const auto said = [&](bool good, const std::string& what) {
    std::printf("%-44s %s%s\n", trial.name, good ? "passed" : "FAILED",
                what.empty() ? "" : (", " + what).c_str());
    return good;
  };
  const auto plan = planned(trial, backend, false);
  if (!plan) return said(false, plan.message());
  const auto want = outputs(*plan, reference);
  if (!want) return said(false, "on the reference: " + want.message());
  const auto got = outputs(*plan, backend);
  if (!got) return said(false, got.message());
  double most = 0;
  std::string where;
  for (size_t i = 0; i < want->size(); ++i) {
    const double apart = difference((*want)[i].second, (*got)[i].second);
    if (apart > most || where.empty()) most = apart, where = (*want)[i].first;
  }
  for (const Plan::Op& op : plan->ops) kernels.insert(op.kernel);
  char text[64];
  std::snprintf(text, sizeof text, "%.2g of the largest number, in ", most);
  return said(most <= trial.tolerance, text + where);
}

}  // namespace

std::string backends_text() {
  std::string out;
  for (const char* name : {"cuda", "cpu", "reference"}) {
    const auto made = make_backend(name);
    out += std::string(name) + std::string(12 - std::string(name).size(), ' ') +
           (made ? made->backend->device() : "not here: " + made.message()) + "\n";
  }
  return out;
}

std::string kernels_text() {
  std::string out;
  for (const char* target : {"cpu", "cuda"}) {
    if (target == std::string_view("cuda") && !cuda_built()) continue;
    for (const KernelRow& row : kernels_of(target)) {
      const std::string registers = target == std::string_view("cuda") ? cuda_registers(row) : "";
      out += command::name_column(row.name()) + row.sentence + (registers.empty() ? "" : "; " + registers) +
             "\n";
    }
  }
  return out;
}

namespace {

// Adds the trial's times by kernel, its least ones beside them.
Failure time_kernels(const Trial& trial, Backend& backend, const Result<Ceilings>& ceilings,
                     std::map<std::string, KernelTime>& to) {
  const auto plan = planned(trial, backend, true);
  if (!plan) return plan.message();
  const std::vector<Step> steps = steps_of(*plan, trial.rows);
  WeightSource weights;
  weights.seed = kSeed;
  Session session(*plan, backend);
  if (auto failure = session.prepare(steps, weights)) return failure;
  std::mt19937 random(kSeed);
  for (const Step& step : steps) {
    if (auto failure = give_inputs(*plan, step, random, session)) return failure;
    if (auto failure = session.run()) return failure;  // to warm up
    Profile profile(*plan);
    for (int i = 0; i < kTimes; ++i) {
      if (auto failure = profile.run(step, [&](OpRange only) { return session.run(only); })) return failure;
    }
    for (uint32_t op = 0; op < plan->ops.size(); ++op) {
      const Profile::Row row = profile.of_op(op);
      if (row.calls == 0) continue;
      KernelTime& sum = to[plan->ops[op].kernel];
      sum.seconds += row.seconds / kTimes;
      if (ceilings) sum.least += least_seconds(*ceilings, row.bytes / kTimes, row.flops / kTimes);
    }
  }
  return std::nullopt;
}

Exit show_times(Backend& backend) {
  Result<Ceilings> ceilings = Error{"what this device can do is not measured"};
  if (std::string_view(backend.name()) == "cpu") ceilings = known_ceilings(backend.device(), thread_count());
  std::map<std::string, KernelTime> times;
  for (const Trial& trial : kTrials) {
    if (auto failure = time_kernels(trial, backend, ceilings, times)) return fail(kFailed, *failure), kFailed;
  }
  std::fputs(times_text(times, static_cast<bool>(ceilings)).c_str(), stdout);
  if (!ceilings) command::say("note: " + ceilings.message());
  return kDone;
}

}  // namespace

std::string times_text(const std::map<std::string, KernelTime>& times, bool known) {
  std::string out = command::name_column("kernel") + "        ms" + (known ? "     least     of it\n" : "\n");
  for (const auto& [name, time] : times) {
    char text[96];
    std::snprintf(text, sizeof text, "%10.3f", time.seconds * 1e3);
    out += command::name_column(name) + text;
    std::snprintf(text, sizeof text, "%10.3f %8.1f%%", time.least * 1e3, 100 * time.least / time.seconds);
    out += (known ? text : "") + std::string("\n");
  }
  return out;
}

Exit selftest(const std::string& name, bool perf) {
  const auto made = make_backend(name), plain = make_backend("reference");
  if (!made || !plain) return fail(kFailed, made ? plain.message() : made.message()), kFailed;
  const std::unique_ptr<Backend>&backend = made->backend, &reference = plain->backend;
  std::printf("%s, %s\n", backend->name(), backend->device().c_str());
  std::set<std::string> run;
  int failed = 0;
  for (const Trial& trial : kTrials) failed += !passes(trial, *backend, *reference, run);
  std::string missing;
  size_t held = 0;
  for (const std::string& kernel : backend->kernels()) {
    ++held;
    if (run.count(kernel) == 0) missing += (missing.empty() ? "" : ", ") + kernel;
  }
  if (held) std::printf("%zu kernels held; not run: %s\n", held, missing.empty() ? "none" : missing.c_str());
  std::printf("%zu passed, %d failed\n", std::size(kTrials) - static_cast<size_t>(failed), failed);
  if (failed) return kFailed;
  return perf ? show_times(*backend) : kDone;
}

}  // namespace irplan::run
