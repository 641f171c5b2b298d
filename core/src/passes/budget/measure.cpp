#include "passes/measure.h"

#include <algorithm>
#include <unordered_map>

#include "passes/memory.h"

namespace irplan {
namespace {

constexpr int64_t kMeasureCost = 20;  // of a measurement, in steps of Work, besides its sizes

// Of weights, what only folding reads is freed after it.
std::vector<uint8_t> counted_buffers(const Graph& graph) {
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

}  // namespace

Meter::Meter(const Graph& graph)
    : graph_(graph),
      counts_(counted_buffers(graph)),
      arena_dims_(graph.phases.size(), std::vector<uint8_t>(graph.dims->dim_count())),
      meters_(graph.phases.size()) {
  weights_dims_ = state_dims_ = inputs_dims_ = std::vector<uint8_t>(graph.dims->dim_count());
  std::unordered_map<uint64_t, size_t> known;  // segment and expression -> place in its list
  for (BufferId id = 0; id < graph.buffers.size(); ++id) {
    const Buffer& buffer = graph.buffers[id];
    if (!counts_[id]) continue;
    const bool arena = buffer.segment == Segment::Arena;
    const uint64_t key = uint64_t{buffer.bytes.index()} * 4 + static_cast<uint64_t>(buffer.segment) +
                         (arena ? uint64_t{buffer.phase} << 40 : 0);
    std::vector<Size>& sizes = buffer.segment == Segment::Weights ? weights_
                               : buffer.segment == Segment::State ? state_
                                                                  : inputs_;
    std::vector<uint8_t>& dims = arena                                ? arena_dims_[buffer.phase]
                                 : buffer.segment == Segment::Weights ? weights_dims_
                                 : buffer.segment == Segment::State   ? state_dims_
                                                                      : inputs_dims_;
    const auto [at, fresh] = known.try_emplace(key, sizes.size());
    if (fresh) {
      for (const DimIndex dim : dims_of(buffer.bytes)) dims[dim] = 1;
      if (!arena) sizes.push_back({buffer.bytes, 0});
    }
    if (!arena) ++sizes[at->second].count;
  }
}

Meter::PhaseMeter& Meter::meter(uint32_t phase) const {
  std::unique_ptr<PhaseMeter>& known = meters_[phase];
  if (known) return *known;
  known = std::make_unique<PhaseMeter>(PhaseMeter{PhaseBytes(graph_, phase), {}, {}, {}, {}, {}, {}});
  const auto add = [&](const std::vector<Size>& sizes, std::vector<PhaseBytes::SizeId>& ids) {
    for (const Size& size : sizes) ids.push_back(known->sizes.add(size.bytes));
  };
  add(weights_, known->weights), add(state_, known->state), add(inputs_, known->inputs);
  const Phase& p = graph_.phases[phase];
  if (p.peak) known->peak = known->sizes.add(p.peak);
  if (p.lower_bound) known->lower_bound = known->sizes.add(p.lower_bound);
  return *known;
}

std::optional<int64_t> Meter::sum(const std::vector<Size>& sizes, const PhaseBytes& values,
                                  const std::vector<PhaseBytes::SizeId>& ids) const {
  int64_t total = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t bytes = values.size(ids[i]);
    if (!values.known(ids[i]) || bytes < 0 || bytes > INT64_MAX - graph_.target.align) return std::nullopt;
    int64_t part = padded(bytes);
    if (__builtin_mul_overflow(part, sizes[i].count, &part) || __builtin_add_overflow(total, part, &total))
      return std::nullopt;
  }
  return total;
}

std::optional<PerSegment> Meter::bytes(uint32_t phase, const Binding& binding, Arena arena) const {
  PhaseMeter& at = meter(phase);
  at.sizes.bind(binding);
  PhaseMeter::Found& last = at.found[static_cast<int>(arena)];
  if (last.known && last.version == at.sizes.version()) {
    graph_.work->spend(at.sizes.take_cost());
    return last.bytes;
  }
  last = {at.sizes.version(), true, std::nullopt};
  const auto weights = sum(weights_, at.sizes, at.weights), state = sum(state_, at.sizes, at.state),
             inputs = sum(inputs_, at.sizes, at.inputs);
  const auto formula = arena == Arena::Placed ? at.peak : at.lower_bound;
  const int64_t placed = formula                  ? (at.sizes.known(*formula) ? at.sizes.size(*formula) : -1)
                         : arena == Arena::Placed ? at.sizes.placed()
                                                  : at.sizes.bound();
  const auto segments = static_cast<int64_t>(weights_.size() + state_.size() + inputs_.size());
  graph_.work->spend(at.sizes.take_cost() + segments + kMeasureCost);
  if (!weights || !state || !inputs || placed < 0) return std::nullopt;
  int64_t all = 0;
  for (const int64_t part : {*weights, *state, *inputs, placed}) {
    if (__builtin_add_overflow(all, part, &all)) return std::nullopt;
  }
  return last.bytes = PerSegment{*weights, *state, *inputs, placed};
}

std::optional<int64_t> Meter::used(const Budget& budget, uint32_t phase, const Binding& binding,
                                   Arena arena) const {
  const auto found = budget.bytes ? bytes(phase, binding, arena) : std::nullopt;
  return found ? counted(budget, *found) : std::nullopt;
}

std::optional<int64_t> Meter::counted(const Budget& budget, const PerSegment& bytes) {
  const PerSegment& counts = budget.counts;
  return sum_of_products({{counts.weights, bytes.weights},
                          {counts.state, bytes.state},
                          {counts.inputs, bytes.inputs},
                          {counts.arena, bytes.arena}});
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
  const PerSegment& counts = budget.counts;
  if ((counts.weights > 0 && weights_dims_[dim]) || (counts.state > 0 && state_dims_[dim]) ||
      (counts.inputs > 0 && inputs_dims_[dim]))
    return true;
  for (uint32_t p = 0; counts.arena > 0 && p < arena_dims_.size(); ++p) {
    if (budget.speaks_of(p) && arena_dims_[p][dim]) return true;
  }
  return false;
}

bool holds(const Constraint& c, const Binding& binding) {
  const auto a = evaluate(c.left, binding), b = evaluate(c.right, binding);
  if (!a || !b) return false;
  return holds(*a, c.relation, *b);
}

Binding binding_in(const Graph& graph, uint32_t phase, Binding binding) {
  for (const PhaseDim& dim : graph.phases[phase].dims) {
    binding[dim.dim] = std::clamp(binding[dim.dim], dim.range.lo, dim.range.hi);
  }
  return binding;
}

}  // namespace irplan
