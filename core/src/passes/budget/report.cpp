// What is said of a budget: that it admits less than the declared ranges (W0401), or not even the smallest
// sizes (E0401), with the places that take the bytes.
#include <algorithm>
#include <map>

#include "base/sort.h"
#include "passes/budget/solver.h"
#include "passes/memory.h"

namespace irplan {
namespace {

constexpr size_t kBlamed = 3;  // places named as what makes a budget impossible
constexpr size_t kTold = 8;    // dims named in one sentence

// " with S = 128": the sizes of the others at which a dim is limited.
std::string with_others(const std::vector<const Dim*>& dims, const Dim* dim, const Binding& binding) {
  std::string out;
  size_t told = 0;
  for (const Dim* other : dims) {
    if (other == dim) continue;
    if (++told > kTold) return out + ", …";
    out += (out.empty() ? " with " : ", ") + other->name + " = " + std::to_string(binding[other->index]);
  }
  return out;
}

}  // namespace

std::string Solver::sizes_text(const std::vector<const Dim*>& dims, uint32_t phase,
                               const Binding& binding) const {
  std::string out;
  for (size_t i = 0; i < dims.size() && i < kTold; ++i)
    out += (out.empty() ? "" : ", ") + dims[i]->name + " = " + std::to_string(binding[dims[i]->index]);
  if (dims.size() > kTold) out += ", …";
  if (out.empty()) out = "all sizes";
  return out + (graph_.phases.size() > 1 ? " (phase " + graph_.phases[phase].name + ")" : "");
}

// Of the phases that a budget speaks of, the one that takes the most of what it counts.
uint32_t Solver::worst_phase(const Budget& budget, const Binding& binding) const {
  uint32_t worst = budget.phase == kNoPhase ? 0 : budget.phase;
  int64_t most = -1;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (!budget.speaks_of(p)) continue;
    const auto used = meter_->used(budget, p, binding_in(graph_, p, binding));
    if (used && *used > most) most = *used, worst = p;
  }
  return worst;
}

void Solver::note_parts(Diagnostic& d, uint32_t phase, const Binding& binding) const {
  const auto bytes = meter_->bytes(phase, binding);
  if (!bytes) return;
  std::string text = "weights " + bytes_text(bytes->weights) + "  +  state " + bytes_text(bytes->state) +
                     "  +  inputs " + bytes_text(bytes->inputs) + "  +  arena " + bytes_text(bytes->arena);
  const OpId peak = peak_op(graph_, phase, binding);
  if (peak != kNone)
    text +=
        "   (peak at " + graph_.values[graph_.ops[peak].out[0]].id + ", " + graph_.ops[peak].row->name + ")";
  d.note(std::move(text));
}

// What a budget counts, to the byte where its limit would read the same; the limit, too, where sizes decide
// it.
std::string Solver::amount(const Budget& budget, int64_t used, const Binding& binding) const {
  const int64_t limit = evaluate(budget.limit, binding).value_or(0);
  const bool alike = used > limit && bytes_text(used) == bytes_text(limit);
  std::string out = alike ? std::to_string(used) + " bytes" : bytes_text(used);
  if (!budget.limit.is_constant()) out += " of at most " + bytes_text(limit);
  return out;
}

void Solver::refuse(Budget& budget, const Binding& least) {
  budget.answer.ok = false;
  budget.answer.used_bytes = used_at_values(budget);
  const uint32_t phase = worst_phase(budget, least);
  const Binding own = binding_in(graph_, phase, least);
  Diagnostic& d = diagnostics_.add(Code::BudgetRefused, budget.span, {}, budget.elsewhere);
  d.at("needs " + amount(budget, budget.least_bytes, own) + " at " +
       sizes_text(dims_that_matter(budget), phase, own));
  note_parts(d, phase, own);
  blame_largest(d, budget, phase, own);
  d.help("the smallest sizes need a limit of " + bytes_text(budget.least_bytes));
}

// The places that take the most of what the budget limits, and whether another placement could help.
void Solver::blame_largest(Diagnostic& d, const Budget& budget, uint32_t phase,
                           const Binding& binding) const {
  struct Place {
    Span span;
    int64_t bytes = 0, count = 0;
    std::string id;
  };
  std::vector<Place> places;
  std::map<std::pair<uint32_t, uint32_t>, size_t> known;
  const OpId peak = peak_op(graph_, phase, binding);
  Evaluator value(*graph_.dims, binding);
  std::vector<uint8_t> seen(graph_.buffers.size(), 0);
  for (const Value& v : graph_.values) {
    if (v.buffer == kNone || seen[v.buffer]++) continue;
    const Buffer& buffer = graph_.buffers[v.buffer];
    const PerSegment& counts = budget.counts;
    const int64_t count = buffer.segment == Segment::Weights  ? counts.weights
                          : buffer.segment == Segment::State  ? counts.state
                          : buffer.segment == Segment::Inputs ? counts.inputs
                                                              : counts.arena;
    const bool there = buffer.segment == Segment::Arena
                           ? buffer.phase == phase && buffer.live_begin <= peak && peak < buffer.live_end
                           : meter_->counts(v.buffer);
    if (!there || count == 0) continue;
    const auto [at, fresh] = known.try_emplace({v.span.begin, v.span.end}, places.size());
    if (fresh) places.push_back({v.span, 0, 0, v.id});
    places[at->second].bytes += count * value(buffer.bytes).value_or(0);
    ++places[at->second].count;
  }
  sort_range(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.bytes > b.bytes; });
  const int64_t limit = value(budget.limit).value_or(0);
  int64_t sum = 0;
  size_t named = 0;
  for (; named < places.size() && named < kBlamed && sum <= limit; ++named) {
    const Place& place = places[named];
    sum += place.bytes;
    const std::string what = place.count == 1 ? "" : std::to_string(place.count) + " like ";
    d.also_in_program(place.span, what + "`" + place.id + "`: " + bytes_text(place.bytes));
  }
  if (sum > limit)
    d.note(std::string(named == 1 ? "by itself it exceeds" : "together they exceed") + " the limit of " +
           bytes_text(limit));
  else if (!meter_->fits(budget, binding, Arena::Bound))
    d.note("no placement of this order of ops fits: so much is alive at once");
}

void Solver::warn(const Budget& budget, const Corner& worst) {
  const uint32_t phase = worst.phase;
  const Binding& own = worst.at;
  Diagnostic& d = diagnostics_.add(Code::BudgetNarrows, budget.span, {}, budget.elsewhere);
  std::string admitted, beyond;
  bool tight = budget.counts.arena > 0;
  const auto dims = dims_that_matter(budget);
  size_t count = 0;
  for (const Dim* dim : dims) {
    const Interval range = searched(*dim, phase);
    const auto most = [&](Arena arena) {
      return largest_for(own, dim->index, range,
                         [&](const Binding& b) { return meter_->fits_in(budget, phase, b, arena); });
    };
    if (!may_answer()) break;
    const int64_t placed = most(Arena::Placed);
    Binding at = own;
    at[dim->index] = placed;
    if (placed >= own[dim->index] || !meter_->fits_in(budget, phase, at)) continue;
    if (++count > kTold) continue;
    admitted += (admitted.empty() ? "" : " or ") + dim->name + " <= " + std::to_string(placed) +
                with_others(dims, dim, own);
    if (budget.counts.arena == 0) continue;
    const int64_t bound = most(Arena::Bound);
    tight = tight && bound == placed;
    if (bound == placed || bound >= range.hi) continue;
    beyond += (beyond.empty() ? "no placement of this order of ops fits " : " or ") + dim->name +
              " >= " + std::to_string(bound + 1);
  }
  if (count > kTold) admitted += " or less of " + std::to_string(count - kTold) + " other dims";
  d.at("needs " + amount(budget, budget.needed_bytes, own) + " at " + sizes_text(dims, phase, own) +
       (admitted.empty() ? "" : "; allows " + admitted));
  note_parts(d, phase, own);
  if (count > 0 && tight) d.note("no placement of this order of ops allows more");
  if (!beyond.empty()) d.note(beyond);
  d.help("the plan's numbers are evaluated at " + sizes_text(dims, phase, graph_.values_at(phase)) +
         ", where it fits");
}

}  // namespace irplan
