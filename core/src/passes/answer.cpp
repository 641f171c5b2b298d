// Budgets answered both ways: what they admit, what no placement could, what prevents them, what narrower
// range would fit.
#include <algorithm>
#include <functional>
#include <map>

#include "passes/memory.h"
#include "passes/solver.h"

namespace irplan {
namespace {

constexpr size_t kPairedDims = 3;   // dims of which pairs get a frontier, the first ones
constexpr size_t kBlamed = 3;       // places named as what makes a budget impossible
constexpr size_t kMostPoints = 12;  // of a frontier that is made finer
constexpr double kFarApart = 1.5;   // partners of neighbouring points: between them lies one to look at

Interval searched(const Dim& dim) { return {dim.range.lo, std::min(dim.range.hi, kFarthest)}; }

// 1, 2, 4, … inside the range, and both of its ends.
std::vector<int64_t> by_powers_of_two(Interval range) {
  std::vector<int64_t> out{range.lo};
  for (int64_t n = 1; n < range.hi; n *= 2) {
    if (n > range.lo) out.push_back(n);
  }
  if (range.hi > range.lo) out.push_back(range.hi);
  return out;
}

// More points between neighbours whose partners are far apart, the farthest first: halfway, and a point of
// the same partner as its right neighbour is told by that one.
void refine(Frontier& frontier, const std::function<std::optional<int64_t>(int64_t)>& partner) {
  auto& points = frontier.points;
  std::vector<std::pair<int64_t, int64_t>> closed;  // neighbours between which nothing new was found
  while (points.size() < kMostPoints) {
    size_t widest = points.size();
    double most = kFarApart;
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      const double ratio = static_cast<double>(points[i].second) /
                           static_cast<double>(std::max<int64_t>(1, points[i + 1].second));
      const bool known = std::find(closed.begin(), closed.end(),
                                   std::pair(points[i].first, points[i + 1].first)) != closed.end();
      if (ratio > most && points[i + 1].first - points[i].first > 1 && !known) most = ratio, widest = i;
    }
    if (widest == points.size()) return;
    const auto [low, above] = points[widest];
    const auto [high, below] = points[widest + 1];
    const int64_t n = low + (high - low) / 2;
    const auto m = partner(n);
    if (m && below < *m && *m < above)
      points.insert(points.begin() + static_cast<std::ptrdiff_t>(widest) + 1, {n, *m});
    else if (m && *m == above)
      points[widest].first = n;
    else
      closed.emplace_back(low, high);
  }
}

// " with S = 128": the sizes of the others at which a dim is limited.
std::string with_others(const std::vector<const Dim*>& dims, const Dim* dim, const Binding& binding) {
  std::string out;
  for (const Dim* other : dims) {
    if (other == dim) continue;
    out += (out.empty() ? " with " : ", ") + other->name + " = " + std::to_string(binding[other->index]);
  }
  return out;
}

bool limits_from_above(const Budget& budget) {
  return budget.bytes && budget.constraint.right.is_constant() &&
         budget.constraint.relation == Relation::LessEqual;
}

bool speaks_of(const Graph& graph, const Budget& budget, DimIndex quantity) {
  const auto dims = dims_of(budget.constraint.left - budget.constraint.right);
  const auto has = [&](DimIndex dim) { return std::find(dims.begin(), dims.end(), dim) != dims.end(); };
  return has(quantity) || has(graph.quantities.memory);
}

}  // namespace

void Solver::answer() {
  for (Budget& budget : graph_.budgets) answer(budget);
}

Binding Solver::least() const {
  Binding out(graph_.dims->dim_count());
  for (const Dim& dim : graph_.dim_list) out[dim.index] = dim.range.lo;
  return out;
}

void Solver::answer(Budget& budget) {
  const Binding smallest = least(), value = graph_.values_at();
  if (!budget.bytes) return answer_dims(budget, value);
  describe_use(budget, value);
  budget.least_bytes = most_used(budget, smallest);
  if (!meter_->fits(budget, smallest)) return refuse(budget, smallest);
  const bool bounded = std::all_of(graph_.dim_list.begin(), graph_.dim_list.end(),
                                   [](const Dim& dim) { return dim.range.hi != Interval::kUnbounded; });
  const std::vector<Binding> promised = corners(budget);
  const Binding worst = worst_of(budget, promised);
  budget.ok = bounded && meter_->fits(budget, worst);
  budget.needed_bytes = most_used(budget, worst);
  for (const Dim* dim : dims_that_matter(budget)) note_largest(budget, *dim, value);
  if (budget.ok) return;
  find_frontiers(budget, value);
  if (!bounded) return;
  find_narrower(budget, promised, worst);
  warn(budget, worst, value);
}

void Solver::answer_dims(Budget& budget, const Binding& value) {
  budget.ok = decide(budget.constraint.left, budget.constraint.relation, budget.constraint.right,
                     graph_.ranges()) == Truth::Yes;
  for (const Dim* dim : dims_that_matter(budget)) note_largest(budget, *dim, value);
  if (!budget.ok) find_frontiers(budget, value);
}

std::vector<const Dim*> Solver::dims_that_matter(const Budget& budget) const {
  std::vector<const Dim*> out;
  for (const Dim& dim : graph_.dim_list) {
    if (meter_->matters(budget, dim.index)) out.push_back(&dim);
  }
  return out;
}

// ---- what the declared ranges promise

// From the binding, each dim of the order as large as guards admit; `kept` stays as it is.
Binding Solver::corner(Binding binding, const std::vector<const Dim*>& order, const Dim* kept) const {
  for (const Dim* dim : order) {
    if (dim == kept) continue;
    binding[dim->index] = largest(
        binding, dim->index, searched(*dim), [&](const Binding& b) { return guards_admit(b); },
        [&](const Binding& b) { return guards_nearly_admit(b); });
  }
  return binding;
}

std::vector<Binding> Solver::corners(const Budget& budget) const {
  const auto order = dims_that_matter(budget);
  const Binding base = corner(least(), order, nullptr);
  std::vector<Binding> out{base};
  const bool traded = std::any_of(order.begin(), order.end(), [&](const Dim* dim) {
    return base[dim->index] < std::min(dim->range.hi, kFarthest);
  });
  if (!traded) return out;
  for (const Dim* dim : order) {
    for (const int64_t n : by_powers_of_two(searched(*dim))) {
      Binding fixed = least();
      fixed[dim->index] = n;
      if (guards_admit(fixed)) out.push_back(corner(fixed, order, dim));
    }
  }
  return out;
}

Binding Solver::worst_of(const Budget& budget, const std::vector<Binding>& corners) const {
  const Binding* worst = corners.data();
  int64_t most = -1;
  for (const Binding& binding : corners) {
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const auto used = meter_->used(budget, p, binding_in(graph_, p, binding));
      if (used && *used > most) most = *used, worst = &binding;
    }
    if (most < 0 && !meter_->fits(budget, binding)) return binding;
  }
  return *worst;
}

// ---- the largest sizes

// A dim's largest value with the others at theirs: the smallest over the phases. And the least that no
// placement of this order of ops would fit.
void Solver::note_largest(Budget& budget, const Dim& dim, const Binding& value) {
  const Interval range = searched(dim);
  budget.max.emplace_back(dim.name, largest_for(value, dim.index, range,
                                                [&](const Binding& b) { return meter_->fits(budget, b); }));
  if (!limits_from_above(budget) || !speaks_of(graph_, budget, graph_.quantities.arena)) return;
  const int64_t bound = largest_for(value, dim.index, range,
                                    [&](const Binding& b) { return meter_->fits(budget, b, Arena::Bound); });
  if (bound < range.hi) budget.beyond.emplace_back(dim.name, bound + 1);
}

int64_t Solver::largest_for(Binding binding, DimIndex dim, Interval range, const Admits& fits_at) const {
  const auto good = [&](int64_t n) { return binding[dim] = n, fits_at(binding); };
  if (good(range.hi)) return range.hi;
  int64_t low = range.lo, high = range.hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (good(middle) ? low : high) = middle;
  }
  return low;
}

void Solver::find_frontiers(Budget& budget, const Binding& value) {
  auto dims = dims_that_matter(budget);
  std::erase_if(dims, [](const Dim* dim) { return dim->range.lo == dim->range.hi; });
  if (dims.size() > kPairedDims) dims.resize(kPairedDims);
  const auto fits = [&](const Binding& b) { return meter_->fits(budget, b); };
  for (size_t i = 0; i < dims.size(); ++i) {
    for (size_t k = i + 1; k < dims.size(); ++k) {
      const Dim &first = *dims[i], &second = *dims[k];
      const Interval range = searched(first), other = searched(second);
      Binding at = value;
      at[second.index] = other.lo;
      const int64_t most = largest_for(at, first.index, range, fits);
      at[second.index] = other.hi;
      at[first.index] = range.lo;
      const int64_t whole = fits(at) ? largest_for(at, first.index, range, fits) : range.lo;
      Frontier out{first.name, second.name, {}};
      auto tried = by_powers_of_two({range.lo, most});
      tried.insert(std::upper_bound(tried.begin(), tried.end(), whole), whole);
      const auto partner = [&](int64_t n) -> std::optional<int64_t> {
        at[first.index] = n;
        at[second.index] = other.lo;
        if (!fits(at)) return std::nullopt;
        return largest_for(at, second.index, other, fits);
      };
      for (const int64_t n : tried) {
        const auto m = partner(n);
        if (!m) break;
        if (!out.points.empty() && out.points.back().second == *m) out.points.pop_back();
        out.points.emplace_back(n, *m);
      }
      refine(out, partner);
      if (!out.points.empty()) budget.frontiers.push_back(std::move(out));
    }
  }
}

// ---- narrower ranges

// The upper end of the dim's range with which the budget holds at all sizes that are left; none where not
// even the least does.
std::optional<int64_t> Solver::narrower(const Budget& budget, const Dim& dim,
                                        const std::vector<Binding>& corners) const {
  const auto order = dims_that_matter(budget);
  int64_t least_end = dim.range.lo;  // phases keep a part of their ranges
  for (const Phase& phase : graph_.phases) {
    for (const PhaseDim& entry : phase.dims) {
      if (entry.dim == dim.index) least_end = std::max(least_end, entry.range.lo);
    }
  }
  const auto holds_up_to = [&](int64_t n) {
    const auto capped = [&](Binding b) { return b[dim.index] = std::min(b[dim.index], n), b; };
    if (!std::all_of(corners.begin(), corners.end(),
                     [&](const Binding& b) { return meter_->fits(budget, capped(b)); }))
      return false;
    Binding fixed = least();
    fixed[dim.index] = n;
    return corners.size() == 1 || meter_->fits(budget, corner(fixed, order, &dim));
  };
  if (!holds_up_to(least_end)) return std::nullopt;
  int64_t low = least_end, high = searched(dim).hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (holds_up_to(middle) ? low : high) = middle;
  }
  return low;
}

void Solver::find_narrower(Budget& budget, const std::vector<Binding>& corners, const Binding& worst) {
  for (const Dim* dim : dims_that_matter(budget)) {
    const auto end = narrower(budget, *dim, corners);
    if (!end) continue;
    Change change;
    change.name = dim->name;
    change.value = std::to_string(*end);
    change.fits = true;
    change.max.emplace_back(dim->name, *end);
    const int64_t before = std::max<int64_t>(1, searched(*dim).hi);
    change.kept = static_cast<int64_t>(static_cast<__int128>(*end) * 1000 / before);
    Binding at = worst;
    at[dim->index] = std::min(at[dim->index], *end);
    change.bytes = most_used(budget, at);
    if (dim->span.begin < budget.span.begin)
      change.edit =
          Edit{{budget.span.begin, budget.span.begin}, "budget " + dim->name + " <= " + change.value + "\n"};
    budget.changes.push_back(std::move(change));
  }
}

// ---- what is said

void Solver::describe_use(Budget& budget, const Binding& value) {
  const Constraint& c = budget.constraint;
  const bool limit_right = c.right.is_constant();
  if (!limit_right && !c.left.is_constant()) return;
  budget.limit_bytes = (limit_right ? c.right : c.left).constant();
  budget.used_bytes = most_used(budget, value);
}

// Over the phases, at global sizes; 0 of a budget without a constant side.
int64_t Solver::most_used(const Budget& budget, const Binding& binding) const {
  int64_t most = 0;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p)
    most = std::max(most, meter_->used(budget, p, binding_in(graph_, p, binding)).value_or(0));
  return most;
}

std::string Solver::sizes_text(const std::vector<const Dim*>& dims, uint32_t phase,
                               const Binding& binding) const {
  std::string out;
  for (const Dim* dim : dims)
    out += (out.empty() ? "" : ", ") + dim->name + " = " + std::to_string(binding[dim->index]);
  if (out.empty()) out = "its only sizes";
  return out + (graph_.phases.size() > 1 ? " (phase " + graph_.phases[phase].name + ")" : "");
}

uint32_t Solver::worst_phase(const Binding& binding) const {
  uint32_t worst = 0;
  int64_t most = -1;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    const auto bytes = meter_->bytes(p, binding_in(graph_, p, binding));
    if (bytes && bytes->sum() > most) most = bytes->sum(), worst = p;
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

// What a budget limits, at a binding; of other comparisons everything.
std::string Solver::amount(const Budget& budget, const SegmentBytes& bytes, const Binding& binding) const {
  return bytes_text(limits_from_above(budget) ? most_used(budget, binding) : bytes.sum());
}

void Solver::refuse(Budget& budget, const Binding& least) {
  budget.ok = budget.possible = false;
  const uint32_t phase = worst_phase(least);
  const Binding own = binding_in(graph_, phase, least);
  const auto bytes = meter_->bytes(phase, own);
  Diagnostic& d = diagnostics_.report(Code::E0401, budget.span);
  if (bytes)
    d.at("needs " + amount(budget, *bytes, least) + " at " +
         sizes_text(dims_that_matter(budget), phase, own));
  note_parts(d, phase, own);
  if (!limits_from_above(budget)) return;
  blame_largest(d, budget, phase, own);
  if (bytes) d.help("the smallest sizes need a limit of " + bytes_text(budget.least_bytes));
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
    const Quantities& q = graph_.quantities;
    const DimIndex quantity = buffer.segment == Segment::Weights  ? q.weights
                              : buffer.segment == Segment::State  ? q.state
                              : buffer.segment == Segment::Inputs ? q.inputs
                                                                  : q.arena;
    const bool there = buffer.segment == Segment::Arena
                           ? buffer.phase == phase && buffer.live_begin <= peak && peak < buffer.live_end
                           : meter_->counts(v.buffer);
    if (!there || !speaks_of(graph_, budget, quantity)) continue;
    const auto [at, fresh] = known.try_emplace({v.span.begin, v.span.end}, places.size());
    if (fresh) places.push_back({v.span, 0, 0, v.id});
    places[at->second].bytes += value(buffer.bytes).value_or(0);
    ++places[at->second].count;
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.bytes > b.bytes; });
  int64_t sum = 0;
  size_t named = 0;
  for (; named < places.size() && named < kBlamed && sum <= budget.limit_bytes; ++named) {
    const Place& place = places[named];
    sum += place.bytes;
    const std::string what = place.count == 1 ? "" : std::to_string(place.count) + " like ";
    d.also(place.span, what + "`" + place.id + "`: " + bytes_text(place.bytes));
  }
  if (sum > budget.limit_bytes)
    d.note(std::string(named == 1 ? "this alone exceeds" : "these alone exceed") + " the limit of " +
           bytes_text(budget.limit_bytes));
  else if (!meter_->fits(budget, binding, Arena::Bound))
    d.note("no placement of this order of ops fits: so much is alive at once");
}

void Solver::warn(Budget& budget, const Binding& worst, const Binding& value) {
  const uint32_t phase = worst_phase(worst);
  const Binding own = binding_in(graph_, phase, worst);
  const auto bytes = meter_->bytes(phase, own);
  Diagnostic& d = diagnostics_.report(Code::W0401, budget.span);
  const bool by_placement = limits_from_above(budget) && speaks_of(graph_, budget, graph_.quantities.arena);
  std::string admitted, beyond;
  bool tight = by_placement;
  const auto dims = dims_that_matter(budget);
  for (const Dim* dim : dims) {
    const auto most = [&](Arena arena) {
      return largest_for(worst, dim->index, searched(*dim),
                         [&](const Binding& b) { return meter_->fits(budget, b, arena); });
    };
    const int64_t placed = most(Arena::Placed);
    Binding at = worst;
    at[dim->index] = placed;
    if (placed >= worst[dim->index] || !meter_->fits(budget, at)) continue;
    admitted += (admitted.empty() ? "" : " or ") + dim->name + " <= " + std::to_string(placed) +
                with_others(dims, dim, own);
    if (!by_placement) continue;
    const int64_t bound = most(Arena::Bound);
    tight = tight && bound == placed;
    beyond += (beyond.empty() ? "" : ", ") + dim->name + " <= " + std::to_string(placed) + " fits and " +
              dim->name + " >= " + std::to_string(bound + 1) + " under no placement of this order of ops";
  }
  if (bytes) {
    d.at("needs " + amount(budget, *bytes, worst) + " at " + sizes_text(dims, phase, own) +
         (admitted.empty() ? "" : "; admits " + admitted));
  }
  note_parts(d, phase, own);
  if (!beyond.empty()) d.note(tight ? "no placement of this order of ops admits more" : beyond);
  d.help("the plan's numbers hold at " + sizes_text(dims, phase, binding_in(graph_, phase, value)) +
         ", where it fits");
}

}  // namespace irplan
