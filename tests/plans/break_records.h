// Records, types and windows, broken by name.
#pragma once

#include "plans/victim.h"

namespace irplan::plans_test {

// Records and what they point at.
inline std::vector<Mutation> break_records() {
  using Kind = Plan::Kind;
  using Segment = Plan::Segment;
  return {
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
      {"a ring of as many rows as a dim says", Rule::State,
       [](Victim& v) {
         Plan::Value* s = v.any(v.plan.values, [](const auto& x) { return x.layout == Plan::Layout::Ring; });
         return s && !v.plan.dims.empty() && (s->shape[1] = v.dim(v.plan.dims[0].name), true);
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
      {"a phase called load", Rule::Phases, [](Victim& v) { return v.plan.phases[0].name = "load", true; }},
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
      {"no phase at all", Rule::Phases, [](Victim& v) { return v.plan.phases.clear(), true; }, true},
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
      {"an absent result", Rule::Written,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops);
         return o && (o->out.push_back(kAbsent), true);
       },
       true},
      {"a result in a state, by no append", Rule::Written,
       [](Victim& v) {
         Plan::Value* t = v.any(v.plan.values, [&](const auto& x) {
           return v.written_temp(x) && v.writer(v.index(&x)) && !x.offset && !x.strides;
         });
         Plan::Value* s = v.value(Kind::State);
         return t && s && (v.move(*t, s->buffer), true);
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
      {"a packed weight for a kernel of rows", Rule::Packed,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.kernel == "cpu_linear_v2"; });
         return o && (o->kernel = "cpu_linear_v1", true);
       }},
      {"a kernel of whole numbers for an op without them", Rule::Packed,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.kernel == "cpu_linear_v3"; });
         return o && (o->kernel = "cpu_linear_v4", true);
       }},
      {"a packed weight that says rows", Rule::Packed,
       [](Victim& v) {
         Plan::Value* p = v.any(v.plan.values, [](const auto& x) { return x.packed() != nullptr; });
         return p && (p->layout = Plan::Layout::None, true);
       }},
      {"a param that is packed", Rule::Packed,
       [](Victim& v) {
         Plan::Value* p = v.value(Kind::Param);
         return p && (p->layout = Plan::Layout::Panels16, true);
       }},
      {"scratch of fewer bytes than the kernel takes", Rule::KernelScratch,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.kernel == "cuda_attention_v2"; });
         return o && (v.plan.buffers[o->scratch[0]].bytes = v.number(64), true);
       }},
      {"scratch for a kernel that takes none", Rule::KernelScratch,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [](const auto& x) { return x.kernel == "cuda_attention_v2"; });
         return o && (o->kernel = "cuda_attention_v1", true);
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
  };
}

// Types, attributes, costs, and what sizes must be.
inline std::vector<Mutation> break_types() {
  using Kind = Plan::Kind;
  return {
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
      {"an attribute that is left to its rule", Rule::Attribute,
       [](Victim& v) {
         Plan::Op* o = v.op("rope");
         return o && (o->attrs.set("dim", Attr()), true);
       }},
      {"an op of load that follows a dim", Rule::Fold,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [&](const auto& x) { return x.phase == "load" && v.is(x, "rope"); });
         return o && !v.plan.dims.empty() && (o->attrs.set("at", Attr(v.dim(v.plan.dims[0].name))), true);
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
      {"a result too many", Rule::Shape,
       [](Victim& v) {
         Plan::Op* o = v.any(v.plan.ops, [&](const auto& x) {
           return x.phase != "load" && v.written_temp(v.plan.values[x.out[0]]) &&
                  v.plan.buffers[v.plan.values[x.out[0]].buffer].id == x.id;
         });
         if (!o) return false;
         Plan::Value more = v.plan.values[o->out[0]];
         Plan::Buffer buffer = v.plan.buffers[more.buffer];
         buffer.id = more.id += ".more", more.buffer = static_cast<uint32_t>(v.plan.buffers.size());
         o->out.push_back(static_cast<uint32_t>(v.plan.values.size()));
         v.plan.values.push_back(std::move(more));
         v.plan.buffers.push_back(std::move(buffer));
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
         const auto dims = v.dims_of_step(*o);
         return !dims.empty() && (p->shape[0] = v.dim(v.plan.dims[dims[0]].name) + 1, true);
       }},
      {"a state of a step's size", Rule::StateSize,
       [](Victim& v) {
         Plan::Op* o = v.op("append");
         Plan::Value* s = v.value(Kind::State);
         if (!o || !s) return false;
         const auto dims = v.dims_of_step(*o);
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
  };
}

// Where values lie.
inline std::vector<Mutation> break_windows() {
  using Kind = Plan::Kind;
  using Segment = Plan::Segment;
  return {
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
      {"a part that begins inside of a block", Rule::Blocks,
       [](Victim& v) {
         Plan::Value* w = v.any(v.plan.values, [&](const auto& x) {
           return x.of.size() == 1 && is_block(x.dtype) && info(x.dtype).bytes % 2 == 0 &&
                  !(x.shape.back() == v.plan.values[x.of[0]].shape.back());
         });
         return w && (w->offset = v.number(info(w->dtype).bytes / 2), true);
       }},
      {"a window on what lies over it", Rule::OfCircle,
       [](Victim& v) {
         for (const Plan::Op& o : v.plan.ops) {
           for (const uint32_t in : o.in) {
             if (in == kAbsent || v.plan.values[in].of.size() != 1) continue;
             const Plan::Value &r = v.plan.values[o.out[0]], &w = v.plan.values[in];
             if (r.buffer != w.buffer || !r.of.empty() || r.dtype != w.dtype || !(r.shape == w.shape) ||
                 r.offset != w.offset || !(v.strides_of(r) == v.strides_of(w)) || !(r.offset || r.strides))
               continue;
             return v.plan.values[in].of = {o.out[0]}, true;
           }
         }
         return false;
       }},
      {"a concat of a window", Rule::Concat,
       [](Victim& v) {
         Plan::Value* c = v.any(v.plan.values, [](const auto& x) { return x.of.size() > 1; });
         if (!c) return false;
         Plan::Value window = v.plan.values[c->of[0]];
         window.id += ".window", window.of = {c->of[0]};
         c->of[0] = static_cast<uint32_t>(v.plan.values.size());
         return v.plan.values.push_back(std::move(window)), true;
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
  };
}

}  // namespace irplan::plans_test
