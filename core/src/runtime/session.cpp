#include "runtime/session.h"

#include <algorithm>
#include <utility>

namespace irplan {
namespace {

Failure outside(const Plan::Dim& dim, int64_t value, int64_t min, const std::optional<int64_t>& max,
                const std::string& phase) {
  if (value >= min && (!max || value <= *max)) return std::nullopt;
  return "dim " + dim.name + " = " + std::to_string(value) + " is outside of its range " +
         std::to_string(min) + ".." + (max ? std::to_string(*max) : "") +
         (phase.empty() ? "" : " in phase " + phase);
}

}  // namespace

Result<Plan> checked_plan(const std::string& text, const std::string& file) {
  auto plan = read_true_plan(text);
  if (!plan) return Error{file + ": " + plan.message()};
  return plan;
}

Failure check_ranges(const Plan& plan, const std::string& phase_name, const StepBinding& sizes) {
  const Plan::Phase* phase = find_phase(plan, phase_name);
  if (!phase) return "there is no phase " + phase_name;
  int64_t rows = 1;
  for (const auto& own : sizes.rows) rows = std::max<int64_t>(rows, static_cast<int64_t>(own.size()));
  for (int64_t b = 0; b < rows; ++b) {
    const Binding binding = sizes.row(b);
    for (size_t d = 0; d < plan.dims.size(); ++d) {
      const Plan::Dim& dim = plan.dims[d];
      if (auto failure = outside(dim, binding[d], dim.min, dim.max, "")) return failure;
      for (const Plan::PhaseDim& own : phase->dims) {
        if (own.name != dim.name) continue;
        if (auto failure = outside(dim, binding[d], own.min, own.max, phase->name)) return failure;
      }
    }
    Evaluator value(*plan.pool, binding);
    for (const Plan::Guard& guard : plan.guards) {
      if (!guard.phase.empty() && guard.phase != phase->name) continue;
      const auto left = value(guard.left), right = value(guard.right);
      if (left && right && holds(*left, guard.relation, *right)) continue;
      std::string at;
      for (const DimIndex d : dims_of(guard.left - guard.right))
        at += (at.empty() ? "" : ", ") + plan.pool->dim_name(d) + " = " + std::to_string(binding[d]);
      return std::string(guard.budget ? "over the budget: " : "") + "`" + guard.left.text() + " " +
             symbol(guard.relation) + " " + guard.right.text() + "` does not hold at " + at + " (" +
             place_text(plan, guard.line) + ")";
    }
  }
  return std::nullopt;
}

Failure check_step(const Plan& plan, const Step& step) {
  if (auto failure = check_ranges(plan, step.phase, step.sizes)) return failure;
  const auto wrong = PlanBounds(plan).check(step.phase, step.sizes.dims, step.sizes.rows);
  return wrong ? Failure("the plan does not hold at these sizes: " + *wrong) : std::nullopt;
}

const Plan::Phase* find_phase(const Plan& plan, const std::string& name) {
  for (const Plan::Phase& phase : plan.phases) {
    if (phase.name == name) return &phase;
  }
  return nullptr;
}

std::optional<uint32_t> find_input(const Plan& plan, const std::string& name) {
  for (uint32_t i = 0; i < plan.values.size(); ++i) {
    if (plan.values[i].kind == Plan::Kind::Input && plan.values[i].id == name) return i;
  }
  return std::nullopt;
}

const Plan::Output* find_output(const Plan& plan, const std::string& name, const std::string& phase) {
  for (const Plan::Output& output : plan.outputs) {
    if (output.name == name && (phase.empty() || output.phase == phase || output.phase.empty()))
      return &output;
  }
  return nullptr;
}

Failure Session::prepare(const std::vector<Step>& widest, const WeightSource& source,
                         const LoadProgress& progress) {
  if (widest.empty()) return "there is no step to run";
  for (const Step& step : widest) {
    const auto bytes = predicted_bytes(plan_, step.phase, step.sizes.dims);
    if (!bytes) return "phases " + step.phase + ": its bytes exceed 64 bits";
    if (auto failure = check_budgets(plan_, step.phase, step.sizes.dims, *bytes)) return failure;
    predicted_.weights = std::max(predicted_.weights, bytes->weights);
    predicted_.state = std::max(predicted_.state, bytes->state);
    predicted_.inputs = std::max(predicted_.inputs, bytes->inputs);
    predicted_.arena = std::max(predicted_.arena, bytes->arena);
  }
  const Step* most = &widest[0];  // the step whose states are largest gives them their size
  for (const Step& step : widest) {
    if (predicted_bytes(plan_, step.phase, step.sizes.dims)->state >
        predicted_bytes(plan_, most->phase, most->sizes.dims)->state)
      most = &step;
  }
  if (auto failure = check_weights(plan_, most->sizes.dims, source)) return failure;
  if (auto failure = memory_.allocate(most->sizes.dims, predicted_)) return failure;
  for (const Step& step : widest) {
    if (backend_.target().empty()) break;  // it makes no records, and refuses nothing by them
    if (auto failure = bind(step)) return failure;
  }
  return load(*most, source, progress);
}

// Weights that stay are filled where they stay. One that is packed or folded is loaded just before the first
// op that reads it, into memory that others had before, and where rows are packed by themselves some rows
// after others: rows and panels of a weight are never there at once.
Failure Session::load(const Step& step, const WeightSource& source, const LoadProgress& progress) {
  uint32_t end = 0;
  while (end < plan_.ops.size() && plan_.ops[end].phase == "load") ++end;
  std::unique_ptr<Program> program;
  if (end > 0) {
    auto prepared = backend_.prepare(plan_, {0, end}, memory_.loading(), memory_.segments(), step.sizes);
    if (!prepared) return prepared.message();
    program = *std::move(prepared);
  }
  WeightLoader loader(plan_, step.sizes.dims, source, addresses(memory_.loading(), memory_.segments()),
                      backend_, progress, &report_);
  const auto load_all = [&]() -> Failure {
    std::vector<std::vector<uint32_t>> later(plan_.buffers.size());  // params, by buffer
    for (uint32_t value = 0; value < plan_.values.size(); ++value) {
      if (plan_.values[value].kind != Plan::Kind::Param) continue;
      const uint32_t buffer = plan_.values[value].buffer;
      if (memory_.loading()[buffer].segment == MemorySegment::Loading)
        later[buffer].push_back(value);
      else if (auto failure = loader.load(value))
        return failure;
    }
    for (uint32_t op = 0; op < end; ++op) {
      if (const int64_t rows = memory_.rows_at_once(op)) {
        const uint32_t weight = plan_.ops[op].in[0];
        later[plan_.values[weight].buffer].clear();
        const int64_t n = evaluate(plan_.values[weight].shape[0], step.sizes.dims).value_or(0),
                      k = evaluate(plan_.values[weight].shape[1], step.sizes.dims).value_or(0);
        for (int64_t first = 0; first < n; first += rows) {
          const int64_t some = std::min(rows, n - first);
          if (auto failure = loader.load(weight, first * k, some * k)) return failure;
          if (auto failure = program->submit_rows(step.sizes, op, first, some)) return failure;
        }
        continue;
      }
      for (const uint32_t operand : plan_.ops[op].in) {
        if (operand == kAbsent) continue;
        for (const uint32_t value : std::exchange(later[plan_.values[operand].buffer], {})) {
          if (auto failure = loader.load(value)) return failure;
        }
      }
      if (auto failure = program->submit(step.sizes, {op, op + 1})) return failure;
    }
    return program ? program->wait() : std::nullopt;
  };
  const Failure failure = load_all();
  if (auto changed = loader.finish()) return changed;
  if (failure) return failure;
  memory_.free_loading();
  return std::nullopt;
}

Failure Session::bind(const Step& step) {
  step_ = step;
  if (!bound_ || !serves(*bound_, step)) {
    const auto known = std::find_if(prepared_.begin(), prepared_.end(),
                                    [&](const auto& prepared) { return serves(*prepared, step); });
    if (known != prepared_.end()) {
      bound_ = known->get();
      std::rotate(known, known + 1, prepared_.end());
    } else if (auto failure = prepare_program(step)) {
      return failure;
    }
  }
  step_.sizes.first_slot = step.first_slot - bound_->first_slot.value_or(0);
  return std::nullopt;
}

// Whether an output of the phase is a state, which is read where the layout has it.
bool Session::yields_states(const std::string& phase) const {
  return std::any_of(plan_.outputs.begin(), plan_.outputs.end(), [&](const Plan::Output& output) {
    return (output.phase.empty() || output.phase == phase) &&
           plan_.buffers[plan_.values[output.value].buffer].segment == Plan::Segment::State;
  });
}

// One program for all slots, where its records have them as control numbers.
Failure Session::prepare_program(const Step& step) {
  if (auto wrong = bounds_.check(step.phase, step.sizes.dims, step.sizes.rows))
    return "the plan does not hold at these sizes: " + *wrong;
  auto fresh = std::make_unique<Prepared>();
  if (auto failure = prepare_at(step, std::nullopt, *fresh)) return failure;
  const Schedule* schedule = fresh->program->schedule();
  if (!schedule || !schedule->fixed_slots.empty() || yields_states(step.phase)) {
    if (!step.sizes.slots.empty())
      return "phase " + step.phase +
             ": its states are read row by row, so that sequences must lie side by side";
    if (auto failure = prepare_at(step, step.first_slot, *fresh)) return failure;
  }
  if (prepared_.size() == kMostPrepared) prepared_.erase(prepared_.begin());
  prepared_.push_back(std::move(fresh));
  bound_ = prepared_.back().get();
  return std::nullopt;
}

Failure Session::prepare_at(const Step& step, std::optional<int64_t> first_slot, Prepared& out) {
  const Plan::Phase* phase = find_phase(plan_, step.phase);
  if (!phase) return "there is no phase " + step.phase;
  out.phase = step.phase;
  out.first_slot = first_slot;
  if (auto failure = memory_.lay_out(step.phase, step.sizes.dims, first_slot, &out.layout)) return failure;
  out.memory = addresses(out.layout, memory_.segments());
  auto program =
      backend_.prepare(plan_, {phase->ops_begin, phase->ops_end}, out.layout, memory_.segments(), step.sizes);
  if (!program) return program.message();
  out.program = *std::move(program);
  return std::nullopt;
}

Failure Session::set_input(uint32_t index, const HostArray& array) {
  const Plan::Value& value = plan_.values[index];
  staged_.assign(static_cast<size_t>(bound_->layout[value.buffer].bytes), std::byte{0xff});
  const auto count = static_cast<int64_t>(array.floats ? array.f.size() : array.i.size());
  const bool plain = !value.strides && !value.offset && array.floats == is_float(value.dtype) &&
                     !is_block(value.dtype) &&
                     count * info(value.dtype).bytes == static_cast<int64_t>(staged_.size());
  if (plain) {  // without a window, which would be made anew each step
    for (int64_t i = 0; i < count; ++i) {
      if (array.floats)
        store_float(value.dtype, staged_.data(), i, array.f[static_cast<size_t>(i)]);
      else
        store_int(value.dtype, staged_.data(), i, array.i[static_cast<size_t>(i)]);
    }
  } else {
    PlanMemory host;
    host.buffers.assign(plan_.buffers.size(), nullptr);
    host.buffers[value.buffer] = staged_.data();
    write_value(plan_, index, array, host, step_.sizes);
  }
  return backend_.upload(bound_->memory.buffers[value.buffer], staged_.data(), staged_.size());
}

Failure Session::run(OpRange only) {
  if (auto failure = bound_->program->submit(step_.sizes, only)) return failure;
  return bound_->program->wait();
}

bool Session::any_slots(const std::string& phase) const {
  return std::any_of(prepared_.begin(), prepared_.end(),
                     [&](const auto& prepared) { return prepared->phase == phase && !prepared->first_slot; });
}

Failure Session::clear_states() {
  std::byte* states = memory_.segments().base[static_cast<int>(MemorySegment::State)];
  return backend_.fill(states, 0, static_cast<size_t>(memory_.allocated().state));
}

Failure Session::read_rows(uint32_t index, const std::vector<int64_t>& at, std::vector<float>* out,
                           int64_t* width) {
  const Plan::Value& value = plan_.values[index];
  std::vector<int64_t> shape;
  int64_t count = 1;
  for (const Expr extent : value.shape) {
    shape.push_back(evaluate(extent, step_.sizes.dims).value_or(0));
    count *= shape.back();
  }
  const auto sequences = static_cast<int64_t>(at.size());
  if (!is_float(value.dtype) || is_block(value.dtype) || shape.empty() || shape[0] != sequences || count < 1)
    return value.id + " is " + name(value.dtype) + text(shape) +
           ", not [B, S, V] of floats, where B = " + std::to_string(sequences);
  *width = shape.back();
  out->resize(static_cast<size_t>(sequences * *width));
  const int64_t rows = count / sequences / *width;
  const auto row_of = [&](int64_t b) {
    return b * rows + std::clamp<int64_t>(at[static_cast<size_t>(b)], 0, rows - 1);
  };
  float* to = out->data();
  const std::byte* device = bound_->memory.buffers[value.buffer];
  if (value.strides || value.offset || !device) {
    const auto all = read(index);
    if (!all) return all.message();
    for (int64_t b = 0; b < sequences; ++b) to = std::copy_n(all->f.data() + row_of(b) * *width, *width, to);
    return std::nullopt;
  }
  const auto bytes = static_cast<size_t>(*width * info(value.dtype).bytes);
  for (int64_t b = 0; b < sequences; ++b, to += *width) {
    const std::byte* from = device + static_cast<size_t>(row_of(b)) * bytes;
    if (value.dtype == DType::F32) {
      if (auto failure = backend_.download(reinterpret_cast<std::byte*>(to), from, bytes)) return failure;
      continue;
    }
    staged_.resize(bytes);
    if (auto failure = backend_.download(staged_.data(), from, bytes)) return failure;
    for (int64_t i = 0; i < *width; ++i) to[i] = load_float(value.dtype, staged_.data(), i);
  }
  return std::nullopt;
}

Result<HostArray> Session::read(uint32_t index) {
  const Plan::Value& value = plan_.values[index];
  const std::byte* device = bound_->memory.buffers[value.buffer];
  if (!device) return Error{value.id + " has no memory in phase " + step_.phase};
  std::vector<std::byte> bytes(static_cast<size_t>(bound_->layout[value.buffer].bytes));
  if (auto failure = backend_.download(bytes.data(), device, bytes.size())) return Error{*failure};
  PlanMemory host;
  host.buffers.assign(plan_.buffers.size(), nullptr);
  host.buffers[value.buffer] = bytes.data();
  return read_value(plan_, index, host, step_.sizes);
}

}  // namespace irplan
