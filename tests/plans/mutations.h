// Ways to break a true plan, each by name and each meant for one rule of its proof. A change is made in one
// record, or in the few that have to change for only that rule to see it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "memory/random_program.h"
#include "plan/plan.h"
#include "plan/proof/proof.h"

namespace irplan::plans_test {

using memory_test::Random;
using proof::Rule;

// A plan that is being broken, and the dice.
class Victim {
 public:
  Victim(Plan& plan, Random& random) : plan(plan), random(random) {}

  Plan& plan;
  Random& random;

  Expr number(int64_t n) const { return plan.pool->constant(n); }
  Expr dim(const std::string& name) const { return plan.pool->dim(name); }

  // One of the records that are so, or null.
  template <class List, class So>
  auto* any(List& list, const So& so) {
    std::vector<size_t> found;
    for (size_t i = 0; i < list.size(); ++i) {
      if (so(list[i])) found.push_back(i);
    }
    return found.empty()
               ? nullptr
               : &list[found[static_cast<size_t>(random.below(static_cast<int64_t>(found.size())))]];
  }
  template <class List>
  auto* any(List& list) {
    return any(list, [](const auto&) { return true; });
  }
  uint32_t index(const Plan::Value* v) const { return static_cast<uint32_t>(v - plan.values.data()); }
  uint32_t index(const Plan::Buffer* b) const { return static_cast<uint32_t>(b - plan.buffers.data()); }
  bool is(const Plan::Op& op, const char* name) const { return std::string_view(op.row->name) == name; }
  Plan::Op* op(const char* name) {
    return any(plan.ops, [&](const Plan::Op& o) { return is(o, name); });
  }
  Plan::Op* writer(uint32_t value) {
    for (Plan::Op& o : plan.ops) {
      if (std::find(o.out.begin(), o.out.end(), value) != o.out.end()) return &o;
    }
    return nullptr;
  }
  Plan::Segment home(const Plan::Value& v) const { return plan.buffers[v.buffer].segment; }
  bool written_temp(const Plan::Value& v) const {
    return v.kind == Plan::Kind::Temp && v.of.empty() && home(v) == Plan::Segment::Arena;
  }
  Plan::Value* value(Plan::Kind kind) {
    return any(plan.values, [&](const Plan::Value& v) { return v.kind == kind; });
  }
  Plan::Value* window() {
    return any(plan.values, [](const Plan::Value& v) { return v.of.size() == 1; });
  }
  Plan::Buffer* arena() {
    return any(plan.buffers, [](const Plan::Buffer& b) {
      return b.segment == Plan::Segment::Arena && b.live_end > b.live_begin;
    });
  }
  Shape strides_of(const Plan::Value& v) const {
    if (v.strides) return *v.strides;
    Shape out(v.shape.size());
    Expr step = number(1);
    for (size_t i = v.shape.size(); i-- > 0;) out[i] = step, step = step * v.shape[i];
    return out;
  }
  Plan::Op* ring_append() {
    return any(plan.ops, [&](const Plan::Op& x) {
      return is(x, "append") && plan.values[x.in[0]].layout == Plan::Layout::Ring;
    });
  }
  // One more op behind all of the last phase, with a result in a buffer of its own.
  bool append_op(Plan::Op op, uint32_t in, Plan::Value made) {
    Plan::Phase& last = plan.phases.back();
    if (op.phase != last.name) return false;
    made.id = op.id = op.phase + "/more." + std::to_string(plan.ops.size());
    made.kind = Plan::Kind::Temp, made.offset.reset(), made.strides.reset(), made.of = {};
    made.buffer = static_cast<uint32_t>(plan.buffers.size());
    Plan::Buffer buffer;
    buffer.id = made.id, buffer.segment = Plan::Segment::Arena, buffer.phase = op.phase,
    buffer.bytes = number(4);
    for (const Expr e : made.shape) buffer.bytes = buffer.bytes * e;
    op.in = {in}, op.out = {static_cast<uint32_t>(plan.values.size())};
    Expr elements = number(1);
    for (const Expr e : made.shape) elements = elements * e;
    op.flops = elements, op.bytes = elements * (2 * info(made.dtype).bytes);
    last.flops = last.flops + op.flops, last.bytes = last.bytes + op.bytes;
    plan.buffers.push_back(std::move(buffer));
    plan.values.push_back(std::move(made));
    plan.ops.push_back(std::move(op));
    ++last.ops_end;
    return true;
  }
  // Puts a value into another's buffer; its own goes if nothing is left in it.
  void move(Plan::Value& value, uint32_t buffer) {
    const uint32_t old = value.buffer;
    for (Plan::Value& v : plan.values) {
      if (&v == &value || (v.buffer == old && !v.of.empty())) v.buffer = buffer;
    }
    const auto inside = [&](const Plan::Value& v) { return v.buffer == old; };
    if (std::any_of(plan.values.begin(), plan.values.end(), inside)) return;
    plan.buffers.erase(plan.buffers.begin() + old);
    const auto moved = [&](uint32_t b) { return b - (b > old); };
    for (Plan::Value& v : plan.values) v.buffer = moved(v.buffer);
    for (Plan::Op& o : plan.ops) {
      for (uint32_t& s : o.scratch) s = moved(s);
    }
    for (Plan::Buffer& b : plan.buffers) {
      Plan::Ids rest;
      for (const uint32_t u : b.above) {
        if (u != old) rest.push_back(moved(u));
      }
      b.above = rest;
    }
  }
  // Two arena buffers of one phase that are alive together, the first above the second.
  std::pair<Plan::Buffer*, uint32_t> stacked() {
    Plan::Buffer* upper = any(plan.buffers, [&](const Plan::Buffer& b) { return !b.above.empty(); });
    if (!upper) return {nullptr, kAbsent};
    return {upper,
            upper->above[static_cast<size_t>(random.below(static_cast<int64_t>(upper->above.size())))]};
  }
  Plan::Budget* budget(bool bytes) {
    return any(plan.budget, [&](const Plan::Budget& b) { return b.limit.has_value() == bytes; });
  }
};

struct Mutation {
  const char* name;
  Rule rule;  // that must see it, if it is the only change
  bool (*apply)(Victim&);
};

inline const std::vector<Mutation>& mutations() {
  using Kind = Plan::Kind;
  using Segment = Plan::Segment;
  static const std::vector<Mutation> all = {
      // ---- records
      {"a buffer of another name", Rule::BufferName,
       [](Victim& v) {
         Plan::Buffer* b = v.any(v.plan.buffers, [&](const auto& x) {
           return std::any_of(v.plan.values.begin(), v.plan.values.end(),
                              [&](const auto& y) { return y.buffer == v.index(&x); });
         });
         return b && (b->id += ".other", true);
       }},
      {"a buffer of no phase", Rule::BufferPhase,
       [](Victim& v) {
         Plan::Buffer* b = v.arena();
         return b && (b->phase = "nowhere", true);
       }},
      {"above a buffer of the inputs", Rule::AbovePhase,
       [](Victim& v) {
         Plan::Buffer *b = v.arena(),
                      *other =
                          v.any(v.plan.buffers, [](const auto&x) { return x.segment != Segment::Arena; });
         return b && other && (b->above.push_back(v.index(other)), true);
       }},
      {"above a buffer twice", Rule::AbovePhase,
       [](Victim& v) {
         auto [upper, lower] = v.stacked();
         return upper && (upper->above.push_back(lower), true);
       }},
      {"a param in the state segment", Rule::Segment,
       [](Victim& v) {
         Plan::Value* p = v.value(Kind::Param);
         return p && (v.plan.buffers[p->buffer].segment = Segment::State, true);
       }},
      {"an input in the weights", Rule::Segment,
       [](Victim& v) {
         Plan::Value* p = v.value(Kind::Input);
         return p && (v.plan.buffers[p->buffer].segment = Segment::Weights, true);
       }},
      {"two params in one buffer", Rule::Owner,
       [](Victim& v) {
         Plan::Value *a = v.value(Kind::Param), *b = v.value(Kind::Param);
         if (!a || a == b || a->buffer == b->buffer) return false;
         const auto shown = [&](const auto& x) { return x.buffer == a->buffer && &x != a; };
         if (std::any_of(v.plan.values.begin(), v.plan.values.end(), shown)) return false;
         a->buffer = b->buffer;
         return true;
       }},
      {"a param without a source", Rule::Source,
       [](Victim& v) {
         Plan::Value* p = v.value(Kind::Param);
         return p && (p->source.clear(), true);
       }},
      {"a capacity of other rows", Rule::State,
       [](Victim& v) {
         Plan::Value* s =
             v.any(v.plan.values, [](const auto& x) { return x.layout == Plan::Layout::Contiguous; });
         return s && (s->capacity = v.number(1 + v.random.below(9)), true);
       }},
      {"a state without a layout", Rule::State,
       [](Victim& v) {
         Plan::Value* s = v.value(Kind::State);
         return s && (s->layout = Plan::Layout::None, true);
       }},
      {"a ring for fewer rows than it has", Rule::State,
       [](Victim& v) {
         Plan::Value* s = v.any(v.plan.values, [](const auto& x) { return x.layout == Plan::Layout::Ring; });
         return s && (s->capacity = v.number(1), true);
       }},
      {"a source of a temp", Rule::Fields,
       [](Victim& v) {
         Plan::Value* t = v.value(Kind::Temp);
         return t && (t->source = "elsewhere", true);
       }},
      {"a capacity of an input", Rule::Fields,
       [](Victim& v) {
         Plan::Value* t = v.value(Kind::Input);
         return t && (t->capacity = v.number(7), true);
       }},
      {"a window of another dtype", Rule::OfBuffer,
       [](Victim& v) {
         Plan::Value* w = v.window();
         return w && (w->dtype = w->dtype == DType::F32 ? DType::I32 : DType::F32, true);
       }},
      {"a window that shows itself", Rule::OfCircle,
       [](Victim& v) {
         Plan::Value* w = v.window();
         return w && (w->of = {v.index(w)}, true);
       }},
      {"a phase that begins an op late", Rule::Phases,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.ops_end > x.ops_begin; });
         return p && (++p->ops_begin, true);
       }},
      {"a phase that ends an op early", Rule::Phases,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.ops_end > x.ops_begin; });
         return p && (--p->ops_end, true);
       }},
      {"an op of another phase", Rule::Phases,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.phase != "load"; });
         return o && (o->phase = "nowhere", true);
       }},
      {"a guard of no phase", Rule::GuardPhase,
       [](Victim& v) {
         Plan::Guard* g = v.any(v.plan.guards);
         return g && (g->phase = "nowhere", true);
       }},
      {"a dim with a value for each row of itself", Rule::DimPer,
       [](Victim& v) {
         Plan::Dim* d = v.any(v.plan.dims, [](const auto& x) { return !x.per.empty(); });
         return d && (d->per = d->name, true);
       }},
      {"a result written twice", Rule::Written,
       [](Victim& v) {
         Plan::Op* o =
             v.any(v.plan.ops, [&](const auto& x) { return x.out.size() == 1 && x.phase != "load"; });
         return o && (o->out.push_back(o->out[0]), true);
       }},
      {"a result that is a window", Rule::Written,
       [](Victim& v) {
         Plan::Value* t =
             v.any(v.plan.values, [&](const auto& x) { return v.written_temp(x) && v.writer(v.index(&x)); });
         if (!t) return false;
         Plan::Value* other = v.any(v.plan.values, [&](const auto& x) {
           return x.buffer == t->buffer && &x != t && x.dtype == t->dtype;
         });
         return other && (t->of = {v.index(other)}, true);
       }},
      {"a result in the inputs", Rule::Segment,
       [](Victim& v) {
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) { return v.written_temp(x); });
         Plan::Value* in = v.value(Kind::Input);
         return t && in && (t->buffer = in->buffer, true);
       }},
      {"an op that is gone", Rule::Unwritten,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases, [](const auto& x) { return x.ops_end > x.ops_begin + 1; });
         if (!p) return false;
         const auto at = p->ops_begin + static_cast<uint32_t>(v.random.below(p->ops_end - p->ops_begin));
         v.plan.ops.erase(v.plan.ops.begin() + at);
         for (Plan::Phase& x : v.plan.phases) x.ops_begin -= x.ops_begin > at, x.ops_end -= x.ops_end > at;
         for (Plan::Buffer& b : v.plan.buffers)
           b.live_begin -= b.live_begin > at, b.live_end -= b.live_end > at;
         return true;
       }},
      {"a value of another phase", Rule::ValuePhase,
       [](Victim& v) {
         if (v.plan.phases.size() < 2) return false;
         Plan::Value* t =
             v.any(v.plan.values, [&](const auto& x) { return v.written_temp(x) && !x.phase.empty(); });
         return t &&
                (t->phase = t->phase == v.plan.phases[0].name ? v.plan.phases[1].name : v.plan.phases[0].name,
                 true);
       }},
      {"a value of no phase", Rule::ValuePhase,
       [](Victim& v) {
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) { return !x.phase.empty(); });
         return t && (t->phase = "nowhere", true);
       }},
      {"an append to what is no state", Rule::Append,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         return o && (o->in[0] = o->in[1], true);
       }},
      {"scratch in a value's buffer", Rule::Scratch,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.phase != "load"; });
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) { return v.written_temp(x); });
         return o && t && (o->scratch.push_back(t->buffer), true);
       }},
      {"a buffer of nothing", Rule::Scratch,
       [](Victim& v) {
         Plan::Buffer b;
         b.id = "nothing", b.segment = Segment::Arena, b.phase = v.plan.phases[0].name,
         b.bytes = v.number(256);
         v.plan.buffers.push_back(std::move(b));
         return true;
       }},
      {"scratch of bytes that may be negative", Rule::Scratch,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.phase != "load"; });
         if (!o || v.plan.dims.empty()) return false;
         Plan::Buffer b;
         b.id = o->id + ".scratch", b.segment = Segment::Arena, b.phase = o->phase;
         b.bytes = v.dim(v.plan.dims[0].name) - v.plan.dims[0].max.value_or(1 << 20);
         o->scratch.push_back(static_cast<uint32_t>(v.plan.buffers.size()));
         v.plan.buffers.push_back(std::move(b));
         return true;
       }},
      {"an op of load that reads an input", Rule::LoadReads,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.phase == "load"; });
         Plan::Value* in = v.value(Kind::Input);
         return o && in && (o->in[0] = v.index(in), true);
       }},
      {"an output of another phase", Rule::Output,
       [](Victim& v) {
         if (v.plan.phases.size() < 2) return false;
         Plan::Output* o =
             v.any(v.plan.outputs, [&](const auto& x) { return v.plan.values[x.value].kind == Kind::Temp; });
         return o &&
                (o->phase = o->phase == v.plan.phases[0].name ? v.plan.phases[1].name : v.plan.phases[0].name,
                 true);
       }},
      {"an output twice", Rule::Output,
       [](Victim& v) {
         Plan::Output* o = v.any(v.plan.outputs);
         if (!o) return false;
         const Plan::Output copy = *o;
         v.plan.outputs.push_back(copy);
         return true;
       }},

      // ---- types
      {"an operand too many", Rule::Operands,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) {
           return !x.row->variadic && !x.in.empty() && x.in[0] != kAbsent;
         });
         if (!o) return false;
         while (o->in.size() <= o->row->operands.size()) o->in.push_back(o->in[0]);
         return true;
       }},
      {"an operand too few", Rule::Operands,
       [](Victim& v) {
         Plan::Op* o =
             v.any(v.plan.ops, [](const auto& x) { return x.in.size() > 0 && !x.row->operands[0].optional; });
         return o && (o->in[0] = kAbsent, !v.is(*o, "append"));
       }},
      {"an attribute that is absent", Rule::Attribute,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) {
           return !x.row->attributes.empty() && !x.row->attributes[0].fallback &&
                  !x.row->attributes[0].implicit;
         });
         return o && (o->attrs.set(o->row->attributes[0].name, Attr()), true);
       }},
      {"an attribute beyond 64 bits", Rule::Attribute,
       [](Victim& v) {
         Plan::Op* o = v.op("rope");
         if (!o || v.plan.dims.empty()) return false;
         Expr e = v.number(INT64_MAX);
         for (const Plan::Dim& d : v.plan.dims) e = e * (v.dim(d.name) + 1);
         return o->attrs.set("at", Attr(e)), !e.overflowed();
       }},
      {"a result of another shape", Rule::Shape,
       [](Victim& v) {
         Plan::Op* o =
             v.any(v.plan.ops, [&](const auto& x) { return !v.plan.values[x.out[0]].shape.empty(); });
         if (!o) return false;
         Shape& shape = v.plan.values[o->out[0]].shape;
         Expr& e = shape[static_cast<size_t>(v.random.below(static_cast<int64_t>(shape.size())))];
         e = e + 1;
         return true;
       }},
      {"a result of another dtype", Rule::Shape,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops);
         if (!o) return false;
         DType& d = v.plan.values[o->out[0]].dtype;
         const auto shows = [&](const auto& x) {
           return std::find(x.of.begin(), x.of.end(), o->out[0]) != x.of.end();
         };
         if (std::any_of(v.plan.values.begin(), v.plan.values.end(), shows)) return false;
         d = d == DType::I32 ? DType::F32 : DType::I32;
         return true;
       }},
      {"a guard that an op needs is gone", Rule::Constraint,
       [](Victim& v) {
         std::erase_if(v.plan.guards, [](const auto& g) { return g.budget; });
         if (v.plan.guards.empty()) return false;
         v.plan.guards.erase(v.plan.guards.begin() +
                             v.random.below(static_cast<int64_t>(v.plan.guards.size())));
         return true;
       }},
      {"other flops", Rule::Cost,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops);
         return o && (o->flops = o->flops + 1, true);
       }},
      {"other bytes of an op", Rule::Cost,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops);
         return o && (o->bytes = o->bytes + 64, true);
       }},
      {"other flops of a phase", Rule::PhaseCost,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases);
         return p && (p->flops = p->flops + 1, true);
       }},
      {"other bytes of a phase", Rule::PhaseCost,
       [](Victim& v) {
         Plan::Phase* p = v.any(v.plan.phases);
         return p && (p->bytes = p->bytes + 1, true);
       }},
      {"an extent that may be negative", Rule::Extent,
       [](Victim& v) {
         Plan::Value* in = v.any(v.plan.values, [](const auto& x) { return !x.shape.empty(); });
         if (!in || v.plan.dims.empty()) return false;
         in->shape[0] = v.dim(v.plan.dims[0].name) - v.plan.dims[0].max.value_or(1 << 20);
         return true;
       }},
      {"weights of a step's size", Rule::WeightSize,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         Plan::Value* p = v.value(Kind::Param);
         if (!o || !p || p->shape.empty()) return false;
         const auto dims = dims_of(v.plan.values[o->in[1]].shape[1] + o->attrs["at"].expr());
         return !dims.empty() && (p->shape[0] = v.dim(v.plan.dims[dims[0]].name) + 1, true);
       }},
      {"a state of a step's size", Rule::StateSize,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         Plan::Value* s = v.value(Kind::State);
         if (!o || !s) return false;
         const auto dims = dims_of(v.plan.values[o->in[1]].shape[1] + o->attrs["at"].expr());
         return !dims.empty() && (s->shape.back() = v.dim(v.plan.dims[dims[0]].name) + 1, true);
       }},
      {"a window that a ring is too small for", Rule::Ring,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [&](const auto& x) {
           const Plan::Op* append =
               x.in.size() > 1 && x.in[1] != kAbsent && v.is(x, "attention") ? v.writer(x.in[1]) : nullptr;
           return append && v.is(*append, "append") &&
                  v.plan.values[append->in[0]].layout == Plan::Layout::Ring;
         });
         return o && (o->attrs.set("window", Attr(v.number(100000))), true);
       }},
      {"a contiguous state called a ring", Rule::Shape,
       [](Victim& v) {
         Plan::Value* s = v.any(v.plan.values, [](const auto& x) {
           return x.layout == Plan::Layout::Contiguous && x.shape[1].is_constant();
         });
         return s && (s->layout = Plan::Layout::Ring, true);
       }},

      {"a window on a ring", Rule::Ring,
       [](Victim& v) {
         Plan::Op* o = v.ring_append();
         if (!o) return false;
         Plan::Value window = v.plan.values[o->out[0]];
         window.id += ".window", window.of = {o->out[0]};
         return v.plan.values.push_back(std::move(window)), true;
       }},
      {"an output of a ring", Rule::Ring,
       [](Victim& v) {
         Plan::Op* o = v.ring_append();
         if (!o) return false;
         return v.plan.outputs.push_back({"ring", o->out[0], o->phase}), true;
       }},
      {"a ring that is read by no attention", Rule::Ring,
       [](Victim& v) {
         Plan::Op* o = v.ring_append();
         Plan::Op* relu =
             o ? v.any(v.plan.ops, [&](const auto& x) { return v.is(x, "relu") && x.phase == o->phase; })
               : nullptr;
         if (!relu) return false;
         Plan::Op more = *relu;
         Plan::Value made = v.plan.values[o->out[0]];
         return v.append_op(std::move(more), o->out[0], std::move(made));
       }},

      // ---- windows
      {"a buffer that is too small", Rule::Whole,
       [](Victim& v) {
         Plan::Buffer* b = v.any(v.plan.buffers, [](const auto& x) { return x.segment != Segment::Arena; });
         return b && (b->bytes = b->bytes - 1, true);
       }},
      {"a buffer that is too large", Rule::Whole,
       [](Victim& v) {
         Plan::Buffer* b = v.any(v.plan.buffers);
         return b && (b->bytes = b->bytes * 2, true);
       }},
      {"a param whose elements lie on each other", Rule::Whole,
       [](Victim& v) {
         Plan::Value* p = v.any(v.plan.values, [](const auto& x) {
           return x.kind == Kind::Param && !x.shape.empty() && !x.shape[0].is(1);
         });
         if (!p) return false;
         Shape strides = v.strides_of(*p);
         strides[0] = v.number(0);
         return p->strides = strides, true;
       }},
      {"an input at an offset", Rule::Whole,
       [](Victim& v) {
         Plan::Value* p = v.value(v.random.chance(50) ? Kind::Input : Kind::State);
         return p && (p->offset = v.number(64), true);
       }},
      {"blocks that are not whole", Rule::Blocks,
       [](Victim& v) {
         Plan::Value* p =
             v.any(v.plan.values, [](const auto& x) { return is_block(x.dtype) && x.shape.size() > 1; });
         if (!p) return false;
         Shape strides = v.strides_of(*p);
         strides.back() = v.number(v.random.below(3) * 2);
         return p->strides = strides, true;
       }},
      {"a view of other strides", Rule::View,
       [](Victim& v) {
         Plan::Value* w =
             v.any(v.plan.values, [](const auto& x) { return x.of.size() == 1 && !x.shape.empty(); });
         if (!w) return false;
         Shape strides = v.strides_of(*w);
         const auto at = static_cast<size_t>(v.random.below(static_cast<int64_t>(strides.size())));
         if (w->shape[at].is(1)) return false;
         strides[at] = v.random.chance(50) ? strides[at] + 1 : strides[at] * 2;
         return w->strides = strides, true;
       }},
      {"a view of more elements", Rule::View,
       [](Victim& v) {
         Plan::Value* w =
             v.any(v.plan.values, [](const auto& x) { return x.of.size() == 1 && x.shape.size() > 1; });
         return w && (w->shape[0] = w->shape[0] + 1, w->shape[1] = w->shape[1] + 1, true);
       }},
      {"a part that ends beyond", Rule::Part,
       [](Victim& v) {
         Plan::Value* w = v.any(v.plan.values, [&](const auto& x) {
           return x.of.size() == 1 && x.shape.size() == v.plan.values[x.of[0]].shape.size();
         });
         if (!w) return false;
         const Plan::Value& from = v.plan.values[w->of[0]];
         for (size_t i = 0; i < w->shape.size(); ++i) {
           if (w->shape[i] == from.shape[i]) continue;
           const Expr base = from.offset ? *from.offset : v.number(0);
           const DTypeInfo& type = info(w->dtype);
           if (type.elements > 1) return false;
           return w->offset = base + from.shape[i] * v.strides_of(from)[i] * type.bytes, true;
         }
         return false;
       }},
      {"a part between elements", Rule::Part,
       [](Victim& v) {
         Plan::Value* w = v.any(v.plan.values, [&](const auto& x) {
           return x.of.size() == 1 && info(x.dtype).bytes > 1 && x.shape != v.plan.values[x.of[0]].shape &&
                  x.shape.size() == v.plan.values[x.of[0]].shape.size();
         });
         return w && (w->offset = (w->offset ? *w->offset : v.number(0)) + 1, true);
       }},
      {"a concat of other order", Rule::Concat,
       [](Victim& v) {
         Plan::Value* c = v.any(v.plan.values, [](const auto& x) { return x.of.size() > 1; });
         return c && (std::swap(c->of[0], c->of[1]), true);
       }},
      {"a concat of fewer operands", Rule::Concat,
       [](Victim& v) {
         Plan::Value* c = v.any(v.plan.values, [](const auto& x) { return x.of.size() > 2; });
         if (!c) return false;
         Plan::Ids fewer(c->of.begin(), c->of.begin() + 2);
         return c->of = fewer, true;
       }},
      {"a result at an offset", Rule::InPlace,
       [](Victim& v) {
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) { return v.written_temp(x); });
         return t && (t->offset = (t->offset ? *t->offset : v.number(0)) + v.number(4096), true);
       }},
      {"a result whose rows lie on each other", Rule::InPlace,
       [](Victim& v) {
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) {
           return v.written_temp(x) && x.shape.size() > 1 && !x.shape[x.shape.size() - 2].is(1);
         });
         if (!t) return false;
         Shape strides = v.strides_of(*t);
         strides[strides.size() - 2] = v.number(0);
         return t->strides = strides, true;
       }},
      {"an append's result at an offset", Rule::AppendWindow,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         return o && (v.plan.values[o->out[0]].offset = v.number(256), true);
       }},
      {"an append's result of other strides", Rule::AppendWindow,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         if (!o) return false;
         Plan::Value& k = v.plan.values[o->out[0]];
         Shape strides = v.strides_of(v.plan.values[o->in[0]]);
         strides[1] = strides[1] + 1;
         return k.strides = strides, true;
       }},

      // ---- contents
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

      // ---- lifetimes and order
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

      // ---- numbers
      {"a size that a guard forbids", Rule::GuardValue,
       [](Victim& v) {
         Plan::Guard g;
         if (v.plan.dims.empty()) return false;
         g.left = v.dim(v.plan.dims[0].name), g.right = v.number(v.plan.dims[0].value - 1);
         return v.plan.guards.push_back(g), true;
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
      {"another peak of all", Rule::Total, [](Victim& v) { return v.plan.memory.peak_bytes += 256, true; }},
      {"buffers that are not reused", Rule::Total,
       [](Victim& v) { return v.plan.memory.reuse_buffers = false, true; }},
      {"a bound of other terms", Rule::LowerBound,
       [](Victim& v) {
         return v.plan.memory.lower_bound && (v.plan.memory.lower_bound = v.number(1), true);
       }},
      {"optimal where it is not, or not where it is", Rule::Optimal,
       [](Victim& v) { return v.plan.memory.optimal = !v.plan.memory.optimal, true; }},
      {"a worst ratio of another placement", Rule::Optimal,
       [](Victim& v) {
         return v.plan.memory.range.worst_ratio = v.plan.memory.range.worst_ratio == 1.0 ? 1.5 : 1.0, true;
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

      // ---- budgets
      {"a budget of another text", Rule::BudgetText,
       [](Victim& v) {
         Plan::Budget* b =
             v.any(v.plan.budget, [](const auto& x) { return x.expr.find("KiB") != std::string::npos; });
         return b && (b->expr.replace(b->expr.find("KiB"), 3, "GiB"), true);
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
      {"a budget that is not ok where it is", Rule::BudgetOk,
       [](Victim& v) {
         Plan::Budget* b = v.any(v.plan.budget, [](const auto& x) { return x.ok; });
         return b && (b->ok = false, true);
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
  return all;
}

}  // namespace irplan::plans_test
