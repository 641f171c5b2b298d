// From ops to calls: the one place where a plan's attributes become a kernel's numbers.
#include <algorithm>
#include <cmath>

#include "ops/rope_table.h"
#include "ops/whole_rows.h"
#include "runtime/schedule_context.h"

namespace irplan {
namespace {

// ------------------------------------------------------------------------------------------------ elements

template <Unary function>
bool unary(OpContext& c) {
  UnaryCall call;
  call.function = function;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  if (function == Unary::Softcap) call.cap = c.number("cap");
  if (function == Unary::Clamp) {
    const Attr &lo = c.attr("lo"), &hi = c.attr("hi");
    call.has_lo = !lo.is_none();
    call.has_hi = !hi.is_none();
    call.lo = static_cast<float>(lo.number());
    call.hi = static_cast<float>(hi.number());
    call.int_lo = lo.integer();
    call.int_hi = hi.integer();
  }
  c.emit(call);
  return true;
}

template <Binary function>
bool binary(OpContext& c) {
  BinaryCall call;
  call.function = function;
  if (!c.in(0, call.a) || !c.in(1, call.b) || !c.result(0, call.y)) return false;
  call.a = broadcast(call.a, call.y);
  if (call.b.present()) call.b = broadcast(call.b, call.y);
  const Attr& scalar = c.attr("scalar");
  call.number_first = c.attr("scalar_first").boolean();
  call.number = static_cast<float>(scalar.number());
  call.int_number = scalar.integer();
  c.emit(call);
  return true;
}

template <bool gelu>
bool gated(OpContext& c) {
  GatedCall call;
  call.gelu = gelu;
  if (!c.in(0, call.g) || !c.in(1, call.u) || !c.result(0, call.y)) return false;
  c.emit(call);
  return true;
}

// A tensor of blocks as the bytes that hold them.
Tensor as_bytes(Tensor t) {
  const DTypeInfo& block = info(t.dtype);
  t.dtype = DType::I8;
  for (int i = 0; i < t.rank; ++i) t.stride[i] = t.stride[i] / block.elements * block.bytes;
  if (t.rank > 0) {
    t.shape[t.rank - 1] = t.shape[t.rank - 1] / block.elements * block.bytes;
    t.stride[t.rank - 1] = 1;
  }
  return t;
}

bool same_place(const Tensor& a, const Tensor& b) {
  return a.segment == b.segment && a.offset == b.offset && a.dtype == b.dtype;
}

bool same_window(const Tensor& a, const Tensor& b) {
  bool same = same_place(a, b) && a.rank == b.rank;
  for (int i = 0; same && i < a.rank; ++i) {
    same = a.shape[i] == b.shape[i] && (a.shape[i] == 1 || a.stride[i] == b.stride[i]);
  }
  return same;
}

// y's elements become x's; nothing where they lie there already.
void emit_copy(OpContext& c, const Tensor& x, const Tensor& y) {
  if (y.count() == 0 || same_window(x, y) || (same_place(x, y) && x.dense() && y.dense())) return;
  CopyCall call{x, y, is_block(y.dtype) && x.dtype != y.dtype};
  if (is_block(y.dtype) && !call.blocks) call = {as_bytes(x), as_bytes(y), false};
  c.emit(call);
}

bool copy(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  emit_copy(c, x, y);
  return true;
}

bool pack(OpContext& c) {
  // On another target's plan the rows stay as they are; the kernels that read them are this target's own.
  if (c.all.plan.target != c.kernel->target) return copy(c);
  PackCall call;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  c.emit(call);
  return true;
}

bool transpose(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  Tensor turned = x;
  const AttrList& perm = c.attr("perm").list();
  for (int i = 0; i < x.rank; ++i) {
    const int64_t axis = perm[static_cast<size_t>(i)].integer();
    const int64_t from = axis < 0 ? axis + x.rank : axis;
    turned.shape[i] = x.shape[from];
    turned.stride[i] = x.stride[from];
  }
  emit_copy(c, turned, y);
  return true;
}

// Lines [start, start + length) of an axis.
Tensor part_of(Tensor x, int axis, int64_t start, int64_t length) {
  const DTypeInfo& block = info(x.dtype);
  x.offset += start * x.stride[axis] / block.elements * block.bytes;
  x.shape[axis] = length;
  return x;
}

bool slice(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  const int axis = c.axis(x.rank);
  const int64_t start = c.fixed(c.attr("start").expr(), "the start");
  if (start < 0 || start > x.shape[axis] - y.shape[axis]) return c.fail("takes more than there is");
  emit_copy(c, part_of(x, axis, start, y.shape[axis]), y);
  return true;
}

bool split(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x)) return false;
  const int axis = c.axis(x.rank);
  int64_t start = 0;
  for (size_t i = 0; i < c.op.out.size(); ++i) {
    if (!c.result(i, y)) return false;
    if (y.shape[axis] > x.shape[axis] - start) return c.fail("takes more than there is");
    emit_copy(c, part_of(x, axis, start, y.shape[axis]), y);
    start += y.shape[axis];
  }
  return true;
}

bool concat(OpContext& c) {
  Tensor y, x;
  if (!c.result(0, y)) return false;
  const int axis = c.axis(y.rank);
  int64_t start = 0;
  for (size_t i = 0; i < c.op.in.size(); ++i) {
    if (!c.in(i, x)) return false;
    if (x.shape[axis] > y.shape[axis] - start) return c.fail("puts in more than there is room for");
    const Tensor part = part_of(y, axis, start, x.shape[axis]);
    start += x.shape[axis];
    emit_copy(c, broadcast(x, part), part);
  }
  return true;
}

bool dequant(OpContext& c) {
  DequantCall call;
  if (!c.scaled_weight(0, 1, call.weight) || !c.result(0, call.y)) return false;
  c.emit(call);
  return true;
}

// ------------------------------------------------------------------------------------------------ rows

bool norm(OpContext& c, bool centred, bool summed) {
  NormCall call;
  call.centred = centred;
  call.eps = c.number("eps");
  call.offset = c.number("offset");
  const size_t w = summed ? 2 : 1;
  if (!c.in(0, call.x) || (summed && !c.in(1, call.addend)) || !c.in(w, call.w) || !c.in(w + 1, call.b) ||
      (summed && !c.result(0, call.sum)) || !c.result(summed ? 1 : 0, call.y))
    return false;
  c.emit(call);
  return true;
}

template <bool centred, bool summed>
bool norm_of(OpContext& c) {
  return norm(c, centred, summed);
}

bool rope(OpContext& c) {
  RopeCall call;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  const int64_t dim = c.fixed(c.attr("dim").expr(), "dim");
  if (dim < 2 || dim > call.x.extent(1)) return c.fail("dim is " + std::to_string(dim));
  const RopeTable table = rope_table(c.attr("base").number(), dim, c.attr("scaling").record());
  call.half = static_cast<int32_t>(dim / 2);
  call.m = table.m;
  call.interleave = c.attr("interleave").boolean();
  call.at = c.each_sequence(c.attr("at").expr(), call.x.shape[0]);
  call.g = c.all.constant(table.g);
  c.emit(call);
  return true;
}

bool softmax(OpContext& c) {
  SoftmaxCall call;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  call.axis = c.axis(call.x.rank);
  c.emit(call);
  return true;
}

template <Reduce what>
bool reduce(OpContext& c) {
  ReduceCall call;
  call.what = what;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  if (c.kernel->scratch && !c.scratch(call.parts)) return false;
  call.axis = c.axis(call.x.rank);
  Tensor& y = call.y;
  if (!c.attr("keep").boolean()) {
    for (int i = call.x.rank - 1; i > call.axis; --i) {
      y.shape[i] = y.shape[i - 1];
      y.stride[i] = y.stride[i - 1];
    }
    y.shape[call.axis] = 1;
    y.stride[call.axis] = 0;
    y.rank = call.x.rank;
  }
  c.emit(call);
  return true;
}

bool topk(OpContext& c) {
  TopkCall call;
  if (!c.in(0, call.x) || !c.result(0, call.values) || !c.result(1, call.ids)) return false;
  c.emit(call);
  return true;
}

bool route(OpContext& c) {
  RouteCall call;
  if (!c.in(0, call.logits) || !c.in(1, call.bias) || !c.result(0, call.weights) ||
      !c.result(1, call.experts))
    return false;
  constexpr int64_t kMostExperts = 4096;  // whose scores fit into shared memory
  if (call.logits.extent(1) > kMostExperts)
    return c.fail("has more than " + std::to_string(kMostExperts) + " experts");
  const std::string score = c.attr("score").word();
  call.score = score == "sigmoid" ? 2 : score == "topk_softmax" ? 1 : 0;
  call.groups = static_cast<int32_t>(c.attr("groups").integer());
  call.group_k = static_cast<int32_t>(c.attr("group_k").integer());
  call.norm = c.attr("norm").boolean();
  call.scale = c.number("scale");
  c.emit(call);
  return true;
}

// ------------------------------------------------------------------------------------------------ sequences

bool embed(OpContext& c) {
  EmbedCall call;
  call.op = static_cast<int32_t>(c.index);
  if (!c.in(0, call.ids) || !c.in(1, call.w) || !c.result(0, call.y)) return false;
  c.name_faults(0, 1, false);
  c.emit(call);
  return true;
}

bool positions(OpContext& c) {
  PositionsCall call;
  if (!c.result(0, call.y)) return false;
  call.at = c.each_sequence(c.attr("at").expr(), call.y.shape[0]);
  c.emit(call);
  return true;
}

bool append(OpContext& c) {
  AppendCall call;
  if (!c.rows_in(0, call.state) || !c.in(1, call.x)) return false;
  call.ring = c.operand(0).layout == Plan::Layout::Ring;
  StateWrite write;
  write.op = c.index;
  write.at = c.attr("at").expr();
  write.rows = c.operand(1).shape[1];
  write.planned_rows = call.x.shape[1];
  write.sequences = call.x.shape[0];
  write.held_rows = call.state.shape[1];
  call.slots = c.slots(0, call.state, &write.held_sequences);
  write.ring = call.ring;
  c.all.out.writes.push_back(write);
  call.at = c.each_sequence(write.at, write.sequences);
  call.fresh = c.own_extent(1, 1, write.sequences);
  c.emit(call);
  return true;
}

bool attention(OpContext& c) {
  AttentionCall call;
  call.key_rows = call.value_rows = 0;
  const bool good = c.in(0, call.q) && c.rows_in(1, call.k) && c.rows_in(2, call.v) && c.in(3, call.sinks) &&
                    c.result(0, call.y) && c.ring(1, call.key_rows, call.key_first) &&
                    c.ring(2, call.value_rows, call.value_first);
  if (!good) return false;
  constexpr int64_t kWidest = 2048;  // elements of a head whose sums fit into shared memory
  if (std::max(call.q.shape[3], call.v.shape[3]) > kWidest)
    return c.fail("has heads of more than " + std::to_string(kWidest) + " elements");
  const Attr &scale = c.attr("scale"), &softcap = c.attr("softcap");
  call.scale = static_cast<float>(scale.is_none() ? 1.0 / std::sqrt(static_cast<double>(call.q.shape[3]))
                                                  : scale.number());
  call.softcap = static_cast<float>(softcap.number());
  call.causal = c.attr("causal").boolean();
  const int64_t sequences = call.q.shape[0];
  call.steps = c.own_extent(0, 1, sequences);
  call.keys = c.own_extent(1, 1, sequences, call.key_rows > 0 ? call.key_rows : call.k.shape[1]);
  call.key_slots = c.slots(1, call.k);
  call.value_slots = c.slots(2, call.v);
  call.reach = c.reach(c.attr("window").expr(), sequences);
  if (c.kernel->scratch && !c.scratch(call.partial)) return false;
  c.emit(call);
  return true;
}

// ------------------------------------------------------------------------------------------------ products

bool linear(OpContext& c) {
  LinearCall call;
  call.whole = !c.attr("rows").is_none();
  if (call.whole && std::string_view(c.kernel->target) != "cpu")
    return c.fail("quantises its activations, which no kernel of " + std::string(c.kernel->target) +
                  " does; compile without `--retype activations`");
  if (!c.in(0, call.x) || !c.scaled_weight(1, 3, call.weight) || !c.in(2, call.bias) || !c.result(0, call.y))
    return false;
  if (call.whole && call.x.extent(1) % kWholeBlock != 0) return c.fail("has rows that 32 does not divide");
  // Its kernel multiplies in whole numbers, or does not: what the plan says of the op decides, not its name.
  constexpr int kInWholeNumbers = 4;
  if (std::string_view(c.kernel->target) == "cpu" && c.kernel->version == kInWholeNumbers &&
      !(call.whole && is_block(call.weight.w.dtype)))
    return c.fail("is of " + c.kernel->name() + ", which takes weights of blocks and rows=q8_0");
  c.emit(call);
  return true;
}

bool matmul(OpContext& c) {
  MatmulCall call;
  if (!c.in(0, call.a) || !c.in(1, call.b) || !c.result(0, call.y)) return false;
  call.a = broadcast(call.a, call.y, 2);
  call.b = broadcast(call.b, call.y, 2);
  c.emit(call);
  return true;
}

bool expert(OpContext& c) {
  ExpertCall call;
  call.op = static_cast<int32_t>(c.index);
  if (!c.in(0, call.x) || !c.scaled_weight(1, 4, call.weight) || !c.in(2, call.e) || !c.in(3, call.bias) ||
      !c.result(0, call.y))
    return false;
  call.shared_rows = call.x.rank == call.e.rank;
  c.name_faults(2, 1, true);
  c.emit(call);
  return true;
}

// ------------------------------------------------------------------------------------------------ the table

struct Decoder {
  const char* op;
  bool (*prepare)(OpContext&);
};
// In the order of core/src/ops/table.cpp.
constexpr Decoder kDecoders[] = {
    {"embed", embed},
    {"positions", positions},
    {"linear", linear},
    {"dequant", dequant},
    {"matmul", matmul},
    {"rmsnorm", norm_of<false, false>},
    {"layernorm", norm_of<true, false>},
    {"rope", rope},
    {"append", append},
    {"attention", attention},
    {"route", route},
    {"expert", expert},
    {"add", binary<Binary::Add>},
    {"sub", binary<Binary::Sub>},
    {"mul", binary<Binary::Mul>},
    {"div", binary<Binary::Div>},
    {"silu", unary<Unary::Silu>},
    {"gelu", unary<Unary::Gelu>},
    {"gelu_tanh", unary<Unary::GeluTanh>},
    {"sigmoid", unary<Unary::Sigmoid>},
    {"relu", unary<Unary::Relu>},
    {"tanh", unary<Unary::Tanh>},
    {"exp", unary<Unary::Exp>},
    {"sqrt", unary<Unary::Sqrt>},
    {"neg", unary<Unary::Neg>},
    {"softcap", unary<Unary::Softcap>},
    {"clamp", unary<Unary::Clamp>},
    {"cast", unary<Unary::Cast>},
    {"softmax", softmax},
    {"sum", reduce<Reduce::Sum>},
    {"max", reduce<Reduce::Max>},
    {"argmax", reduce<Reduce::Argmax>},
    {"topk", topk},
    {"view", copy},
    {"transpose", transpose},
    {"slice", slice},
    {"split", split},
    {"concat", concat},
    {"copy", copy},
    {"pack", pack},
    {"swiglu", gated<false>},
    {"geglu", gated<true>},
    {"add_rmsnorm", norm_of<false, true>},
    {"add_layernorm", norm_of<true, true>},
};

}  // namespace

bool prepare_op(OpContext& c) {
  for (const Decoder& decoder : kDecoders) {
    if (std::string_view(decoder.op) == c.op.row->name) return decoder.prepare(c);
  }
  return c.fail(std::string("is of ") + c.op.row->name + ", which no kernel computes");
}

}  // namespace irplan
