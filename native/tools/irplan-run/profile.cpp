#include "tools/irplan-run/profile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/times.h"
#include "command_line/terminal.h"
#include "files/write.h"
#include "tools/irplan-run/traffic.h"

namespace irplan::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSlowest = 10;
constexpr size_t kMostEvents = 1000000;  // of a trace
constexpr double kLeastSeconds = 1e-9;

std::string line(const std::string& name, int64_t ops, double seconds, double all, double bytes,
                 double flops) {
  char text[160];
  const double s = std::max(seconds, kLeastSeconds);
  std::snprintf(text, sizeof text, "%-36.36s %6lld %10.3f %5.1f%% %9.2f %9.2f\n", name.c_str(),
                static_cast<long long>(ops), seconds * 1e3, all > 0 ? 100 * seconds / all : 0.0,
                bytes / s * 1e-9, flops / s * 1e-9);
  return text;
}

std::string head(const char* name) {
  char text[160];
  std::snprintf(text, sizeof text, "%-36s %6s %10s %6s %9s %9s\n", name, "ops", "ms", "", "GB/s", "GFLOP/s");
  return text;
}

// Numbers between dots or slashes: "model.layers.*.mlp", "i.*/keys".
std::string without_numbers(const std::string& name) {
  std::string out, word;
  const auto flush = [&] {
    const bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    out += number ? "*" : word;
    word.clear();
  };
  for (const char c : name) {
    if (c != '.' && c != '/') {
      word += c;
      continue;
    }
    flush();
    out += c;
  }
  flush();
  return out;
}

}  // namespace

std::string layer_class(const Plan& plan, const Plan::Op& op) {
  for (const uint32_t operand : op.in) {
    if (operand == kAbsent) continue;
    const Plan::Value& value = plan.values[operand];
    if (plan.buffers[value.buffer].segment != Plan::Segment::Weights) continue;
    std::string name = without_numbers(value.id);
    for (const std::string end : {".packed", ".weight"}) {
      if (name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0)
        name.resize(name.size() - end.size());
    }
    return name;
  }
  const size_t slash = op.id.find('/');
  return without_numbers(slash == std::string::npos ? op.id : op.id.substr(slash + 1));
}

Profile::Profile(const Plan& plan, Seconds clock)
    : plan_(plan),
      clock_(std::move(clock)),
      before_(processor_times()),
      origin_(clock_()),
      seconds_(plan.ops.size(), 0),
      bytes_(plan.ops.size(), 0),
      flops_(plan.ops.size(), 0),
      calls_(plan.ops.size(), 0) {}

Profile::Row& Profile::Row::operator+=(const Row& other) {
  ops += other.ops;
  calls += other.calls;
  seconds += other.seconds;
  bytes += other.bytes;
  flops += other.flops;
  return *this;
}

Failure Profile::run(const Step& step, const Run& run) {
  const Plan::Phase* phase = find_phase(plan_, step.phase);
  const double first = clock_();
  if (auto failure = run({UINT32_MAX, UINT32_MAX})) return failure;
  const double begin = clock_(), without = begin - first;
  for (uint32_t i = phase->ops_begin; i < phase->ops_end; ++i) {
    const double before = clock_();
    if (auto failure = run({i, i + 1})) return failure;
    const double took = std::max(clock_() - before - without, kLeastSeconds);
    if (events_.size() < kMostEvents) events_.push_back({i, before - origin_, took});
    seconds_[i] += took;
    const Traffic traffic = traffic_of(plan_, i, step.sizes);
    bytes_[i] += traffic.bytes;
    flops_[i] += traffic.flops;
    ++calls_[i];
  }
  std::string name = step.phase;
  for (size_t d = 0; d < plan_.dims.size(); ++d)
    name += " " + plan_.dims[d].name + "=" + std::to_string(step.sizes.dims[d]);
  steps_.push_back({name, begin - origin_, clock_() - begin});
  return std::nullopt;
}

Profile::Row Profile::of_op(uint32_t op) const {
  return {plan_.ops[op].id, 1, calls_[op], seconds_[op], bytes_[op], flops_[op]};
}

std::vector<Profile::Row> Profile::rows(const NameOf& name_of) const {
  std::map<std::string, Row> by_name;
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    if (calls_[i] == 0) continue;
    Row& sum = by_name[name_of(plan_.ops[i])];
    sum += of_op(i);
  }
  std::vector<Row> out;
  for (auto& [name, row] : by_name) {
    out.push_back(row);
    out.back().name = name;
  }
  std::stable_sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return out;
}

std::string Profile::table() const {
  double all = 0;
  for (const double s : seconds_) all += s;
  std::string out;
  const auto section = [&](const char* title, const std::vector<Row>& rows, size_t most) {
    out += head(title);
    for (size_t i = 0; i < rows.size() && i < most; ++i)
      out += line(rows[i].name, rows[i].ops, rows[i].seconds, all, rows[i].bytes, rows[i].flops);
  };
  section("operator", rows([](const Plan::Op& op) { return op.row->name; }), SIZE_MAX);
  section("kernel", rows([](const Plan::Op& op) { return op.kernel; }), SIZE_MAX);
  section("layer", rows([this](const Plan::Op& op) { return layer_class(plan_, op); }), 2 * kSlowest);
  section("slowest ops", rows([](const Plan::Op& op) { return op.id; }), kSlowest);
  char text[128];
  std::snprintf(text, sizeof text,
                "%s in all, of %zu step%s; each op is waited for, so a run without --profile is faster\n",
                time_text(all).c_str(), steps_.size(), steps_.size() == 1 ? "" : "s");
  return out + text;
}

std::string Profile::json(const std::vector<std::string>& doubts) const {
  double all = 0;
  for (const double s : seconds_) all += s;
  const auto record = [&](const Row& row) {
    return Json({{"name", row.name},
                 {"ops", row.ops},
                 {"calls", row.calls},
                 {"ms", row.seconds * 1e3},
                 {"share", all > 0 ? row.seconds / all : 0},
                 {"bytes", row.bytes},
                 {"flops", row.flops}});
  };
  const auto list = [&](const std::vector<Row>& rows) {
    Json out = Json::array();
    for (const Row& row : rows) out.push_back(record(row));
    return out;
  };
  Json ops = Json::array();
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    if (calls_[i] == 0) continue;
    const Plan::Op& op = plan_.ops[i];
    Json one = record(of_op(i));
    one.erase("ops");
    one["operator"] = op.row->name;
    one["kernel"] = op.kernel;
    one["layer"] = layer_class(plan_, op);
    ops.push_back(std::move(one));
  }
  return Json({{"version", 1},
               {"steps", steps_.size()},
               {"ms", all * 1e3},
               {"by_operator", list(rows([](const Plan::Op& op) { return op.row->name; }))},
               {"by_kernel", list(rows([](const Plan::Op& op) { return op.kernel; }))},
               {"by_layer", list(rows([this](const Plan::Op& op) { return layer_class(plan_, op); }))},
               {"ops", std::move(ops)},
               {"doubts", doubts}})
             .dump(1) +
         "\n";
}

// The trace event format: complete events ("X") in microseconds; steps above, ops below.
std::string Profile::trace() const {
  Json events = Json::array();
  const auto name = [&](const char* what, int thread, const char* of) {
    events.push_back({{"name", what}, {"ph", "M"}, {"pid", 1}, {"tid", thread}, {"args", {{"name", of}}}});
  };
  name("process_name", 0, "irplan-run");
  name("thread_name", 1, "steps");
  name("thread_name", 2, "ops");
  const auto span = [&](const std::string& what, const char* category, double begin, double seconds,
                        int thread) {
    events.push_back({{"name", what},
                      {"cat", category},
                      {"ph", "X"},
                      {"ts", begin * 1e6},
                      {"dur", seconds * 1e6},
                      {"pid", 1},
                      {"tid", thread}});
  };
  for (const StepSpan& step : steps_) span(step.name, "step", step.begin, step.seconds, 1);
  for (const Event& event : events_) {
    const Plan::Op& op = plan_.ops[event.op];
    const double calls = static_cast<double>(calls_[event.op]);
    span(op.row->name, "op", event.begin, event.seconds, 2);
    events.back()["args"] = {{"op", op.id},
                             {"kernel", op.kernel},
                             {"layer", layer_class(plan_, op)},
                             {"bytes", bytes_[event.op] / calls},
                             {"flops", flops_[event.op] / calls}};
  }
  return Json({{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}).dump() + "\n";
}

Circumstances Profile::circumstances() const {
  Circumstances out;
  out.iterations = INT64_MAX;
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i] == 0) continue;
    out.iterations = std::min(out.iterations, calls_[i]);
    out.short_ops += seconds_[i] / static_cast<double>(calls_[i]) < kShortOp;
  }
  return out;
}

Exit Profile::show(const Options& options) {
  Circumstances found = circumstances();
  look(before_, processor_times(), &found);
  found.clock = clock_share();
  const auto why = doubts(found);
  std::fputs(table().c_str(), stderr);
  for (const std::string& doubt : why) command::say("note: " + doubt);
  std::vector<FileToWrite> files;
  if (!options.profile_file.empty()) files.push_back({options.profile_file, json(why)});
  if (!options.trace_file.empty()) files.push_back({options.trace_file, trace()});
  if (auto failure = write_files(files)) return fail(kFailed, *failure), kFailed;
  return kDone;
}

}  // namespace irplan::run
