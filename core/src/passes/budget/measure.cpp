#include "passes/measure.h"

#include <algorithm>
#include <unordered_map>

#include "passes/memory.h"

namespace irplan {
namespace {

// Of weights, what only folding reads is freed after it.
std::vector<uint8_t> counted(const Graph& graph) {
  constexpr uint8_t kByFolding = 1, kByPhases = 2;
  std::vector<uint8_t> read(graph.buffers.size(), 0);
  for (const Op& op : graph.ops) {
    for (const ValueId id : op.in) {
      if (id != kNone) read[graph.values[id].buffer] |= op.phase == kLoadPhase ? kByFolding : kByPhases;
    }
  }
  std::vector<uint8_t> out(graph.buffers.size(), 1);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = graph.buffers[i].segment != Segment::Weights || read[i] != kByFolding;
  return out;
}

bool contains(const std::vector<DimIndex>& dims, DimIndex dim) {
  return std::find(dims.begin(), dims.end(), dim) != dims.end();
}

}  // namespace

Meter::Meter(const Graph& graph) : graph_(graph), counts_(counted(graph)), arena_dims_(graph.phases.size()) {
  std::unordered_map<uint64_t, size_t> known;  // segment and expression -> place in its list
  for (BufferId id = 0; id < graph.buffers.size(); ++id) {
    const Buffer& buffer = graph.buffers[id];
    if (!counts_[id]) continue;
    const uint64_t key = uint64_t{buffer.bytes.index()} * 4 + static_cast<uint64_t>(buffer.segment);
    if (buffer.segment == Segment::Arena) {
      if (!known.try_emplace(key + (uint64_t{buffer.phase} << 40), 0).second) continue;
      for (const DimIndex dim : dims_of(buffer.bytes)) {
        if (!contains(arena_dims_[buffer.phase], dim)) arena_dims_[buffer.phase].push_back(dim);
      }
      continue;
    }
    std::vector<Size>& sizes = buffer.segment == Segment::Weights ? weights_
                               : buffer.segment == Segment::State ? state_
                                                                  : inputs_;
    const auto [at, fresh] = known.try_emplace(key, sizes.size());
    if (fresh) sizes.push_back({buffer.bytes, 0});
    ++sizes[at->second].count;
  }
}

std::optional<int64_t> Meter::sum(const std::vector<Size>& sizes, Evaluator& value) const {
  int64_t total = 0;
  for (const Size& size : sizes) {
    const auto bytes = value(size.bytes);
    if (!bytes || *bytes < 0 || *bytes > INT64_MAX - graph_.target.align) return std::nullopt;
    int64_t part = padded(*bytes);
    if (__builtin_mul_overflow(part, size.count, &part) || __builtin_add_overflow(total, part, &total))
      return std::nullopt;
  }
  return total;
}

std::optional<PerSegment> Meter::bytes(uint32_t phase, const Binding& binding, Arena arena) const {
  Evaluator value(*graph_.dims, binding);
  const auto weights = sum(weights_, value), state = sum(state_, value), inputs = sum(inputs_, value);
  const Expr formula = arena == Arena::Placed ? graph_.phases[phase].peak : graph_.phases[phase].lower_bound;
  const int64_t placed = formula                  ? value(formula).value_or(-1)
                         : arena == Arena::Placed ? arena_bytes(graph_, phase, binding)
                                                  : lower_bound_bytes(graph_, phase, binding);
  if (!weights || !state || !inputs || placed < 0) return std::nullopt;
  int64_t all = 0;
  for (const int64_t part : {*weights, *state, *inputs, placed}) {
    if (__builtin_add_overflow(all, part, &all)) return std::nullopt;
  }
  return PerSegment{*weights, *state, *inputs, placed};
}

std::optional<int64_t> Meter::used(const Budget& budget, uint32_t phase, const Binding& binding,
                                   Arena arena) const {
  const auto found = budget.bytes ? bytes(phase, binding, arena) : std::nullopt;
  if (!found) return std::nullopt;
  const Quantities& counts = budget.counts;
  return sum_of_products({{counts.weights, found->weights},
                          {counts.state, found->state},
                          {counts.inputs, found->inputs},
                          {counts.arena, found->arena}});
}

int64_t Meter::most_at_values() const {
  int64_t most = 0;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    const auto found = bytes(p, graph_.values_at(p));
    if (found) most = std::max(most, found->sum());
  }
  return most;
}

bool Meter::fits_in(const Budget& budget, uint32_t phase, const Binding& binding, Arena arena) const {
  if (!budget.bytes) return holds(budget.constraint, binding);
  const auto bytes = used(budget, phase, binding, arena), limit = evaluate(budget.limit, binding);
  return bytes && limit && *bytes <= *limit;
}

bool Meter::fits(const Budget& budget, const Binding& binding, Arena arena) const {
  if (!budget.bytes && budget.phase == kNoPhase && !holds(budget.constraint, binding)) return false;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (budget.speaks_of(p) && !fits_in(budget, p, binding_in(graph_, p, binding), arena)) return false;
  }
  return true;
}

bool Meter::matters(const Budget& budget, DimIndex dim) const {
  if (!budget.bytes) return contains(dims_of(budget.constraint.left - budget.constraint.right), dim);
  if (contains(dims_of(budget.limit), dim)) return true;
  const auto sized = [&](int64_t count, const std::vector<Size>& sizes) {
    return count > 0 && std::any_of(sizes.begin(), sizes.end(),
                                    [&](const Size& s) { return contains(dims_of(s.bytes), dim); });
  };
  const Quantities& counts = budget.counts;
  if (sized(counts.weights, weights_) || sized(counts.state, state_) || sized(counts.inputs, inputs_))
    return true;
  for (uint32_t p = 0; counts.arena > 0 && p < arena_dims_.size(); ++p) {
    if (budget.speaks_of(p) && contains(arena_dims_[p], dim)) return true;
  }
  return false;
}

bool holds(const Constraint& c, const Binding& binding) {
  const auto a = evaluate(c.left, binding), b = evaluate(c.right, binding);
  if (!a || !b) return false;
  return c.relation == Relation::LessEqual      ? *a <= *b
         : c.relation == Relation::GreaterEqual ? *a >= *b
                                                : *a == *b;
}

Binding binding_in(const Graph& graph, uint32_t phase, Binding binding) {
  for (const PhaseDim& dim : graph.phases[phase].dims) {
    binding[dim.dim] = std::clamp(binding[dim.dim], dim.range.lo, dim.range.hi);
  }
  return binding;
}

}  // namespace irplan
