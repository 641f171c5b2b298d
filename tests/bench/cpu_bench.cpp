// One model's steps on this machine's processor, for tests/bench/cpu.py: `irplan-bench cpu KEY=VALUE…` prints
// one line of JSON. Weights are random and distinct.
//
//     config=FILE program=FILE  retype=WHAT=DTYPE (more than one)  let=NAME=VALUE  isa=NAME  threads=N
//     batch=N context=N         tokens in the caches before what is timed
//     steps=N length=N          steps that are timed, of so many tokens each
//     bandwidth=1               instead: what the machine reads
//     error=WHAT=DTYPE          instead: what this further retyping costs, over `context` tokens
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "bench/bench.h"
#include "cpu/cpu_backend.h"
#include "cpu/simd.h"
#include "irplan/compile.h"
#include "runtime/machine.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "runtime/threads.h"

namespace irplan::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "irplan-bench cpu: %s\n", why.c_str());
  std::exit(1);
}
void require(const Failure& failure) {
  if (failure) stop(*failure);
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) stop("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::pair<std::string, std::string> split(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) stop("`" + text + "` is not KEY=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

struct Work {
  CompileOptions options;
  std::string program;
  std::map<std::string, int64_t> numbers{{"threads", 0}, {"batch", 1},  {"context", 128},
                                         {"steps", 10},  {"length", 1}, {"bandwidth", 0}};
  std::string isa;
  std::pair<std::string, std::string> further;  // a retyping

  explicit Work(const std::vector<std::string>& words) {
    options.target = "cpu";
    for (const std::string& word : words) {
      const auto [key, value] = split(word);
      if (key == "config")
        options.config = text_of(value);
      else if (key == "program")
        program = text_of(value);
      else if (key == "retype")
        options.retypes.push_back(split(value));
      else if (key == "let")
        options.lets.push_back(split(value));
      else if (key == "error")
        further = split(value);
      else if (key == "isa")
        isa = value;
      else if (numbers.count(key))
        numbers[key] = std::atoll(value.c_str());
      else
        stop("there is no `" + key + "`");
    }
  }
};

Step step_of(const Plan& plan, int64_t batch, int64_t length, int64_t at) {
  Step step;
  step.phase = length == 1 && find_phase(plan, "decode") ? "decode" : plan.phases.front().name;
  for (const Plan::Dim& dim : plan.dims) {
    const int64_t size = dim.name == "B" ? batch : dim.name == "S" ? length : dim.name == "P" ? at : 1;
    step.sizes.dims.push_back(size);
    step.sizes.rows.emplace_back(dim.per.empty() ? 0 : static_cast<size_t>(batch), size);
  }
  return step;
}

class Run {
 public:
  Run(const Plan& plan, Session& session, int64_t batch) : plan_(plan), session_(session), batch_(batch) {}

  // Takes the time of one step; its tokens are the greedy ones of the last step where that is known.
  double step(int64_t length, int64_t at) {
    const Step step = step_of(plan_, batch_, length, at);
    HostArray ids;
    ids.floats = false;
    ids.shape = {batch_, length};
    for (int64_t i = 0; i < batch_ * length; ++i) ids.i.push_back((at * 131 + i * 17 + next_) % kVocabulary);
    const auto begin = Clock::now();
    require(session_.bind(step));
    require(session_.set_input(*find_input(plan_, "tokens"), ids));
    require(session_.run());
    const auto logits = session_.read(find_output(plan_, "logits", step.phase)->value);
    if (!logits) stop(logits.message());
    next_ = std::max_element(logits->f.begin(), logits->f.end()) - logits->f.begin();
    const double seconds = seconds_since(begin);
    for (const float x : logits->f) {
      if (!std::isfinite(x)) stop("a logit is no finite number");
    }
    return seconds;
  }

 private:
  static constexpr int64_t kVocabulary = 256;  // ids that any model has
  const Plan& plan_;
  Session& session_;
  int64_t batch_, next_ = 0;
};

// What the machine reads from memory, the best of some passes over a gibibyte.
int bandwidth() {
  constexpr size_t kBytes = size_t{1} << 30, kPart = size_t{1} << 20;
  const auto backend = make_cpu_backend(machine_bytes());
  std::byte* data = nullptr;
  require(backend->allocate(kBytes, 64, &data));
  require(backend->fill(data, 1, kBytes));
  std::vector<uint64_t> sums(kBytes / kPart);
  double least = 1e9;
  for (int pass = 0; pass < 6; ++pass) {
    const auto begin = Clock::now();
    parallel(static_cast<int64_t>(sums.size()), 1, [&](int64_t first, int64_t end) {
      for (int64_t part = first; part < end; ++part) {
        const auto* words = reinterpret_cast<const uint64_t*>(data + static_cast<size_t>(part) * kPart);
        uint64_t lanes[8] = {};
        for (size_t i = 0; i < kPart / 8; i += 8) {
          for (size_t l = 0; l < 8; ++l) lanes[l] ^= words[i + l];
        }
        for (const uint64_t lane : lanes) sums[static_cast<size_t>(part)] += lane;
      }
    });
    least = std::min(least, seconds_since(begin));
  }
  std::printf("{\"gb_s\": %.2f, \"threads\": %d, \"machine\": \"%s\", \"sum\": %llu}\n",
              1e-9 * kBytes / least, thread_count(), circumstances().c_str(),
              static_cast<unsigned long long>(sums[0]));
  backend->release(data);
  return 0;
}

// Logits of all positions of `context` tokens.
std::vector<float> logits_of(const Work& work, CompileOptions options) {
  options.lets.emplace_back("every", "true");
  const Compilation done = compile(SourceText("model.irplan", work.program), options);
  if (!done.ok) stop(render(done.diagnostics, done.source, false));
  const auto plan = checked_plan(done.plan_json, "plan.json");
  if (!plan) stop(plan.message());
  const auto backend = make_cpu_backend(machine_bytes());
  Session session(*plan, *backend);
  const int64_t length = work.numbers.at("context");
  const Step step = step_of(*plan, 1, length, 0);
  WeightSource weights;
  weights.seed = 1;
  require(session.prepare({step}, weights));
  require(session.bind(step));
  HostArray ids;
  ids.floats = false;
  ids.shape = {1, length};
  for (int64_t i = 0; i < length; ++i) ids.i.push_back((i * 131 + i * i % 17) % 256);
  require(session.set_input(*find_input(*plan, "tokens"), ids));
  require(session.run());
  const auto logits = session.read(find_output(*plan, "logits", step.phase)->value);
  if (!logits) stop(logits.message());
  return logits->f;
}

// What a further retyping costs: of the difference of logits the rms over that of the logits, and at how many
// positions the largest is the same.
int error(const Work& work) {
  const std::vector<float> plain = logits_of(work, work.options);
  CompileOptions options = work.options;
  options.retypes.push_back(work.further);
  const std::vector<float> other = logits_of(work, options);
  double square = 0, lost = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    square += static_cast<double>(plain[i]) * plain[i];
    lost += (static_cast<double>(plain[i]) - other[i]) * (static_cast<double>(plain[i]) - other[i]);
  }
  const auto positions = work.numbers.at("context");
  const auto width = static_cast<std::ptrdiff_t>(plain.size()) / positions;
  int64_t same = 0;
  for (std::ptrdiff_t p = 0; p < positions; ++p) {
    const auto top = [&](const std::vector<float>& all) {
      const auto from = all.begin() + p * width;
      return std::max_element(from, from + width) - from;
    };
    same += top(plain) == top(other);
  }
  std::printf("{\"rms\": %.6g, \"top1\": %.4f, \"positions\": %lld}\n", std::sqrt(lost / square),
              static_cast<double>(same) / static_cast<double>(positions), static_cast<long long>(positions));
  return 0;
}

}  // namespace

int cpu_bench(const std::vector<std::string>& words) {
  Work work(words);
  auto& n = work.numbers;
  if (!work.isa.empty()) {
    if (auto failure = cpu::choose_isa(work.isa)) stop(*failure);
  }
  lend_machine_threads(static_cast<int>(n["threads"]));
  if (n["bandwidth"]) return bandwidth();
  if (!work.further.first.empty()) return error(work);
  const Compilation done = compile(SourceText("model.irplan", work.program), work.options);
  if (!done.ok) stop(render(done.diagnostics, done.source, false));
  const auto plan = checked_plan(done.plan_json, "plan.json");
  if (!plan) stop(plan.message());
  const auto backend = make_cpu_backend(machine_bytes());
  Session session(*plan, *backend);
  const int64_t batch = n["batch"], length = n["length"], longest = n["context"] + n["steps"] * length;
  const auto loading = Clock::now();
  WeightSource weights;
  weights.seed = 1;
  require(session.prepare({step_of(*plan, batch, std::max(length, std::min<int64_t>(n["context"], 512)), 0),
                           step_of(*plan, batch, 1, longest - 1)},
                          weights));
  const double load = seconds_since(loading);
  Run run(*plan, session, batch);
  int64_t at = 0;
  while (at < n["context"]) {
    const int64_t some = std::min<int64_t>(512, n["context"] - at);
    run.step(some, at);
    at += some;
  }
  std::vector<double> times;
  for (int64_t i = 0; i < n["steps"]; ++i, at += length) times.push_back(run.step(length, at));
  std::string list;
  for (const double t : times) list += (list.empty() ? "" : ", ") + std::to_string(t * 1e6);
  int64_t allocated = 0;
  for (const auto bytes : {session.allocated().weights, session.allocated().state, session.allocated().arena})
    allocated += bytes;
  std::printf(
      "{\"device\": \"%s\", \"load_s\": %.3f, \"weight_bytes\": %lld, \"allocated_bytes\": %lld, "
      "\"peak_mib\": %.0f, \"us\": [%s]}\n",
      backend->device().c_str(), load, static_cast<long long>(session.allocated().weights),
      static_cast<long long>(allocated), peak_mebibytes(), list.c_str());
  return 0;
}

}  // namespace irplan::bench
