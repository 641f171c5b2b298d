#include "reference/executor.h"

#include <algorithm>
#include <string_view>

#include "reference/window.h"

namespace irplan {
namespace {

using Failure = std::optional<std::string>;

Failure failed(const Plan::Op& op, const std::string& why) { return "ops " + op.id + ": " + why; }

// "id 7 at place 0 of {0}" with the operand's id for {0}.
std::string with_ids(std::string text, const Plan& plan, const Plan::Op& op) {
  for (size_t i = 0; i < op.in.size(); ++i) {
    const std::string hole = "{" + std::to_string(i) + "}";
    const std::string& id = op.in[i] == kAbsent ? hole : plan.values[op.in[i]].id;
    const size_t at = text.find(hole);
    if (at != std::string::npos) text.replace(at, hole.size(), id);
  }
  return text;
}

// Writes the new rows into the state, where it lies.
Failure append(const Plan& plan, const Plan::Op& op, const PlanMemory& memory, const StepSizes& sizes) {
  const auto state = Window::of(plan, op.in[0], memory, sizes);
  if (!state) return failed(op, state.message());
  const auto rows = Window::of(plan, op.in[1], memory, sizes);
  if (!rows) return failed(op, rows.message());
  HostArray x = rows->empty_array();
  if (x.count() == 0) return std::nullopt;
  rows->gather(x);
  const int64_t held = state->shape()[1];
  const Expr count = plan.values[op.in[1]].shape[1];
  for (int64_t b = 0; b < x.shape[0]; ++b) {
    const int64_t at = sizes.value(op.attrs["at"].expr(), b);
    const int64_t fresh = std::min(x.shape[1], sizes.value(count, b));
    for (int64_t s = 0; s < fresh; ++s) {
      const int64_t position = at + s, row = state->is_ring() && held > 0 ? position % held : position;
      if (position < 0 || row >= held || b >= state->shape()[0]) {
        return failed(op, "row " + std::to_string(position) + " of sequence " + std::to_string(b) +
                              " is outside of the " + std::to_string(held) + " rows of " +
                              plan.values[op.in[0]].id);
      }
      state->put_row(x, b, s, row);
    }
  }
  return std::nullopt;
}

TensorType type_of(const Plan::Value& value) { return {value.dtype, value.shape}; }

Failure evaluate_row(const Plan& plan, const Plan::Op& op, const PlanMemory& memory, const StepSizes& sizes) {
  std::vector<HostArray> operands(op.in.size());
  std::vector<TensorType> types(op.in.size());
  std::vector<const HostArray*> in(op.in.size(), nullptr);
  std::vector<const TensorType*> in_types(op.in.size(), nullptr);
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] == kAbsent) continue;
    const auto window = Window::of(plan, op.in[i], memory, sizes);
    if (!window) return failed(op, window.message());
    operands[i] = window->empty_array();
    window->gather(operands[i]);
    types[i] = type_of(plan.values[op.in[i]]);
    in[i] = &operands[i];
    in_types[i] = &types[i];
  }
  std::vector<Window> targets;
  std::vector<HostArray> out;
  for (const uint32_t value : op.out) {
    auto window = Window::of(plan, value, memory, sizes);
    if (!window) return failed(op, window.message());
    out.push_back(window->empty_array());
    targets.push_back(std::move(*window));
  }
  // What has no elements is not computed.
  if (std::none_of(out.begin(), out.end(), [](const HostArray& a) { return a.count() > 0; }))
    return std::nullopt;
  HostCall call{*op.row,
                op.attrs,
                std::move(in),
                out,
                [&](Expr e, int64_t b) { return sizes.value(e, b); },
                std::move(in_types),
                {}};
  op.row->evaluate(call);
  if (!call.error.empty()) return failed(op, with_ids(call.error, plan, op));
  for (size_t i = 0; i < targets.size(); ++i) targets[i].scatter(out[i]);
  return std::nullopt;
}

}  // namespace

Failure run_op(const Plan& plan, uint32_t index, const PlanMemory& memory, const StepBinding& step) {
  const Plan::Op& op = plan.ops[index];
  const StepSizes sizes(plan, step);
  if (!op.row || !op.row->evaluate) return failed(op, "the reference does not know this operator");
  if (op.row->updates_state) return append(plan, op, memory, sizes);
  return evaluate_row(plan, op, memory, sizes);
}

Failure run_phase(const Plan& plan, const std::string& phase, const PlanMemory& memory,
                  const StepBinding& step, const std::function<void(uint32_t op)>& after) {
  for (uint32_t i = 0; i < plan.ops.size(); ++i) {
    if (plan.ops[i].phase != phase) continue;
    if (auto failure = run_op(plan, i, memory, step)) return failure;
    if (after) after(i);
  }
  return std::nullopt;
}

HostArray read_value(const Plan& plan, uint32_t value, const PlanMemory& memory, const StepBinding& step) {
  const StepSizes sizes(plan, step);
  const auto window = Window::of(plan, value, memory, sizes);
  if (!window) return {};
  HostArray array = window->empty_array();
  window->gather(array);
  return array;
}

void write_value(const Plan& plan, uint32_t value, const HostArray& array, const PlanMemory& memory,
                 const StepBinding& step) {
  const StepSizes sizes(plan, step);
  const auto window = Window::of(plan, value, memory, sizes);
  if (!window || array.count() != window->empty_array().count()) return;
  if (array.floats == is_float(window->dtype())) return window->scatter(array);
  HostArray converted = window->empty_array();
  for (size_t i = 0; i < array.f.size(); ++i) converted.i[i] = static_cast<int64_t>(array.f[i]);
  for (size_t i = 0; i < array.i.size(); ++i) converted.f[i] = static_cast<float>(array.i[i]);
  window->scatter(converted);
}

}  // namespace irplan
