// The memory plan: totals, bounds, and what is told of the largest phase.
#include <algorithm>
#include <cmath>

#include "base/sort.h"
#include "plan/proof/maximum.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
// Bytes of the segments but the arena, rounded up to the alignment; of weights, what folding alone reads is
// freed after it and does not count.
Plan::Segments Proof::segments_at(Evaluator& at) const {
  Plan::Segments out;
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (buffer.segment == Plan::Segment::Arena || !counts_[i]) continue;
    int64_t& total = buffer.segment == Plan::Segment::Inputs  ? out.inputs
                     : buffer.segment == Plan::Segment::State ? out.state
                                                              : out.weights;
    total = capped_sum(total, capped_aligned(at(buffer.bytes).value_or(INT64_MAX), plan_.align));
  }
  return out;
}

void Proof::find_counted() {
  constexpr uint8_t kByFolding = 1, kByPhases = 2;
  std::vector<uint8_t> read(plan_.buffers.size(), 0);
  for (const Plan::Op& op : plan_.ops) {
    for (const uint32_t v : op.in) {
      if (v != kAbsent) read[plan_.values[v].buffer] |= op.phase == "load" ? kByFolding : kByPhases;
    }
  }
  counts_.assign(plan_.buffers.size(), 1);
  for (size_t i = 0; i < counts_.size(); ++i)
    counts_[i] = plan_.buffers[i].segment != Plan::Segment::Weights || read[i] != kByFolding;
}

// Bytes of a phase if nothing shared any: each result of an op in the arena, and its scratch.
int64_t Proof::alone(uint32_t phase) const {
  Evaluator at(*plan_.pool, values_in(phase));
  int64_t total = 0;
  for (uint32_t i = plan_.phases[phase].ops_begin; i < plan_.phases[phase].ops_end; ++i) {
    const auto add = [&](Expr bytes) { total = capped_sum(total, at(bytes).value_or(INT64_MAX)); };
    for (const uint32_t v : plan_.ops[i].out) {
      if (segment(v) == Plan::Segment::Arena) add(bytes_of(plan_.values[v].dtype, plan_.values[v].shape));
    }
    for (const uint32_t s : plan_.ops[i].scratch) add(plan_.buffers[s].bytes);
  }
  return total;
}

bool Proof::totals() {
  const Plan::Memory& m = plan_.memory;
  find_counted();
  for (Facts& facts : facts_) facts.rest();
  uint32_t largest = 0;
  int64_t least = 0, as_written = 0;
  Plan::Segments segments;
  for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
    Evaluator at(*plan_.pool, values_in(p));
    const int64_t bound = live_bytes(p, at, false, nullptr);
    least = std::max(least, bound);
    if (plan_.phases[p].peak_bytes > plan_.phases[largest].peak_bytes) largest = p;
    as_written = std::max(as_written, plan_.phases[p].as_written_bytes);
    const Plan::Segments own = segments_at(at);
    segments.inputs = std::max(segments.inputs, own.inputs);
    segments.state = std::max(segments.state, own.state);
    segments.weights = std::max(segments.weights, own.weights);
  }
  const Plan::Phase& phase = plan_.phases[largest];
  const auto must = [&](const char* what, int64_t have, int64_t want) {
    if (have != want)
      refuse(Rule::Total, std::string("memory_plan.") + what,
             std::to_string(have) + ", expected " + std::to_string(want));
  };
  must("peak_bytes", m.peak_bytes, phase.peak_bytes);
  must("lower_bound_bytes", m.lower_bound_bytes, least);
  must("no_reuse_bytes", m.no_reuse_bytes, std::min(alone(largest), kMaxJsonInt));
  must("as_written_bytes", m.as_written_bytes, as_written);
  must("segments.weights", m.segments.weights, segments.weights);
  must("segments.state", m.segments.state, segments.state);
  must("segments.inputs", m.segments.inputs, segments.inputs);
  must("segments.arena", m.segments.arena, phase.peak_bytes);
  if (!m.reuse_buffers) refuse(Rule::Total, "memory_plan.reuse_buffers", "is not true");
  const bool same_peak = m.peak.has_value() == phase.peak.has_value() && (!m.peak || *m.peak == *phase.peak);
  if (!same_peak) refuse(Rule::Total, "memory_plan.peak", "is not that of phase " + phase.name);
  check_largest(largest);
  check_lighter();
  return clean();
}

// What is told of the phase with the largest peak, and of how good the placement is.
void Proof::check_largest(uint32_t largest) {
  const Plan::Memory& m = plan_.memory;
  const Plan::Phase& phase = plan_.phases[largest];
  uint32_t op = kAbsent;
  Evaluator at(*plan_.pool, values_in(largest));
  live_bytes(largest, at, false, &op);
  const std::string first = op == kAbsent ? "" : plan_.ops[op].id;
  if (m.peak_op != first)
    refuse(Rule::PeakOp, "memory_plan.peak_op", m.peak_op + ", the most bytes are alive at " + first);
  if (m.lower_bound) {
    Maximum bound(*plan_.pool, facts(largest));
    live_sums(largest, bound);
    const bool here = at(*m.lower_bound) == live_bytes(largest, at, false, nullptr);
    const bool same = here && bound.is(*m.lower_bound);
    if (bound.lost())
      refuse(Rule::Work, "memory_plan.lower_bound", "whether it holds takes too many steps to follow");
    else if (!same)
      refuse(Rule::LowerBound, "memory_plan.lower_bound",
             m.lower_bound->text().substr(0, 80) + " is not the largest sum of live bytes in phase " +
                 phase.name + ", " + bound.text().substr(0, 80));
  }
  // Of an optimal plan *ratio* has compared each phase's peak with its bound, *proven* all sizes.
  if (m.optimal != (m.range.worst_ratio == 1.0) || !std::isfinite(m.range.worst_ratio) ||
      (m.range.proven && !m.optimal))
    refuse(Rule::Optimal, "memory_plan.optimal", "optimal, proven and worst_ratio contradict each other");
  if (m.strength == Strength::Exact && !m.optimal)
    refuse(Rule::Optimal, "memory_plan.strength", "is exact, and nothing shows that no placement is lower");
}

Proof::Lives Proof::lives_of(uint32_t phase) const {
  const Plan::Phase& p = plan_.phases[phase];
  Lives lives;
  lives.born.resize(p.ops_end - p.ops_begin + 1);
  lives.died = lives.born;
  for (const uint32_t b : arena_[phase]) {
    const Plan::Buffer& buffer = plan_.buffers[b];
    if (buffer.live_end <= buffer.live_begin) continue;
    lives.born[buffer.live_begin - p.ops_begin].push_back(b);
    lives.died[buffer.live_end - p.ops_begin].push_back(b);
  }
  return lives;
}

// The sums of live bytes over the ops of a phase.
void Proof::live_sums(uint32_t phase, Maximum& out) {
  const auto [born, died] = lives_of(phase);
  Expr live = plan_.pool->constant(0);
  std::vector<uint8_t> met;
  for (size_t i = 0; i + 1 < born.size(); ++i) {
    for (const uint32_t b : died[i]) live = live - plan_.buffers[b].bytes;
    for (const uint32_t b : born[i]) live = live + plan_.buffers[b].bytes;
    if (live.index() >= met.size()) met.resize(live.index() + 1, 0);
    if (met[live.index()]) continue;
    met[live.index()] = 1;
    out.add(live);
    if (out.lost()) return;
  }
}

// What is named at the peak is what is alive there, the largest first, as many as a plan names.
void Proof::check_at_peak(uint32_t p) {
  const Plan::Phase& phase = plan_.phases[p];
  if (phase.at_peak.empty() && phase.peak_op.empty()) return;
  const std::string where = "phases " + phase.name + ".at_peak";
  Evaluator at(*plan_.pool, values_in(p));
  uint32_t step = kAbsent;
  live_bytes(p, at, false, &step);
  std::vector<Plan::AtPeak> expected;
  for (const uint32_t b : arena_[p]) {
    const Plan::Buffer& buffer = plan_.buffers[b];
    if (step == kAbsent || buffer.live_begin > step || buffer.live_end <= step) continue;
    expected.push_back({buffer.id, at(buffer.bytes).value_or(0), plan_.ops[buffer.live_begin].line});
  }
  const auto larger = [](const Plan::AtPeak& a, const Plan::AtPeak& b) { return a.bytes > b.bytes; };
  sort_range(expected.begin(), expected.end(), larger);
  if (expected.size() > Plan::Phase::kMostAtPeak) expected.resize(Plan::Phase::kMostAtPeak);
  bool same = expected.size() == phase.at_peak.size();
  for (size_t i = 0; i < expected.size() && same; ++i) {
    const Plan::AtPeak &have = phase.at_peak[i], &want = expected[i];
    same = have.buffer == want.buffer && have.bytes == want.bytes && have.line == want.line;
    if (!same)
      refuse(Rule::AtPeak, where,
             have.buffer + " of " + std::to_string(have.bytes) + " bytes, expected " + want.buffer + " of " +
                 std::to_string(want.bytes));
  }
  if (expected.size() != phase.at_peak.size())
    refuse(Rule::AtPeak, where,
           "names " + std::to_string(phase.at_peak.size()) + " buffers, expected " +
               std::to_string(expected.size()));
}

void Proof::check_tokens(uint32_t p) {
  const Plan::Phase& phase = plan_.phases[p];
  const Plan::Tokens& t = phase.tokens;
  Evaluator at(*plan_.pool, values_in(p));
  const auto extent = [&](const Plan::Value& v, size_t axis) {
    return std::max<int64_t>(1, at(v.shape[axis]).value_or(1));
  };
  int64_t step = 0, kept = 0, ring = 0;
  for (const Plan::Value& v : plan_.values) {
    if (v.kind == Plan::Kind::Input && v.shape.size() >= 2 && step == 0 &&
        __builtin_mul_overflow(extent(v, 0), extent(v, 1), &step))
      step = 0;
    if (v.kind != Plan::Kind::State) continue;
    const int64_t a_sequence = at(plan_.buffers[v.buffer].bytes).value_or(0) / extent(v, 0);
    int64_t& total = v.layout == Plan::Layout::Ring ? ring : kept;
    total =
        std::min(capped_sum(total, v.layout == Plan::Layout::Ring ? a_sequence : a_sequence / extent(v, 1)),
                 kMaxJsonInt);
  }
  const bool there =
      t.a_step != 0 || t.arena_bytes_each != 0 || t.state_bytes_each != 0 || t.ring_bytes_each_sequence != 0;
  if (!there) return;  // a plan of before it was told
  if (t.a_step != step || t.state_bytes_each != kept || t.ring_bytes_each_sequence != ring ||
      t.arena_bytes_each != (step > 0 ? phase.peak_bytes / step : 0))
    refuse(Rule::Tokens, "phases " + phase.name + ".tokens", "are not what inputs, states and the peak say");
}

// Bytes of all segments in a phase; 2^63 - 1 where they have no size.
int64_t Proof::all_bytes(uint32_t p, const Binding& binding) const {
  Evaluator at(*plan_.pool, binding);
  const Plan::Segments own = segments_at(at);
  const auto arena = bind_arena(plan_, plan_.phases[p].name, binding);
  return capped_sum(capped_sum(own.weights, own.state),
                    capped_sum(own.inputs, arena ? arena->bytes : INT64_MAX));
}

// A change is one that the command line takes, told in its words. What half of a dim leaves is computed
// again; of a retyping, which not every param or state admits, it is at least what is left if all do.
void Proof::check_lighter() {
  struct Retype {
    Plan::Kind kind;
    DType dtype;
    const char *change, *what;
  };
  static constexpr Retype kRetypes[] = {
      {Plan::Kind::State, DType::F8E4M3, "--retype state=f8e4m3", "states in 8 bits a number"},
      {Plan::Kind::Param, DType::Q8_0, "--retype weights=q8_0", "weights in 8.5 bits a number"},
      {Plan::Kind::Param, DType::Q4_0, "--retype weights=q4_0", "weights in 4.5 bits a number"},
  };
  const auto most = [&](const auto& bytes) {
    int64_t out = 0;
    for (uint32_t p = 0; p < plan_.phases.size(); ++p) out = std::max(out, bytes(p));
    return out;
  };
  const int64_t before = most([&](uint32_t p) { return all_bytes(p, values_in(p)); });
  int64_t last = 0;
  for (const Plan::Lighter& l : plan_.memory.lighter) {
    const std::string where = "memory_plan.lighter";
    if (l.bytes >= before || l.bytes < last)
      refuse(Rule::Lighter, where, l.change + " lowers nothing, or stands in the wrong place");
    last = l.bytes;
    const auto retype = std::find_if(std::begin(kRetypes), std::end(kRetypes), [&](const Retype& r) {
      return l.change == r.change && l.what == r.what;
    });
    if (retype != std::end(kRetypes)) {
      const int64_t least = most([&](uint32_t p) {
        Evaluator at(*plan_.pool, values_in(p));
        int64_t saved = 0;
        for (const Plan::Value& v : plan_.values) {
          const int64_t now = at(plan_.buffers[v.buffer].bytes).value_or(0);
          // A retyped weight is packed no more: what packing adds to its rows goes, too.
          if (retype->kind == Plan::Kind::Param && v.kind == Plan::Kind::Folded)
            saved = capped_sum(
                saved, now - std::min(now, at(stored_bytes(*plan_.pool, {v.dtype, v.shape})).value_or(0)));
          if (v.kind != retype->kind) continue;
          const DTypeInfo &from = info(v.dtype), &to = info(retype->dtype);
          const auto then = static_cast<int64_t>(static_cast<__int128>(now) / from.bytes * from.elements *
                                                 to.bytes / to.elements);
          saved = capped_sum(saved, std::max<int64_t>(now - then + plan_.align, 0));
        }
        return std::max<int64_t>(all_bytes(p, values_in(p)) - saved, 0);
      });
      if (l.bytes < least)
        refuse(Rule::Lighter, where, l.change + " cannot leave " + std::to_string(l.bytes) + " bytes");
      continue;
    }
    const auto halved = std::find_if(plan_.dims.begin(), plan_.dims.end(), [&](const Plan::Dim& d) {
      return l.change == "--dim " + d.name + "=" + std::to_string(d.value / 2) &&
             l.what == "half of " + d.name;
    });
    if (halved == plan_.dims.end()) {
      refuse(Rule::Lighter, where, "\"" + l.change.substr(0, 60) + "\" is no change that is offered");
      continue;
    }
    const auto dim = static_cast<size_t>(halved - plan_.dims.begin());
    const int64_t left = most([&](uint32_t p) {
      Binding binding = values_in(p);
      const Interval& range = facts(p).ranges()[dim];
      binding[dim] = std::clamp(std::min(binding[dim], halved->value / 2), range.lo, range.hi);
      return all_bytes(p, binding);
    });
    if (l.bytes != left)
      refuse(Rule::Lighter, where,
             l.change + " leaves " + std::to_string(left) + " bytes, not " + std::to_string(l.bytes));
  }
}

}  // namespace irplan::proof
