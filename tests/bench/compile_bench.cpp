// How long a plan takes: source and config to plan.json, and a plan bound at new sizes.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/bench.h"
#include "irplan/compile.h"
#include "irplan/new_program.h"
#include "plan/bounds.h"
#include "plan/plan.h"

namespace irplan::bench {
namespace {

// What is aimed at, in seconds on one core of a common machine.
constexpr double kPlanInMemory = 0.020, kPlanWritten = 0.050, kEditToDiagnostics = 0.020, kStart = 0.005,
                 kHundredThousandOps = 1.5, kAllModels = 1.0;
constexpr double kProven80 = 0.025, kProven100k = 0.5, kBounds = 0.0005;  // of plans that are proven
constexpr double kMostMebibytes = 64;  // of the compiler, with a plan of 80 layers

std::string example(const std::string& name) {
  return read(std::filesystem::path(IRPLAN_SOURCE_DIR) / "examples/models" / (name + ".irplan"));
}

// Llama 3 70B, with as many layers as asked.
std::string llama_config(int layers) {
  return R"({"model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64,
  "num_key_value_heads": 8, "num_hidden_layers": )" +
         std::to_string(layers) +
         R"(, "vocab_size": 128256, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
  "max_position_embeddings": 8192, "hidden_act": "silu", "torch_dtype": "bfloat16"})";
}

Compilation compiled(const std::string& source, const std::string& config, bool write = true) {
  CompileOptions options;
  options.write = write;
  if (!config.empty()) options.config = config;
  return compile(SourceText("bench.irplan", source), options);
}

// A compilation that must work; otherwise its figures would be those of an error.
Compilation sure(const std::string& source, const std::string& config) {
  Compilation c = compiled(source, config);
  if (c.ok) return c;
  std::fputs(render(c.diagnostics, c.source, false).c_str(), stderr);
  std::exit(1);
}

size_t count_ops(const Compilation& c) {
  const auto plan = read_plan(c.plan_json);
  return plan ? plan->ops.size() : 0;
}

std::string described(const Compilation& c) {
  return std::to_string(count_ops(c)) + " ops, plan.json " + std::to_string(c.plan_json.size() / 1024) +
         " KiB";
}

void time_layers() {
  const std::string source = example("llama");
  double at_80 = 0;
  for (const int layers : {10, 20, 40, 80, 160}) {
    const std::string config = llama_config(layers);
    const Compilation once = sure(source, config);
    const Timing t = measure([&] { compiled(source, config, false); });
    if (layers == 80) at_80 = t.median;
    char per_layer[48];
    std::snprintf(per_layer, sizeof per_layer, ", %.3f ms a layer", 1e3 * t.median / layers);
    const std::string name = "llama 70B, " + std::to_string(layers) + " layers, plan in memory";
    if (layers == 80) {
      row(name, t, kPlanInMemory, described(once) + per_layer);
      figure("peak memory up to here", peak_mebibytes(), "MiB", kMostMebibytes);
    } else {
      row(name, t, described(once) + per_layer);
    }
  }
  const auto file = std::filesystem::temp_directory_path() / "irplan-bench-plan.json";
  const Timing written = measure([&] {
    const Compilation c = compiled(source, llama_config(80));
    std::ofstream(file, std::ios::binary) << c.plan_json;
  });
  std::filesystem::remove(file);
  char over[48];
  std::snprintf(over, sizeof over, "writing adds %.2f ms", 1e3 * (written.median - at_80));
  row("llama 70B, 80 layers, plan.json written", written, kPlanWritten, over);
  const std::string chunk = "min(C, 2048)";  // one number is typed anew, and back
  std::string edited = source;
  edited.replace(edited.find(chunk), chunk.size(), "min(C, 1024)");
  bool other = false;
  const Timing typed =
      measure([&] { compiled((other = !other) ? edited : source, llama_config(80), false); });
  row("llama 70B, one line edited, to diagnostics", typed, kEditToDiagnostics);
}

// A process from its start to its end.
void time_start() {
  const std::string program = std::string(IRPLAN_BIN_DIR) + "/irplan";
  char* const arguments[] = {const_cast<char*>("irplan"), const_cast<char*>("--version"), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto run = [&] {
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, program.c_str(), &quiet, nullptr, arguments, environ) != 0) return false;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  };
  if (run()) {
    row("irplan --version, a whole process", measure([&] { run(); }), kStart);
  } else {
    std::printf("%-44s skipped: %s is not built\n", "irplan --version", program.c_str());
  }
  posix_spawn_file_actions_destroy(&quiet);
}

void time_synthetic() {
  const std::string source =
      "input x: f16[1, S, 1024]\nh = x\nfor i in 50000 with h {\n  y = silu(h)\n  h = y + x\n}\nout = "
      "output(h)\n";
  const Compilation c = compiled(source, "");
  if (!c.ok) {
    std::printf("%-44s refused: %s\n", "100,000 ops",
                c.diagnostics.list().empty() ? "" : c.diagnostics.list()[0].message.c_str());
    return;
  }
  row("100,000 ops, a loop of silu and add", measure([&] { compiled(source, ""); }), kHundredThousandOps,
      described(c));
}

// Published models, each with the example that `irplan new` chooses.
void time_models() {
  const auto path = std::filesystem::path(IRPLAN_SOURCE_DIR) / "tests/data/parameter-counts.json";
  const auto models = nlohmann::ordered_json::parse(read(path));
  double total = 0;
  int count = 0;
  for (const auto& [name, model] : models.items()) {
    const std::string config = model["config"].dump();
    const auto program = new_program(config);
    if (!program || !program->fits) continue;
    const Compilation once = sure(program->text, config);
    const Timing t = measure([&] { compiled(program->text, config); });
    total += t.work;
    ++count;
    row(name + " (" + program->example + ")", t, described(once));
  }
  figure("all " + std::to_string(count) + " models, work of each", 1e3 * total, "ms", 1e3 * kAllModels);
}

// Processor time of this thread: what else the machine does is not in it.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// Least milliseconds of each pass, and of all from source to plan.json, over the runs.
nlohmann::ordered_json least_of_passes(int layers, int runs) {
  const std::string source = example("llama"), config = llama_config(layers);
  nlohmann::ordered_json passes = nlohmann::ordered_json::object();
  double least = 1e9;
  for (int run = 0; run < runs; ++run) {
    const double start = cpu_ms();
    double last = start;
    CompileOptions options;
    options.config = config;
    options.on_pass = [&](const char* pass) {
      const double now = cpu_ms();
      passes[pass] = std::min(passes.value(pass, 1e9), now - last);
      last = now;
    };
    compile(SourceText("bench.irplan", source), options);
    least = std::min(least, cpu_ms() - start);
  }
  return {{"ms", least}, {"passes", passes}};
}

// The sizes at which the plain numbers of a phase hold.
Binding values_in(const Plan& plan, const Plan::Phase& phase) {
  Binding binding;
  for (const Plan::Dim& d : plan.dims) binding.push_back(d.value);
  for (const Plan::PhaseDim& d : phase.dims) binding[*plan.pool->find(d.name)] = d.value;
  return binding;
}

// Least microseconds of a call.
double least_us(const std::function<void()>& work) {
  constexpr int kCalls = 20;
  double least = 1e9;
  for (int run = 0; run < 100; ++run) {
    const double start = cpu_ms();
    for (int i = 0; i < kCalls; ++i) work();
    least = std::min(least, 1e3 * (cpu_ms() - start) / kCalls);
  }
  return least;
}

}  // namespace

// For tests/bench/memory.py: JSON on stdout.
int planning_bench() {
  nlohmann::ordered_json layers = nlohmann::ordered_json::object(), bind = nlohmann::ordered_json::object();
  for (const int n : {20, 40, 80, 160}) layers[std::to_string(n)] = least_of_passes(n, 12);
  const Compilation c = sure(example("llama"), llama_config(80));
  const auto plan = read_plan(c.plan_json);
  if (!plan) return std::fprintf(stderr, "%s\n", plan.message().c_str()), 1;
  for (const Plan::Phase& phase : plan->phases) {
    const Binding binding = values_in(*plan, phase);
    bind[phase.name] = least_us([&] { bind_arena(*plan, phase.name, binding); });
  }
  std::printf("%s\n", nlohmann::ordered_json({{"layers", layers}, {"bind_us", bind}}).dump().c_str());
  return 0;
}

int compile_bench() {
  std::printf("%s\n", circumstances().c_str());
  time_layers();
  time_start();
  time_models();
  time_synthetic();
  std::printf("peak of this process %.0f MiB\n", peak_mebibytes());
  return 0;
}

namespace {

void time_long_proof() {
  const std::string text =
      "dim S in 1..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\nh = x\n"
      "for i in 33334 with h { a = linear(h, w)\n b = linear(a, w)\n h = a + b }\ny = output(h)\n";
  const Compilation c = sure(text, "");
  const auto plan = read_plan(c.plan_json);
  if (!plan) return;
  const Timing t = measure([&] { validate_plan(*plan); });
  row("prove " + std::to_string(plan->ops.size()) + " ops", t, kProven100k,
      validate_plan(*plan).empty() ? "" : "REFUSED");
}

}  // namespace

int bind_bench() {
  std::printf("%s\n", circumstances().c_str());
  const Compilation c = sure(example("llama"), llama_config(80));
  row("read plan.json, 80 layers", measure([&] { static_cast<void>(read_plan(c.plan_json)); }));
  row("read and prove plan.json, 80 layers", measure([&] { static_cast<void>(read_true_plan(c.plan_json)); }),
      kProven80);
  const auto plan = read_true_plan(c.plan_json);
  if (!plan) return std::fprintf(stderr, "%s\n", plan.message().c_str()), 1;
  time_long_proof();
  const PlanBounds bounds(*plan);
  for (const Plan::Phase& phase : plan->phases) {
    const Binding binding = values_in(*plan, phase);
    row("bounds of a step of " + phase.name + ", 80 layers",
        measure([&] { bounds.check(phase.name, binding); }), kBounds);
  }
  for (const Plan::Phase& phase : plan->phases) {
    const Binding binding = values_in(*plan, phase);
    int64_t bytes = 0;
    const Timing t = measure([&] { bytes += bind_arena(*plan, phase.name, binding)->bytes; });
    row("bind phase " + phase.name + ", 80 layers", t,
        bytes > 0 ? std::to_string(plan->buffers.size()) + " buffers" : "an empty arena");
  }
  return 0;
}

}  // namespace irplan::bench
