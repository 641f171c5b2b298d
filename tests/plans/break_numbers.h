// What lies in the bytes, lifetimes, numbers and budgets, broken by name.
#pragma once

#include "plans/victim.h"

namespace irplan::plans_test {

// What reads find.
inline std::vector<Mutation> break_contents() {
  return {
      {"two ops that change places", Rule::ReadEarly,
       [](Victim& v) {
         for (int tries = 0; tries < 20 && v.plan.ops.size() > 1; ++tries) {
           const auto i = static_cast<size_t>(v.random.below(static_cast<int64_t>(v.plan.ops.size()) - 1));
           Plan::Op &a = v.plan.ops[i], &b = v.plan.ops[i + 1];
           const bool reads = std::any_of(b.in.begin(), b.in.end(), [&](uint32_t x) {
             return std::find(a.out.begin(), a.out.end(), x) != a.out.end();
           });
           if (a.phase != b.phase || !reads) continue;
           return std::swap(a, b), true;
         }
         return false;
       }},
      {"an operand of another phase", Rule::ReadEarly,
       [](Victim& v) {
         for (Plan::Op& o : v.plan.ops) {
           for (uint32_t& in : o.in) {
             if (o.phase == "load" || in == kAbsent || !v.written_temp(v.plan.values[in])) continue;
             const Plan::Value& a = v.plan.values[in];
             const Plan::Value* b = v.any(v.plan.values, [&](const auto& x) {
               return v.written_temp(x) && x.dtype == a.dtype && x.shape == a.shape && !x.offset &&
                      !x.strides && v.plan.buffers[x.buffer].phase != o.phase && v.writer(v.index(&x)) < &o;
             });
             if (b) return in = v.index(b), true;
           }
         }
         return false;
       }},
      {"a result over an operand of a concat before all are there", Rule::Assembled,
       [](Victim& v) {
         for (const Plan::Value& c : v.plan.values) {
           for (size_t k = 0; k + 1 < c.of.size(); ++k) {
             const Plan::Value a = v.plan.values[c.of[k]];
             const Plan::Op* last = v.writer(c.of.back());
             for (const Plan::Op& o : v.plan.ops) {
               Plan::Value& r = v.plan.values[o.out[0]];
               const bool reads = std::find(o.in.begin(), o.in.end(), c.of[k]) != o.in.end();
               if (!reads || &o >= last || !o.row->in_place || r.dtype != a.dtype || !(r.shape == a.shape) ||
                   r.offset || r.strides)
                 continue;
               r.offset = a.offset, r.strides = a.strides;
               return v.move(r, a.buffer), true;
             }
           }
         }
         return false;
       }},
      {"a result over one that is alive", Rule::Overwritten,
       [](Victim& v) {
         // Of one type and phase, the first still read after the second was written.
         for (int tries = 0; tries < 50; ++tries) {
           Plan::Value* a = v.any(
               v.plan.values, [&](const auto& x) { return v.written_temp(x) && !x.offset && !x.strides; });
           if (!a) return false;
           Plan::Value* b = v.any(v.plan.values, [&](const auto& x) {
             return v.written_temp(x) && !x.offset && !x.strides && x.buffer != a->buffer &&
                    x.shape == a->shape && x.dtype == a->dtype &&
                    v.plan.buffers[x.buffer].phase == v.plan.buffers[a->buffer].phase;
           });
           if (!b) continue;
           const Plan::Buffer &x = v.plan.buffers[a->buffer], &y = v.plan.buffers[b->buffer];
           if (x.live_begin >= y.live_begin || x.live_end <= y.live_begin + 1) continue;
           return v.move(*b, a->buffer), true;
         }
         return false;
       }},
      {"an output that is overwritten", Rule::OutputKept,
       [](Victim& v) {
         for (const Plan::Output& o : v.plan.outputs) {
           Plan::Value& a = v.plan.values[o.value];
           if (!v.written_temp(a) || a.offset || a.strides) continue;
           for (Plan::Value& b : v.plan.values) {
             Plan::Buffer &x = v.plan.buffers[a.buffer], &y = v.plan.buffers[b.buffer];
             if (&b == &a || !v.written_temp(b) || b.offset || b.strides || b.buffer == a.buffer ||
                 !(b.shape == a.shape) || b.dtype != a.dtype || y.phase != x.phase ||
                 y.live_begin <= x.live_begin)
               continue;
             v.move(b, a.buffer);
             return true;
           }
         }
         return false;
       }},
      {"a result over an operand of an op that may not", Rule::OverOperand,
       [](Victim& v) {
         for (Plan::Op& o : v.plan.ops) {
           if (o.row->in_place || o.phase == "load" || o.out.size() != 1) continue;
           Plan::Value& r = v.plan.values[o.out[0]];
           if (!v.written_temp(r) || r.offset || r.strides) continue;
           for (const uint32_t in : o.in) {
             if (in == kAbsent) continue;
             Plan::Value& a = v.plan.values[in];
             if (!v.written_temp(a) || a.offset || a.strides || a.buffer == r.buffer ||
                 !(v.plan.buffers[a.buffer].bytes == v.plan.buffers[r.buffer].bytes))
               continue;
             v.move(r, a.buffer);
             return true;
           }
         }
         return false;
       }},
      {"two results of an op in one place", Rule::OverResult,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [&](const auto& x) {
           if (x.out.size() < 2) return false;
           const Plan::Value &a = v.plan.values[x.out[0]], &b = v.plan.values[x.out[1]];
           return a.buffer != b.buffer && v.plan.buffers[a.buffer].bytes == v.plan.buffers[b.buffer].bytes &&
                  !a.offset && !b.offset;
         });
         return o && (v.move(v.plan.values[o->out[1]], v.plan.values[o->out[0]].buffer), true);
       }},
  };
}

// Lifetimes and the stacking order.
inline std::vector<Mutation> break_lives() {
  using Segment = Plan::Segment;
  return {
      {"a life that begins early", Rule::Live,
       [](Victim& v) {
         Plan::Buffer* b = v.any(v.plan.buffers, [](const auto& x) {
           return x.segment == Segment::Arena && x.live_begin > 0 && x.live_end > x.live_begin;
         });
         return b && (--b->live_begin, true);
       }},
      {"a life that ends early", Rule::Live,
       [](Victim& v) {
         Plan::Buffer* b = v.arena();
         return b && (--b->live_end, true);
       }},
      {"a circle of buffers", Rule::AboveCircle,
       [](Victim& v) {
         auto [upper, lower] = v.stacked();
         return upper && (v.plan.buffers[lower].above.push_back(v.index(upper)), true);
       }},
      {"two buffers without an order", Rule::Ordered,
       [](Victim& v) {
         auto [upper, lower] = v.stacked();
         if (!upper) return false;
         Plan::Ids rest;
         for (const uint32_t u : upper->above) {
           if (u != lower) rest.push_back(u);
         }
         return upper->above = rest, true;
       }},
  };
}

// Peaks, bounds, totals.
inline std::vector<Mutation> break_numbers() {
  return {
      {"a size that a guard forbids", Rule::GuardValue,
       [](Victim& v) {
         Plan::Guard g;
         if (v.plan.dims.empty()) return false;
         g.left = v.dim(v.plan.dims[0].name), g.right = v.number(v.plan.dims[0].value - 1);
         return v.plan.guards.push_back(g), true;
       }},
      {"a size outside of its range", Rule::PhaseValue,
       [](Victim& v) {
         Plan::Dim* d = v.any(v.plan.dims, [](const auto& x) { return x.max.has_value(); });
         if (!d) return false;
         d->value = *d->max + 1;
         for (Plan::Phase& p : v.plan.phases)
           std::erase_if(p.dims, [&](const auto& x) { return x.name == d->name; });
         return true;
       }},
      {"a peak of other terms", Rule::Peak,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.peak.has_value(); });
         if (!p) return false;
         for (Plan::Phase& x : v.plan.phases) {
           if (v.plan.memory.peak && x.peak && *x.peak == *p->peak &&
               x.peak_bytes == v.plan.memory.peak_bytes)
             v.plan.memory.peak = *p->peak + 256;
         }
         return p->peak = *p->peak + 256, true;
       }},
      {"other peak_bytes", Rule::PeakBytes,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases);
         return p && (p->peak_bytes += 256, true);
       }},
      {"sizes whose bytes exceed 64 bits", Rule::PeakBytes,
       [](Victim& v) {
         bool any = false;
         for (Plan::Dim& d : v.plan.dims) {
           if (!d.max) any = true, d.value = kMaxJsonInt;
         }
         return any;
       }},
      {"other offset", Rule::Offset,
       [](Victim& v) {
         Plan::Buffer* b = v.arena();
         return b && (b->offset += 256, true);
       }},
      {"another peak op", Rule::PeakOp,
       [](Victim& v) {
         Plan::Phase* p = v.any(
             v.plan.phases, [](const auto& x) { return !x.peak_op.empty() && x.ops_end > x.ops_begin + 1; });
         if (!p) return false;
         const std::string& first = v.plan.ops[p->ops_begin].id;
         return p->peak_op = p->peak_op == first ? v.plan.ops[p->ops_end - 1].id : first, true;
       }},
      {"another peak op of all", Rule::PeakOp, [](Victim& v) { return v.plan.memory.peak_op += "x", true; }},
      {"a buffer that is not at the peak", Rule::AtPeak,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return !x.at_peak.empty(); });
         return p && (p->at_peak[0].bytes += 1, true);
       }},
      {"a buffer fewer at the peak", Rule::AtPeak,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.at_peak.size() > 1; });
         return p && (p->at_peak.pop_back(), true);
       }},
      {"another price of a token", Rule::Tokens,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.tokens.a_step > 0; });
         return p && (p->tokens.arena_bytes_each += 1, true);
       }},
      {"another total of weights", Rule::Total,
       [](Victim& v) { return v.plan.memory.segments.weights += 256, true; }},
      {"another total of states", Rule::Total,
       [](Victim& v) { return v.plan.memory.segments.state += 256, true; }},
      {"another total of inputs", Rule::Total,
       [](Victim& v) { return v.plan.memory.segments.inputs += 256, true; }},
      {"another total of the arena", Rule::Total,
       [](Victim& v) { return v.plan.memory.segments.arena += 256, true; }},
      {"another bound in bytes", Rule::Total,
       [](Victim& v) { return v.plan.memory.lower_bound_bytes += 1, true; }},
      {"another sum without reuse", Rule::Total,
       [](Victim& v) { return v.plan.memory.no_reuse_bytes += 1, true; }},
      {"another arena as it is written", Rule::Total,
       [](Victim& v) { return v.plan.memory.as_written_bytes += 256, true; }},
      {"another peak of all", Rule::Total, [](Victim& v) { return v.plan.memory.peak_bytes += 256, true; }},
      {"a peak of all that is no phase's", Rule::Total,
       [](Victim& v) {
         return v.plan.memory.peak && (v.plan.memory.peak = *v.plan.memory.peak + 256, true);
       }},
      {"buffers that are not reused", Rule::Total,
       [](Victim& v) { return v.plan.memory.reuse_buffers = false, true; }},
      {"a bound of other terms", Rule::LowerBound,
       [](Victim& v) {
         return v.plan.memory.lower_bound && (v.plan.memory.lower_bound = v.number(1), true);
       }},
      {"optimal where it is not, or not where it is", Rule::Optimal,
       [](Victim& v) { return v.plan.memory.optimal = !v.plan.memory.optimal, true; }},
      {"optimal by a search that is said to have been exhaustive", Rule::Ratio,
       [](Victim& v) {
         if (v.plan.memory.optimal) return false;
         v.plan.memory.optimal = true, v.plan.memory.range.worst_ratio = 1;
         return v.plan.memory.strength = Plan::Strength::Exact, true;
       }},
      {"an exact search for a placement that is not optimal", Rule::Optimal,
       [](Victim& v) {
         return !v.plan.memory.optimal && (v.plan.memory.strength = Plan::Strength::Exact, true);
       }},
      {"a ratio that is said to be proven", Rule::Proven,
       [](Victim& v) { return !v.plan.memory.range.proven && (v.plan.memory.range.proven = true, true); }},
      {"a worst ratio of another placement", Rule::Optimal,
       [](Victim& v) {
         return v.plan.memory.range.worst_ratio = v.plan.memory.range.worst_ratio == 1.0 ? 1.5 : 1.0, true;
       }},
      {"a worst ratio that the peak exceeds", Rule::Ratio,
       [](Victim& v) {
         return !v.plan.memory.optimal && (v.plan.memory.range.worst_ratio = 1 + 1e-7, true);
       }},
      {"a lighter plan that is heavier", Rule::Lighter,
       [](Victim& v) {
         Plan::Lighter* l = v.any(v.plan.memory.lighter);
         return l && (l->bytes = int64_t{1} << 50, true);
       }},

      {"a lighter plan by a command", Rule::Lighter,
       [](Victim& v) {
         Plan::Lighter* l = v.any(v.plan.memory.lighter);
         return l && (l->change = "rm -rf /", true);
       }},
      {"a lighter plan that is lighter than it can be", Rule::Lighter,
       [](Victim& v) {
         return !v.plan.memory.lighter.empty() && (v.plan.memory.lighter[0].bytes = 1, true);
       }},
      {"a half of a dim that leaves other bytes", Rule::Lighter,
       [](Victim& v) {
         Plan::Lighter* l = v.any(v.plan.memory.lighter, [](const auto& x) { return x.change[2] == 'd'; });
         return l && (++l->bytes, true);
       }},
  };
}

// Answers to budgets.
inline std::vector<Mutation> break_budgets() {
  return {
      {"a budget of another text", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b =
             v.any(v.plan.budget, [](const auto& x) { return x.expr.find("KiB") != std::string::npos; });
         return b && (b->expr.replace(b->expr.find("KiB"), 3, "GiB"), true);
       }},
      {"a budget that is no comparison", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget);
         return b && (b->expr = "memory", true);
       }},
      {"a budget whose text speaks of another phase", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.phase.empty(); });
         return b && v.plan.phases.size() > 1 && (b->expr = v.plan.phases[0].name + ".arena <= 64KiB", true);
       }},
      {"a budget of one phase whose text speaks of all", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.phase.empty(); });
         return b && (b->expr = "arena <= 64KiB", true);
       }},
      {"a budget of dims whose text counts bytes", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.budget(false);
         return b && (b->expr = "memory <= 9", true);
       }},
      {"a budget of bytes whose text counts none", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && !v.plan.dims.empty() && (b->expr = v.plan.dims[0].name + " <= 64", true);
       }},
      {"a budget that counts other segments", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && (++b->counts.weights, true);
       }},
      {"a budget of another limit", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && (b->limit = *b->limit + 1, true);
       }},
      {"a budget of other limit_bytes", Rule::BudgetLimit,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && (*b->limit_bytes += 1, true);
       }},
      {"a budget of dims that tells bytes", Rule::BudgetLimit,
       [](Victim& v) {
         Plan::Budget* b = v.budget(false);
         return b && (b->limit_bytes = 9, true);
       }},
      {"a budget of other used bytes", Rule::BudgetUsed,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && (*b->used_bytes += 1, true);
       }},
      {"a budget that is ok where it is not", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.ok; });
         return b && (b->ok = true, true);
       }},
      {"a budget of dims that is ok where it is not, or not where it is", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b = v.budget(false);
         return b && (b->ok = !b->ok, true);
       }},
      {"a budget that is ok for a dim without a largest size", Rule::BudgetOk,
       [](Victim& v) {
         const bool bounded =
             std::all_of(v.plan.dims.begin(), v.plan.dims.end(), [](const auto& d) { return d.max; });
         Plan::Budget* b = bounded ? nullptr : v.budget(true);
         return b && (b->ok = true, true);
       }},
      {"a budget that is not ok where it is", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.ok; });
         return b && (b->ok = false, true);
       }},
      {"a budget that is ok with more bytes than it may take", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && b->limit->is_constant() &&
                (b->expr = "memory <= 1", b->limit = v.number(1), b->limit_bytes = 1, b->ok = true, true);
       }},
      {"a budget that sizes break, by a limit that moves with them", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b =
             v.any(v.plan.budget, [](const auto& x) { return x.limit && !x.limit->is_constant(); });
         if (!b || b->expr.find("<=") == std::string::npos) return false;
         const Plan::Dim& dim = v.plan.dims[dims_of(*b->limit)[0]];
         b->expr = b->expr.substr(0, b->expr.find("<=")) + "<= " + dim.name;
         b->limit = v.dim(dim.name);
         b->limit_bytes = dim.value;
         return b->ok = true;
       }},
      {"a larger largest size", Rule::BudgetMost,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.max.empty(); });
         return b && (++b->max[0].second, true);
       }},
      {"a smaller largest size", Rule::BudgetMost,
       [](Victim& v) {
         Plan::Budget* b =
             v.any(v.plan.budget, [](const auto& x) { return !x.max.empty() && x.max[0].second > 1; });
         return b && (--b->max[0].second, true);
       }},
      {"a largest size fewer", Rule::BudgetMost,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.max.empty(); });
         return b && (b->max.pop_back(), true);
       }},
      {"a size beyond that fits", Rule::BudgetBeyond,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.beyond.empty(); });
         return b && (--b->beyond[0].second, true);
       }},
      {"no size beyond", Rule::BudgetBeyond,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.beyond.empty(); });
         return b && (b->beyond.clear(), true);
       }},
      {"a size beyond of a strange dim", Rule::BudgetBeyond,
       [](Victim& v) {
         Plan::Budget* b = v.budget(true);
         return b && (b->beyond.emplace_back("rm", 7), true);
       }},
      {"a point beside the frontier", Rule::BudgetFrontier,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.frontier.empty(); });
         return b && (++b->frontier[0].points[0].second, true);
       }},
      {"a frontier that rises", Rule::BudgetFrontier,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) {
           return !x.frontier.empty() && x.frontier[0].points.size() > 1;
         });
         return b && (std::swap(b->frontier[0].points[0], b->frontier[0].points[1]), true);
       }},
      {"a frontier of a strange dim", Rule::BudgetFrontier,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.frontier.empty(); });
         return b && (b->frontier[0].first = "rm", true);
       }},
      {"a change that is a command", Rule::BudgetChange,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return !x.changes.empty(); });
         return b && (b->changes[0].change = "rm -rf /", true);
       }},
      {"a change that keeps the budget with too many bytes", Rule::BudgetChange,
       [](Victim& v) {
         Plan::Budget* b =
             v.any(v.plan.budget, [](const auto& x) { return !x.changes.empty() && x.changes[0].ok; });
         return b && (b->changes[0].bytes = int64_t{1} << 50, true);
       }},
      {"a change that admits another size than it says", Rule::BudgetChange,
       [](Victim& v) {
         const auto narrows = [](const Plan::Change& c) { return c.change.rfind("budget ", 0) == 0; };
         for (Plan::Budget& b : v.plan.budget) {
           Plan::Change* c = v.any(b.changes, narrows);
           if (c && !c->max.empty()) return --c->max[0].second, true;
         }
         return false;
       }},
      {"a budget of no phase", Rule::BudgetPhase,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.phase.empty(); });
         return b && (b->phase = "nowhere", true);
       }},
      {"an answer of another phase", Rule::BudgetPhase,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.phases.size() > 1; });
         return b && (std::swap(b->phases[0], b->phases[1]), true);
       }},
      {"an answer fewer", Rule::BudgetPhase,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.phases.size() > 1; });
         return b && (b->phases.pop_back(), true);
       }},
  };
}

}  // namespace irplan::plans_test
