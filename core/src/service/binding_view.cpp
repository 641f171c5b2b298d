#include "service/binding_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace irplan {
namespace {

using json = nlohmann::ordered_json;

int64_t clamp(int64_t n, int64_t min, const std::optional<int64_t>& max) {
  n = std::max(n, min);
  return max ? std::min(n, *max) : n;
}

Binding chosen_sizes(const Plan& plan, const std::vector<std::pair<std::string, int64_t>>& sizes) {
  Binding binding;
  for (const Plan::Dim& dim : plan.dims) {
    int64_t n = dim.value;
    for (const auto& [name, size] : sizes)
      if (name == dim.name) n = size;
    binding.push_back(clamp(n, dim.min, dim.max));
  }
  return binding;
}

bool is_given(const std::vector<std::pair<std::string, int64_t>>& sizes, const std::string& name) {
  return std::any_of(sizes.begin(), sizes.end(), [&](const auto& size) { return size.first == name; });
}

// Sizes as the phase sees them: what it fixes or narrows wins.
Binding phase_sizes(const Plan& plan, const Plan::Phase& phase, Binding binding,
                    const std::vector<std::pair<std::string, int64_t>>& sizes) {
  for (const Plan::PhaseDim& narrowed : phase.dims)
    for (size_t i = 0; i < plan.dims.size(); ++i)
      if (plan.dims[i].name == narrowed.name)
        binding[i] =
            is_given(sizes, narrowed.name) ? clamp(binding[i], narrowed.min, narrowed.max) : narrowed.value;
  return binding;
}

json number(const std::optional<int64_t>& n) { return n ? json(*n) : json(nullptr); }

// Bytes of a segment's buffers, each rounded up to the plan's alignment.
json segment_bytes(const Plan& plan, Plan::Segment segment, Evaluator& value) {
  int64_t sum = 0;
  for (const Plan::Buffer& buffer : plan.buffers) {
    if (buffer.segment != segment) continue;
    const std::optional<int64_t> bytes = value(buffer.bytes);
    if (!bytes || *bytes > kMaxJsonInt - sum) return nullptr;
    sum += (*bytes + plan.align - 1) / plan.align * plan.align;
  }
  return sum;
}

// Bytes of a tensor, dense.
std::optional<int64_t> dense_bytes(const Plan::Value& value, Evaluator& number_of) {
  int64_t n = 1;
  for (const Expr extent : value.shape) {
    const std::optional<int64_t> size = number_of(extent);
    if (!size || *size < 0 || (*size > 0 && n > kMaxJsonInt / *size)) return std::nullopt;
    n *= *size;
  }
  const DTypeInfo& type = info(value.dtype);
  return n / type.elements * type.bytes;
}

// Every temp that an op writes into the arena, and all scratch, each by itself.
json bytes_without_reuse(const Plan& plan, const Plan::Phase& phase, Evaluator& number_of) {
  int64_t sum = 0;
  const auto add = [&](const std::optional<int64_t>& bytes) {
    if (!bytes || *bytes > kMaxJsonInt - sum) return false;
    sum += *bytes;
    return true;
  };
  for (uint32_t i = phase.ops_begin; i < phase.ops_end && i < plan.ops.size(); ++i) {
    for (const uint32_t v : plan.ops[i].out) {
      const Plan::Value& value = plan.values[v];
      if (value.buffer == kAbsent || plan.buffers[value.buffer].segment != Plan::Segment::Arena) continue;
      if (!add(dense_bytes(value, number_of))) return nullptr;
    }
    for (const uint32_t scratch : plan.ops[i].scratch)
      if (!add(number_of(plan.buffers[scratch].bytes))) return nullptr;
  }
  return sum;
}

bool holds(const Plan::Guard& guard, Evaluator& value) {
  const std::optional<int64_t> left = value(guard.left), right = value(guard.right);
  if (!left || !right) return false;
  return irplan::holds(*left, guard.relation, *right);
}

json broken_guards(const Plan& plan, const Plan::Phase& phase, Evaluator& value) {
  json broken = json::array();
  for (size_t i = 0; i < plan.guards.size(); ++i) {
    const Plan::Guard& guard = plan.guards[i];
    if ((guard.phase.empty() || guard.phase == phase.name) && !holds(guard, value)) broken.push_back(i);
  }
  return broken;
}

json phase_view(const Plan& plan, const Plan::Phase& phase, Binding binding, bool lists) {
  json dims = json::object(), offsets = json::array(), bytes = json::array(), flops = json::array(),
       op_bytes = json::array();
  for (size_t i = 0; i < plan.dims.size(); ++i) dims[plan.dims[i].name] = binding[i];
  const std::optional<BoundArena> arena = bind_arena(plan, phase.name, binding);
  Evaluator value(*plan.pool, std::move(binding));
  if (arena && lists)
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      const Plan::Buffer& buffer = plan.buffers[i];
      if (buffer.segment != Plan::Segment::Arena || buffer.phase != phase.name) continue;
      offsets.push_back(arena->offsets[i]);
      bytes.push_back(number(value(buffer.bytes)));
    }
  for (uint32_t i = phase.ops_begin; lists && i < phase.ops_end && i < plan.ops.size(); ++i) {
    flops.push_back(number(value(plan.ops[i].flops)));
    op_bytes.push_back(number(value(plan.ops[i].bytes)));
  }
  return {{"name", phase.name},
          {"dims", std::move(dims)},
          {"arena", arena ? json(arena->bytes) : json(nullptr)},
          {"inputs", segment_bytes(plan, Plan::Segment::Inputs, value)},
          {"state", segment_bytes(plan, Plan::Segment::State, value)},
          {"no_reuse", bytes_without_reuse(plan, phase, value)},
          {"offsets", std::move(offsets)},
          {"bytes", std::move(bytes)},
          {"flops", std::move(flops)},
          {"op_bytes", std::move(op_bytes)},
          {"broken_guards", broken_guards(plan, phase, value)}};
}

}  // namespace

std::string binding_view(const Plan& plan, const std::vector<std::pair<std::string, int64_t>>& sizes,
                         std::string_view only) {
  const Binding binding = chosen_sizes(plan, sizes);
  json phases = json::array(), resident = json::array();
  for (const Plan::Phase& phase : plan.phases)
    phases.push_back(phase_view(plan, phase, phase_sizes(plan, phase, binding, sizes),
                                only.empty() || only == phase.name));
  Evaluator value(*plan.pool, binding);
  for (const Plan::Buffer& buffer : plan.buffers)
    if (buffer.segment != Plan::Segment::Arena) resident.push_back(number(value(buffer.bytes)));
  const json view{{"ok", true}, {"phases", std::move(phases)}, {"resident", std::move(resident)}};
  return view.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace irplan
