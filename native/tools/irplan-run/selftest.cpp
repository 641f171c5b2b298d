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
#include "irplan/compile.h"
#include "kernels/kernel.h"
#include "runtime/session.h"
#include "tools/irplan-run/backends.h"

namespace irplan::run {
namespace {

struct Trial {
  const char* name;
  const char* program;
  double tolerance;  // of the largest number of an output
};

constexpr Trial kTrials[] = {
    {"elements, axes and order, f32", R"(
dim S in 1..32
input x: f32[2, S, 64]
input y: f32[2, S, 64]
e = exp(clamp(x, lo=-2.0, hi=2.0)) + sqrt(x * x + 1.0) - tanh(y) / (sigmoid(y) + 1.0)
f = gelu(e) + gelu_tanh(-e) + relu(x) + softcap(y, cap=3.0)
g = softmax(f) * max(f, axis=2, keep=true)
u, v = split(transpose(g, perm=[0, 2, 1]), sizes=[32, 32], axis=1)
sums = output(sum(concat(v, slice(u, axis=1, start=4, len=8), axis=1), axis=1))
best = output(argmax(f, axis=2))
top, ids = topk(f, k=4)
most = output(top)
places = output(cast(ids, to=i64))
rounded = output(view(cast(g, to=bf16), shape=[2, -1]))
)",
     1e-5},
    {"norms, products, gates, blocks, bf16", R"(
dim S in 1..32
input x: bf16[1, S, 256]
n = layernorm(x, param bf16[256] from "n.w", param bf16[256] from "n.b", eps=1e-5)
h = linear(n, param bf16[512, 256] from "h.w", param bf16[512] from "h.b")
g, u = split(h, sizes=[256, 256])
r = rmsnorm(silu(g) * u + x, param bf16[256] from "r.w", eps=1e-5)
l = layernorm(gelu_tanh(u) * g + x, param bf16[256] from "l.w", param bf16[256] from "l.b", eps=1e-5)
q = linear(r, dequant(param q8_0[256, 256] from "q.w", to=bf16))
y = output(q + linear(l, param mxfp4[256, 256] from "m.w"))
plain = output(rmsnorm(x, param bf16[256] from "p.w", eps=1e-5))
squares = output(matmul(x, transpose(x, perm=[0, 2, 1])))
)",
     2e-2},
    {"a layer with experts, prefill and decode", R"(
dim B in 1..4
dim S in 1..8
dim P[B] in 0..24
phase prefill { S in 1..8 }
phase decode { S = 1 }
input tokens: i32[B, S]
table = param bf16[64, 128] from "table"
h = embed(tokens, table)
q = rope(view(linear(h, param bf16[128, 128] from "q"), shape=[B, S, 4, 32]), at=P, base=10000.0)
k = rope(view(linear(h, param bf16[64, 128] from "k"), shape=[B, S, 2, 32]), at=P, base=10000.0)
v = view(linear(h, param bf16[64, 128] from "v"), shape=[B, S, 2, 32])
keys = append(state bf16[B, 32, 2, 32] from "keys", k, at=P)
values = append(state bf16[B, 32, 2, 32] from "values", v, at=P)
small = append(state q8_0[B, 32, 2, 32] from "small", v, at=P)
a = attention(q, keys, values) + attention(q, keys, small, window=4, sinks=param bf16[4] from "sinks")
t = view(a, shape=[B, S, 128])
w, e = route(linear(t, param bf16[8, 128] from "route", to=f32), k=2)
x = expert(h, param bf16[8, 64, 128] from "up", e)
y = expert(silu(x), param bf16[8, 128, 64] from "down", e)
o = sum(y * view(w, shape=[B, S, 2, 1]), axis=2)
logits = output(linear(h + o, table, to=f32))
)",
     5e-2},
};

constexpr uint32_t kSeed = 1;
constexpr int64_t kBatch = 3, kPrompt = 5;

// The steps of a trial: one, or a prompt and the token after it.
std::vector<Step> steps_of(const Plan& plan) {
  std::vector<Step> steps;
  for (const Plan::Phase& phase : plan.phases) {
    if (phase.name == "load") continue;
    Step step;
    step.phase = phase.name;
    const bool decodes = phase.name == "decode";
    for (const Plan::Dim& dim : plan.dims) {
      const int64_t size = !dim.per.empty()  ? (decodes ? kPrompt : 0)
                           : dim.name == "B" ? kBatch
                           : decodes         ? 1
                                             : kPrompt;
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

// All outputs of all steps, in order; none with the reason.
std::optional<std::vector<std::pair<std::string, HostArray>>> outputs(const Plan& plan, Backend& backend,
                                                                      std::string* why) {
  const std::vector<Step> steps = steps_of(plan);
  WeightSource weights;
  weights.seed = kSeed;
  Session session(plan, backend);
  if (auto failure = session.prepare(steps, weights)) return *why = *failure, std::nullopt;
  std::vector<std::pair<std::string, HostArray>> out;
  std::mt19937 random(kSeed);
  for (const Step& step : steps) {
    Failure failure = session.bind(step);
    for (uint32_t i = 0; i < plan.values.size() && !failure; ++i) {
      if (plan.values[i].kind != Plan::Kind::Input) continue;
      failure = session.set_input(i, numbers(plan.values[i], step.sizes, random));
    }
    if (!failure) failure = session.run();
    if (failure) return *why = *failure, std::nullopt;
    for (const Plan::Output& output : plan.outputs) {
      if (!output.phase.empty() && output.phase != step.phase) continue;
      auto array = session.read(output.value, why);
      if (!array) return std::nullopt;
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

// Whether it passes; says so on stdout.
bool passes(const Trial& trial, Backend& backend, Backend& reference, std::set<std::string>& kernels) {
  const auto said = [&](bool good, const std::string& what) {
    std::printf("%-44s %s%s\n", trial.name, good ? "passed" : "FAILED",
                what.empty() ? "" : (", " + what).c_str());
    return good;
  };
  CompileOptions options;
  options.target = backend.target().empty() ? "cpu" : std::string(backend.target());
  const Compilation done = compile(SourceText("selftest", trial.program), options);
  if (!done.ok) return said(false, "does not compile: " + render(done.diagnostics, done.source, false));
  std::string why;
  const auto plan = checked_plan(done.plan_json, "selftest", &why);
  if (!plan) return said(false, why);
  if (auto failure = backend.load(*plan)) return said(false, *failure);
  const auto want = outputs(*plan, reference, &why);
  if (!want) return said(false, "on the reference: " + why);
  const auto got = outputs(*plan, backend, &why);
  if (!got) return said(false, why);
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
    std::string why;
    const auto backend = make_backend(name, &why);
    out += std::string(name) + std::string(12 - std::string(name).size(), ' ') +
           (backend ? backend->device() : "not here: " + why) + "\n";
  }
  return out;
}

std::string kernels_text() {
  std::string out;
  for (const KernelRow& row : kernel_table()) {
    std::string name = row.name();
    name.resize(std::max<size_t>(name.size() + 1, 24), ' ');
    out += name + row.sentence + "\n";
  }
  return out;
}

Exit selftest(const std::string& name) {
  std::string why;
  const auto backend = make_backend(name, &why), reference = make_backend("reference", &why);
  if (!backend || !reference) return fail(kFailed, why), kFailed;
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
  return failed ? kFailed : kDone;
}

}  // namespace irplan::run
