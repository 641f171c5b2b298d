#include "runner.h"

#include <emscripten/emscripten.h>
#include <emscripten/heap.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <set>

#include "base/bounded_json.h"
#include "cpu/cpu_backend.h"
#include "runtime/inputs.h"
#include "runtime/npy.h"
#include "runtime/reference_backend.h"
#include "runtime/statistics.h"

namespace irplan {
namespace {

using serving::json, serving::member, serving::text_of, serving::sizes_of, serving::texts_of;

constexpr size_t kAside =
    size_t{32} << 20;  // bytes for what is worked in: pieces of weights, lines of products
constexpr int64_t kToldBefore = 100'000'000;  // operations of an op that is told before it runs
constexpr int kMaxBins = 4096;

// What may still be allocated of all that wasm32 can have.
size_t free_memory() {
  const size_t used = reinterpret_cast<size_t>(sbrk(0)), most = emscripten_get_heap_max();
  return most > used + kAside ? most - used - kAside : 0;
}

json json_of(const PerSegment& bytes) {
  return {
      {"weights", bytes.weights}, {"state", bytes.state}, {"inputs", bytes.inputs}, {"arena", bytes.arena}};
}

json json_of(const std::vector<int64_t>& shape) { return json(shape); }

std::vector<int64_t> extents(const Plan::Value& value, const Binding& binding) {
  std::vector<int64_t> shape;
  for (const Expr extent : value.shape) shape.push_back(evaluate(extent, binding).value_or(0));
  return shape;
}

// Bytes of a value as plain numbers (HostArray), beside those in its own dtype.
std::optional<int64_t> plain_bytes(const Plan::Value& value, const Binding& binding) {
  const auto count = checked_count(extents(value, binding));
  int64_t bytes = 0;
  const int64_t each = is_float(value.dtype) ? 4 : 8;
  if (!count || __builtin_mul_overflow(*count, each + info(value.dtype).bytes, &bytes)) return std::nullopt;
  return bytes;
}

bool gives(const Plan::Output& output, const Plan::Phase& phase) {
  return output.phase.empty() || output.phase == phase.name;
}

// A phase's sizes: those that are given, else its own, else the plan's; of each row the same.
Result<StepBinding> sizes_in(const Plan& plan, const Plan::Phase& phase, const json& request) {
  StepBinding out;
  for (const Plan::Dim& dim : plan.dims) out.dims.push_back(dim.value);
  for (const Plan::PhaseDim& own : phase.dims) {
    if (const auto at = plan.pool->find(own.name)) out.dims[*at] = own.value;
  }
  for (const auto& [name, size] : sizes_of(request, "dims")) {
    const auto at = plan.pool->find(name);
    if (!at || *at >= out.dims.size()) return Error{"the plan has no dim " + name};
    out.dims[*at] = size;
  }
  out.rows.resize(plan.dims.size());
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    if (plan.dims[d].per.empty()) continue;
    const auto counted = plan.pool->find(plan.dims[d].per);
    const int64_t rows = counted ? out.dims[*counted] : 1;
    if (rows < 0 || rows > kMostStepRows)
      return Error{plan.dims[d].per + " = " + std::to_string(rows) + " is more rows than are run"};
    out.rows[d].assign(static_cast<size_t>(rows), out.dims[d]);
  }
  return out;
}

}  // namespace

std::byte* PlanRunner::room(size_t bytes) {
  room_.reset();
  room_bytes_ = 0;
  if (bytes == 0 || bytes > free_memory()) return nullptr;
  room_.reset(new (std::nothrow) std::byte[bytes]);
  if (room_) room_bytes_ = bytes;
  return room_.get();
}

std::string PlanRunner::call(const std::string& text) {
  const json request = parse_json(text);
  if (!request.is_object()) return serving::failure("a request is a record of JSON");
  struct Method {
    const char* name;
    Result<json> (PlanRunner::*answer)(const json&);
    bool of_plan, of_session;
  };
  static constexpr Method kMethods[] = {
      {"open", &PlanRunner::open, false, false}, {"file", &PlanRunner::read_file, false, false},
      {"need", &PlanRunner::need, true, false},  {"prepare", &PlanRunner::prepare, true, false},
      {"step", &PlanRunner::step, true, true},   {"output", &PlanRunner::output, true, true},
      {"npy", &PlanRunner::npy, true, true},
  };
  const std::string asked = text_of(request, "method");
  for (const Method& method : kMethods) {
    if (asked != method.name) continue;
    if (method.of_plan && !plan_) return serving::failure("no plan is open");
    if (method.of_session && !step_) return serving::failure("no step is prepared");
    const auto reply = (this->*method.answer)(request);
    return reply ? serving::dump(*reply) : serving::failure(reply.message());
  }
  return serving::failure("there is no method `" + asked + "`");
}

Result<PlanRunner::json> PlanRunner::open(const json& request) {
  session_.reset();
  step_.reset();
  const std::string backend = text_of(request, "backend", "cpu");
  if (backend != "cpu" && backend != "reference")
    return Error{"there is no backend `" + backend + "` here; there are cpu and reference"};
  plan_.reset();
  auto plan = checked_plan(text_of(request, "plan"), text_of(request, "name", "plan.json"));
  if (!plan) return plan.error();
  plan_ = std::make_unique<Plan>(*std::move(plan));
  backend_ = backend == "cpu" ? make_cpu_backend(SIZE_MAX) : make_reference_backend(SIZE_MAX);
  if (auto failure = backend_->load(*plan_)) {
    const bool other = plan_->target != backend_->target() && backend == "cpu";
    const std::string advice =
        other ? "; the plan is for " + plan_->target +
                    ": compile the program with the target cpu, or run it by the reference"
              : "";
    plan_.reset();
    return Error{*failure + advice};
  }
  json phases = json::array();
  for (const Plan::Phase& phase : plan_->phases) phases.push_back(phase.name);
  return json{{"phases", phases}, {"target", plan_->target}};
}

Result<Step> PlanRunner::step_of(const json& request) const {
  const std::string asked = text_of(request, "phase");
  std::string names;
  for (const Plan::Phase& phase : plan_->phases) names += (names.empty() ? "" : ", ") + phase.name;
  const Plan::Phase* phase =
      asked.empty() && plan_->phases.size() == 1 ? plan_->phases.data() : find_phase(*plan_, asked);
  if (!phase)
    return Error{(asked.empty() ? "the plan has several phases: say one of "
                                : "there is no phase " + asked + "; there are ") +
                 names};
  auto sizes = sizes_in(*plan_, *phase, request);
  if (!sizes) return sizes.error();
  Step step{phase->name, std::move(*sizes), 0};
  if (auto failure = check_step(*plan_, step)) return Error{*failure};
  return step;
}

// `results`: the most that inputs and outputs take beside the plan's own memory, one at a time.
Failure PlanRunner::check_room(const Step& step, PerSegment* bytes, int64_t* results) const {
  const auto predicted = predicted_bytes(*plan_, step.phase, step.sizes.dims);
  if (!predicted) return "phases " + step.phase + ": its bytes exceed 64 bits";
  *bytes = *predicted;
  *results = 0;
  const Plan::Phase& phase = *find_phase(*plan_, step.phase);
  std::vector<uint32_t> beside = inputs_of(*plan_, phase);
  for (const Plan::Output& output : plan_->outputs) {
    if (gives(output, phase)) beside.push_back(output.value);
  }
  for (const uint32_t value : beside) {
    const auto plain = plain_bytes(plan_->values[value], step.sizes.dims);
    if (!plain) return plan_->values[value].id + ": its bytes exceed 64 bits";
    *results = std::max(*results, *plain);
  }
  const auto total = sum_of_products({{1, bytes->total().value_or(INT64_MAX)}, {1, *results}});
  const size_t free = free_memory();
  if (total && static_cast<uint64_t>(*total) <= free) return std::nullopt;
  const auto part = [](const char* what, int64_t n) { return what + (" " + std::to_string(n)); };
  return "out of memory: " + (total ? std::to_string(*total) : "too many") + " bytes are needed (" +
         part("weights", bytes->weights) + " + " + part("state", bytes->state) + " + " +
         part("inputs", bytes->inputs) + " + " + part("arena", bytes->arena) + " + " +
         part("one input or output as numbers", *results) + "), and WebAssembly has " + std::to_string(free) +
         " left of 4 GiB; run it natively, or at smaller sizes";
}

Result<PlanRunner::json> PlanRunner::need(const json& request) {
  const auto step = step_of(request);
  if (!step) return step.error();
  PerSegment bytes;
  int64_t results = 0;
  if (auto failure = check_room(*step, &bytes, &results)) return Error{*failure};
  const Plan::Phase& phase = *find_phase(*plan_, step->phase);
  json dims = json::object(), inputs = json::array(), outputs = json::array(), counted = json_of(bytes);
  for (size_t d = 0; d < plan_->dims.size(); ++d) dims[plan_->dims[d].name] = step->sizes.dims[d];
  for (const uint32_t input : inputs_of(*plan_, phase)) {
    const Plan::Value& value = plan_->values[input];
    inputs.push_back({{"name", value.id},
                      {"dtype", name(value.dtype)},
                      {"shape", json_of(extents(value, step->sizes.dims))}});
  }
  for (const Plan::Output& output : plan_->outputs) {
    if (gives(output, phase)) outputs.push_back(output.name);
  }
  counted["results"] = results;
  counted["total"] = bytes.total().value_or(0) + results;
  int64_t flops = 0;
  for (uint32_t op = phase.ops_begin; op < phase.ops_end; ++op)
    flops += std::min(evaluate(plan_->ops[op].flops, step->sizes.dims).value_or(0), kMaxJsonInt / 1024);
  return json{{"phase", phase.name},
              {"dims", dims},
              {"bytes", counted},
              {"room", free_memory()},
              {"ops", phase.ops_end - phase.ops_begin},
              {"flops", flops},
              {"inputs", inputs},
              {"outputs", outputs}};
}

Result<PlanRunner::json> PlanRunner::read_file(const json& request) {
  File file;
  file.name = text_of(request, "name", "file");
  if (!room_) return Error{file.name + " is not there"};
  const std::span<const std::byte> bytes(room_.get(), room_bytes_);
  Failure failure;
  if (room_bytes_ >= 6 && static_cast<uint8_t>(bytes[0]) == 0x93) {  // "\x93NUMPY"
    auto array = read_npy(bytes);
    if (array)
      file.tensors.push_back({"", std::move(*array)});
    else
      failure = array.message();
  } else if (const auto tensors = Safetensors::read(bytes)) {
    file.tensors = tensors->tensors();
  } else {
    failure = tensors.message();
  }
  if (failure) {
    room_.reset();
    return Error{file.name + ": " + *failure};
  }
  file.bytes = std::move(room_);
  json tensors = json::array();
  for (const NamedTensor& one : file.tensors)
    tensors.push_back(
        {{"name", one.name}, {"dtype", info(one.tensor.type).name}, {"shape", json_of(one.tensor.shape)}});
  std::erase_if(files_, [&](const File& other) { return other.name == file.name; });
  files_.push_back(std::move(file));
  return json{{"tensors", tensors}};
}

Result<WeightSource> PlanRunner::weights_of(const json& request) const {
  WeightSource source;
  const json* spec = member(request, "weights");
  if (const json* seed = spec ? member(*spec, "seed") : nullptr) {
    if (!seed->is_number_integer() || *seed < 0) return Error{"weights: the seed is no whole number"};
    source.seed = seed->get<uint64_t>();
    return source;
  }
  const auto names = spec ? texts_of(*spec, "files") : std::vector<std::string>();
  if (names.empty()) return Error{"weights are neither files nor of a seed"};
  std::vector<NamedTensor> tensors;
  std::set<std::string> seen;
  for (const std::string& name_of : names) {
    const auto file =
        std::find_if(files_.begin(), files_.end(), [&](const File& f) { return f.name == name_of; });
    if (file == files_.end()) return Error{name_of + " is not there"};
    for (const NamedTensor& one : file->tensors) {
      if (one.name.empty()) return Error{name_of + " is a .npy file, which names no weight"};
      if (!seen.insert(one.name).second) return Error{"weights: two files hold " + one.name.substr(0, 200)};
      tensors.push_back(one);
    }
  }
  source.checkpoint.emplace(names.size() == 1 ? names[0] : std::to_string(names.size()) + " files",
                            std::move(tensors));
  return source;
}

Result<const StoredTensor*> PlanRunner::tensor_of(const json& spec) const {
  const std::string name_of = text_of(spec, "file"), key = text_of(spec, "tensor");
  for (const File& file : files_) {
    if (file.name != name_of) continue;
    if (key.empty() && file.tensors.size() == 1) return &file.tensors[0].tensor;
    for (const NamedTensor& one : file.tensors) {
      if (one.name == key) return &one.tensor;
    }
    return Error{name_of + (key.empty()
                                ? " holds " + std::to_string(file.tensors.size()) + " tensors: say which"
                                : " holds no tensor `" + key + "`")};
  }
  return Error{name_of + " is not there"};
}

Failure PlanRunner::set_input(uint32_t input, const json* spec, const Step& step) {
  const Plan::Value& value = plan_->values[input];
  const std::vector<int64_t> shape = extents(value, step.sizes.dims);
  std::string table;
  std::optional<HostArray> array;
  if (!spec || !spec->is_object()) return "no numbers are given for input " + value.id;
  if (spec->contains("file")) {
    const auto stored = tensor_of(*spec);
    if (!stored) return "input " + value.id + ": " + stored.message();
    const StoredTensor& tensor = **stored;
    if (auto failure = unlike(value, tensor)) return failure;
    if (tensor.shape != shape)
      return "input " + value.id + " is " + text(tensor.shape) + ", and at these sizes " + text(shape) +
             " is expected";
    auto read = stored_input(value, tensor);
    if (!read) return read.message();
    array = *std::move(read);
  } else if (const json* number = member(*spec, "value"); number && number->is_number()) {
    array = constant_input(value, shape, number->get<double>());
  } else if (const json* seed = member(*spec, "seed"); seed && seed->is_number_integer() && *seed >= 0) {
    const int64_t below = table_rows(*plan_, input, step.sizes.dims, kRandomBelow, &table);
    array = random_input(value, shape, seed->get<uint64_t>(), below);
  } else {
    return "input " + value.id + " is given neither by a seed, a value nor a file";
  }
  if (auto failure = ids_outside(*plan_, input, *array, step.sizes.dims)) return failure;
  return session_->set_input(input, *array);
}

Result<PlanRunner::json> PlanRunner::prepare(const json& request) {
  session_.reset();
  step_.reset();
  auto step = step_of(request);
  PerSegment bytes;
  int64_t results = 0;
  if (!step) return step.error();
  if (auto failure = check_room(*step, &bytes, &results)) return Error{*failure};
  const auto source = weights_of(request);
  if (!source) return source.error();
  // What folding needs besides is known to the session alone.
  const size_t most = free_memory() - static_cast<size_t>(results);
  backend_ = backend_->target().empty() ? make_reference_backend(most) : make_cpu_backend(most);
  session_ = std::make_unique<Session>(*plan_, *backend_);
  const auto fill = [&]() -> Failure {
    if (auto failure = session_->prepare({*step}, *source, progress_)) return failure;
    if (auto failure = session_->bind(*step)) return failure;
    if (text_of(request, "states") == "zeros") {
      if (auto failure = session_->clear_states()) return failure;
    }
    const json* given = member(request, "inputs");
    for (const uint32_t input : inputs_of(*plan_, *find_phase(*plan_, step->phase))) {
      const json* spec = given ? member(*given, plan_->values[input].id.c_str()) : nullptr;
      if (auto failure = set_input(input, spec, *step)) return failure;
    }
    return std::nullopt;
  };
  if (auto failure = fill()) {
    session_.reset();
    return Error{*failure};
  }
  next_ = find_phase(*plan_, step->phase)->ops_begin;
  step_ = *std::move(step);
  const WeightReport& report = session_->weights();
  json notes = json::array(), allocated = json_of(session_->allocated());
  if (!report.unread.empty())
    notes.push_back(std::to_string(report.unread.size()) + " tensors of the weights are read by nothing");
  for (const std::string& turned : report.turned) notes.push_back(turned);
  if (!report.quantised.empty())
    notes.push_back("quantised " + std::to_string(report.quantised.size()) + " weights; the error is " +
                    std::to_string(report.error) + " of the rms over all");
  allocated["loading"] = session_->memory().loading_bytes();
  return json{{"bytes", allocated}, {"notes", notes}};
}

Result<PlanRunner::json> PlanRunner::step(const json& request) {
  const Plan::Phase& phase = *find_phase(*plan_, step_->phase);
  const json* ms = member(request, "ms");
  const double end = emscripten_get_now() + (ms && ms->is_number() ? ms->get<double>() : 50);
  const auto work = [&] {
    return next_ < phase.ops_end ? evaluate(plan_->ops[next_].flops, step_->sizes.dims).value_or(0) : 0;
  };
  bool first = true;
  while (next_ < phase.ops_end && (first || (work() < kToldBefore && emscripten_get_now() < end))) {
    if (auto failure = session_->run({next_, next_ + 1})) return Error{*failure};
    ++next_;
    first = false;
  }
  const bool more = next_ < phase.ops_end;
  return json{{"done", next_ - phase.ops_begin},
              {"of", phase.ops_end - phase.ops_begin},
              {"op", more ? json(plan_->ops[next_].id) : json()},
              {"flops", more ? json(work()) : json()}};
}

Result<PlanRunner::Output> PlanRunner::read(const json& request) {
  const std::string name_of = text_of(request, "name");
  const Plan::Output* output = find_output(*plan_, name_of, step_->phase);
  if (!output) return Error{name_of + " is not an output of phase " + step_->phase};
  last_ = {};
  npy_ = {};
  data_ = nullptr;
  data_bytes_ = 0;
  auto array = session_->read(output->value);
  if (!array) return array.error();
  return Output{std::move(*array), plan_->values[output->value].dtype};
}

Result<PlanRunner::json> PlanRunner::output(const json& request) {
  auto found = read(request);
  if (!found) return found.error();
  last_ = std::move(*found);
  const HostArray& array = last_.array;
  data_ = array.floats ? reinterpret_cast<const std::byte*>(array.f.data())
                       : reinterpret_cast<const std::byte*>(array.i.data());
  data_bytes_ = static_cast<size_t>(array.count()) * (array.floats ? 4 : 8);
  const json* bins = member(request, "bins");
  const int wanted = bins && bins->is_number_integer() ? std::clamp(bins->get<int>(), 1, kMaxBins) : 64;
  const Statistics of = statistics(array);
  return json{{"dtype", name(last_.dtype)},
              {"shape", json_of(array.shape)},
              {"floats", array.floats},
              {"statistics",
               {{"count", of.count},
                {"nan", of.nan},
                {"infinite", of.infinite},
                {"least", of.least},
                {"largest", of.largest},
                {"mean", of.mean},
                {"deviation", of.deviation}}},
              {"histogram", histogram(array, of, wanted)}};
}

Result<PlanRunner::json> PlanRunner::npy(const json& request) {
  const auto found = read(request);
  if (!found) return found.error();
  npy_ = npy_bytes(found->array, found->dtype);
  data_ = reinterpret_cast<const std::byte*>(npy_.data());
  data_bytes_ = npy_.size();
  return json{{"bytes", npy_.size()}};
}

}  // namespace irplan
