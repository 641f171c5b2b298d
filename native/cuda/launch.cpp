#include "cuda/launch.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cuda/context.h"
#include "ops/rope_table.h"

namespace irplan::IRPLAN_GPU {
namespace {

// ------------------------------------------------------------------------------------------------ elements

template <Unary function>
bool prepare_unary(OpContext& c) {
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
  c.launch([call](Stream s, const int32_t*, DataFault*) { return unary(s, call); });
  return true;
}

template <Binary function>
bool prepare_binary(OpContext& c) {
  BinaryCall call;
  call.function = function;
  if (!c.in(0, call.a) || !c.in(1, call.b) || !c.result(0, call.y)) return false;
  call.a = broadcast(call.a, call.y);
  if (call.b.data) call.b = broadcast(call.b, call.y);
  const Attr& scalar = c.attr("scalar");
  call.number_first = c.attr("scalar_first").boolean();
  call.number = static_cast<float>(scalar.number());
  call.int_number = scalar.integer();
  c.launch([call](Stream s, const int32_t*, DataFault*) { return binary(s, call); });
  return true;
}

template <bool gelu>
bool prepare_gated(OpContext& c) {
  GatedCall call;
  call.gelu = gelu;
  if (!c.in(0, call.g) || !c.in(1, call.u) || !c.result(0, call.y)) return false;
  c.launch([call](Stream s, const int32_t*, DataFault*) { return gated(s, call); });
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

std::byte* moved(const Tensor& t, int64_t elements) {
  const DTypeInfo& block = info(t.dtype);
  return t.data + elements / block.elements * block.bytes;
}

bool same_window(const Tensor& a, const Tensor& b) {
  bool same = a.data == b.data && a.dtype == b.dtype && a.rank == b.rank;
  for (int i = 0; same && i < a.rank; ++i) {
    same = a.shape[i] == b.shape[i] && (a.shape[i] == 1 || a.stride[i] == b.stride[i]);
  }
  return same;
}

// y's elements become x's; nothing where they lie there already.
void launch_copy(OpContext& c, const Tensor& x, const Tensor& y) {
  if (y.count() == 0 || same_window(x, y) ||
      (x.data == y.data && x.dtype == y.dtype && x.dense() && y.dense()))
    return;
  if (is_block(y.dtype) && x.dtype != y.dtype) {
    c.launch([x, y](Stream s, const int32_t*, DataFault*) { return quantise(s, x, y); });
    return;
  }
  const bool bytes = is_block(y.dtype);
  const Tensor from = bytes ? as_bytes(x) : x, to = bytes ? as_bytes(y) : y;
  c.launch([from, to](Stream s, const int32_t*, DataFault*) { return copy(s, from, to); });
}

bool prepare_copy(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  launch_copy(c, x, y);
  return true;
}

int axis_of(const OpContext& c, int rank) {
  const int64_t axis = c.attr("axis").integer();
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

bool prepare_transpose(OpContext& c) {
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
  launch_copy(c, turned, y);
  return true;
}

// Lines [start, start + y's extent) of an axis.
Tensor part_of(Tensor x, int axis, int64_t start, int64_t length) {
  x.data = moved(x, start * x.stride[axis]);
  x.shape[axis] = length;
  return x;
}

bool prepare_slice(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  const int axis = axis_of(c, x.rank);
  launch_copy(c, part_of(x, axis, c.extent(c.attr("start").expr()), y.shape[axis]), y);
  return true;
}

bool prepare_split(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x)) return false;
  const int axis = axis_of(c, x.rank);
  int64_t start = 0;
  for (size_t i = 0; i < c.op.out.size(); ++i) {
    if (!c.result(i, y)) return false;
    launch_copy(c, part_of(x, axis, start, y.shape[axis]), y);
    start += y.shape[axis];
  }
  return true;
}

bool prepare_concat(OpContext& c) {
  Tensor y, x;
  if (!c.result(0, y)) return false;
  const int axis = axis_of(c, y.rank);
  int64_t start = 0;
  for (size_t i = 0; i < c.op.in.size(); ++i) {
    if (!c.in(i, x)) return false;
    const Tensor part = part_of(y, axis, start, x.shape[axis]);
    start += x.shape[axis];
    launch_copy(c, broadcast(x, part), part);
  }
  return true;
}

bool scaled_weight(OpContext& c, size_t w, size_t scale, ScaledWeight& to) {
  if (!c.in(w, to.w) || !c.in(scale, to.scale)) return false;
  const AttrList& block = c.attr("block").list();
  if (block.size() == 2) {
    to.block_rows = block[0].integer();
    to.block_columns = block[1].integer();
  }
  return true;
}

bool prepare_dequant(OpContext& c) {
  ScaledWeight w;
  Tensor y;
  if (!scaled_weight(c, 0, 1, w) || !c.result(0, y)) return false;
  c.launch([w, y](Stream s, const int32_t*, DataFault*) { return dequant(s, w, y); });
  return true;
}

// ------------------------------------------------------------------------------------------------ rows

bool launch_norm(OpContext& c, NormCall call) {
  call.eps = c.number("eps");
  c.launch([call](Stream s, const int32_t*, DataFault*) { return norm(s, call); });
  return true;
}

bool prepare_rmsnorm(OpContext& c) {
  NormCall call;
  call.offset = c.number("offset");
  return c.in(0, call.x) && c.in(1, call.w) && c.result(0, call.y) && launch_norm(c, call);
}

bool prepare_layernorm(OpContext& c) {
  NormCall call;
  call.centred = true;
  return c.in(0, call.x) && c.in(1, call.w) && c.in(2, call.b) && c.result(0, call.y) && launch_norm(c, call);
}

bool prepare_add_rmsnorm(OpContext& c) {
  NormCall call;
  call.offset = c.number("offset");
  return c.in(0, call.x) && c.in(1, call.addend) && c.in(2, call.w) && c.result(0, call.sum) &&
         c.result(1, call.y) && launch_norm(c, call);
}

bool prepare_add_layernorm(OpContext& c) {
  NormCall call;
  call.centred = true;
  return c.in(0, call.x) && c.in(1, call.addend) && c.in(2, call.w) && c.in(3, call.b) &&
         c.result(0, call.sum) && c.result(1, call.y) && launch_norm(c, call);
}

bool prepare_rope(OpContext& c) {
  RopeCall call;
  if (!c.in(0, call.x) || !c.result(0, call.y)) return false;
  const int64_t dim = c.extent(c.attr("dim").expr());
  if (dim < 2 || dim > call.x.extent(1)) return c.fail("dim is " + std::to_string(dim));
  const RopeTable table = rope_table(c.attr("base").number(), dim, c.attr("scaling").record());
  call.half = static_cast<int32_t>(dim / 2);
  call.m = table.m;
  call.interleave = c.attr("interleave").boolean();
  std::vector<int32_t> bits(table.g.size());
  std::memcpy(bits.data(), table.g.data(), bits.size() * sizeof(float));
  size_t at = 0;
  if (!c.per_sequence(c.attr("at").expr(), call.x.shape[0], at)) return false;
  const size_t g = c.step.table(std::move(bits));
  c.launch([call, at, g](Stream s, const int32_t* tables, DataFault*) {
    RopeCall own = call;
    own.at = tables + at;
    own.g = reinterpret_cast<const float*>(tables + g);
    return rope(s, own);
  });
  return true;
}

bool prepare_softmax(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  const int axis = axis_of(c, x.rank);
  c.launch([=](Stream s, const int32_t*, DataFault*) { return softmax(s, x, y, axis); });
  return true;
}

template <Reduce what>
bool prepare_reduce(OpContext& c) {
  Tensor x, y;
  if (!c.in(0, x) || !c.result(0, y)) return false;
  const int axis = axis_of(c, x.rank);
  if (!c.attr("keep").boolean()) {
    for (int i = x.rank - 1; i > axis; --i) {
      y.shape[i] = y.shape[i - 1];
      y.stride[i] = y.stride[i - 1];
    }
    y.shape[axis] = 1;
    y.stride[axis] = 0;
    y.rank = x.rank;
  }
  c.launch([=](Stream s, const int32_t*, DataFault*) { return reduce(s, what, x, y, axis); });
  return true;
}

bool prepare_topk(OpContext& c) {
  Tensor x, values, ids;
  if (!c.in(0, x) || !c.result(0, values) || !c.result(1, ids)) return false;
  c.launch([=](Stream s, const int32_t*, DataFault*) { return topk(s, x, values, ids); });
  return true;
}

bool prepare_route(OpContext& c) {
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
  c.launch([call](Stream s, const int32_t*, DataFault*) { return route(s, call); });
  return true;
}

// ------------------------------------------------------------------------------------------------ sequences

void name_faults(OpContext& c, size_t element, size_t table, bool is_expert) {
  const auto id = [&](size_t operand) { return c.step.plan.values[c.op.in[operand]].id; };
  c.step.out.names[static_cast<int32_t>(c.index)] = {c.op.id, id(element), id(table), is_expert};
}

bool prepare_embed(OpContext& c) {
  EmbedCall call;
  call.op = static_cast<int32_t>(c.index);
  if (!c.in(0, call.ids) || !c.in(1, call.w) || !c.result(0, call.y)) return false;
  name_faults(c, 0, 1, false);
  c.launch([call](Stream s, const int32_t*, DataFault* fault) {
    EmbedCall own = call;
    own.fault = fault;
    return embed(s, own);
  });
  return true;
}

bool prepare_positions(OpContext& c) {
  Tensor y;
  size_t at = 0;
  if (!c.result(0, y) || !c.per_sequence(c.attr("at").expr(), y.shape[0], at)) return false;
  c.launch([=](Stream s, const int32_t* tables, DataFault*) { return positions(s, y, tables + at); });
  return true;
}

bool prepare_append(OpContext& c) {
  AppendCall call;
  if (!c.in(0, call.state, true) || !c.in(1, call.x)) return false;
  const Plan::Value& state = c.step.plan.values[c.op.in[0]];
  call.ring = state.layout == Plan::Layout::Ring;
  const int64_t sequences = call.x.shape[0], held = call.state.shape[1];
  std::vector<int32_t> fresh;
  for (int64_t b = 0; b < sequences; ++b) {
    const int64_t rows = c.own_extent(1, 1, b), at = c.extent(c.attr("at").expr(), b), last = at + rows - 1;
    const bool fits =
        at >= 0 && b < call.state.shape[0] && held > 0 && (call.ring ? rows <= held : last < held);
    if (rows > 0 && !fits) {
      return c.fail("row " + std::to_string(last) + " of sequence " + std::to_string(b) +
                    " is outside of the " + std::to_string(held) + " rows of " + state.id);
    }
    fresh.push_back(static_cast<int32_t>(rows));
  }
  size_t at = 0;
  if (!c.per_sequence(c.attr("at").expr(), sequences, at)) return false;
  const size_t rows = c.step.table(std::move(fresh));
  c.launch([call, at, rows](Stream s, const int32_t* tables, DataFault*) {
    AppendCall own = call;
    own.at = tables + at;
    own.fresh = tables + rows;
    return append(s, own);
  });
  return true;
}

template <bool in_runs>
bool prepare_attention(OpContext& c) {
  AttentionCall call;
  RingRows keys_ring, values_ring;
  const bool good = c.in(0, call.q) && c.in(1, call.k, true) && c.in(2, call.v, true) &&
                    c.in(3, call.sinks) && c.result(0, call.y) && c.ring(1, keys_ring) &&
                    c.ring(2, values_ring);
  if (!good) return false;
  constexpr int64_t kWidest = 2048;  // elements of a head whose sums fit into shared memory
  if (std::max(call.q.shape[3], call.v.shape[3]) > kWidest)
    return c.fail("has heads of more than " + std::to_string(kWidest) + " elements");
  const Attr &scale = c.attr("scale"), &softcap = c.attr("softcap");
  call.scale = static_cast<float>(scale.is_none() ? 1.0 / std::sqrt(static_cast<double>(call.q.shape[3]))
                                                  : scale.number());
  call.softcap = static_cast<float>(softcap.number());
  call.causal = c.attr("causal").boolean();
  const Expr window = c.attr("window").expr();
  std::vector<int32_t> steps, keys, reach;
  for (int64_t b = 0; b < call.q.shape[0]; ++b) {
    steps.push_back(static_cast<int32_t>(c.own_extent(0, 1, b)));
    keys.push_back(static_cast<int32_t>(c.own_extent(1, 1, b)));
    const int64_t own = window ? c.extent(window, b) : INT32_MAX;
    reach.push_back(static_cast<int32_t>(std::min<int64_t>(own, INT32_MAX)));
  }
  if (in_runs && !c.scratch(call.partial)) return false;
  call.key_rows = keys_ring.rows;
  call.value_rows = values_ring.rows;
  const size_t at_steps = c.step.table(std::move(steps)), at_keys = c.step.table(std::move(keys));
  const size_t at_reach = c.step.table(std::move(reach));
  const size_t at_key_first = c.step.table(std::move(keys_ring.first)),
               at_value_first = c.step.table(std::move(values_ring.first));
  c.launch([=](Stream s, const int32_t* tables, DataFault*) {
    AttentionCall own = call;
    own.steps = tables + at_steps;
    own.keys = tables + at_keys;
    own.reach = tables + at_reach;
    own.key_first = call.key_rows > 0 ? tables + at_key_first : nullptr;
    own.value_first = call.value_rows > 0 ? tables + at_value_first : nullptr;
    return attention(s, own);
  });
  return true;
}

// ------------------------------------------------------------------------------------------------ products

bool prepare_linear(OpContext& c) {
  LinearCall call;
  if (!c.in(0, call.x) || !scaled_weight(c, 1, 3, call.weight) || !c.in(2, call.bias) || !c.result(0, call.y))
    return false;
  c.launch([call](Stream s, const int32_t*, DataFault*) { return linear(s, call); });
  return true;
}

bool prepare_matmul(OpContext& c) {
  MatmulCall call;
  if (!c.in(0, call.a) || !c.in(1, call.b) || !c.result(0, call.y)) return false;
  call.a = broadcast(call.a, call.y, 2);
  call.b = broadcast(call.b, call.y, 2);
  c.launch([call](Stream s, const int32_t*, DataFault*) { return matmul(s, call); });
  return true;
}

bool prepare_expert(OpContext& c) {
  ExpertCall call;
  call.op = static_cast<int32_t>(c.index);
  if (!c.in(0, call.x) || !scaled_weight(c, 1, 4, call.weight) || !c.in(2, call.e) || !c.in(3, call.bias) ||
      !c.result(0, call.y))
    return false;
  call.shared_rows = call.x.rank == call.e.rank;
  name_faults(c, 2, 1, true);
  c.launch([call](Stream s, const int32_t*, DataFault* fault) {
    ExpertCall own = call;
    own.fault = fault;
    return expert(s, own);
  });
  return true;
}

// ------------------------------------------------------------------------------------------------ the table

struct Entry {
  const char* op;
  int version;
  bool (*prepare)(OpContext&);
};
// In the order of core/src/kernels/cuda.cpp.
constexpr Entry kKernels[] = {
    {"embed", 1, prepare_embed},
    {"positions", 1, prepare_positions},
    {"linear", 1, prepare_linear},
    {"dequant", 1, prepare_dequant},
    {"matmul", 1, prepare_matmul},
    {"rmsnorm", 1, prepare_rmsnorm},
    {"layernorm", 1, prepare_layernorm},
    {"rope", 1, prepare_rope},
    {"append", 1, prepare_append},
    {"attention", 1, prepare_attention<false>},
    {"attention", 2, prepare_attention<true>},
    {"route", 1, prepare_route},
    {"expert", 1, prepare_expert},
    {"add", 1, prepare_binary<Binary::Add>},
    {"sub", 1, prepare_binary<Binary::Sub>},
    {"mul", 1, prepare_binary<Binary::Mul>},
    {"div", 1, prepare_binary<Binary::Div>},
    {"silu", 1, prepare_unary<Unary::Silu>},
    {"gelu", 1, prepare_unary<Unary::Gelu>},
    {"gelu_tanh", 1, prepare_unary<Unary::GeluTanh>},
    {"sigmoid", 1, prepare_unary<Unary::Sigmoid>},
    {"relu", 1, prepare_unary<Unary::Relu>},
    {"tanh", 1, prepare_unary<Unary::Tanh>},
    {"exp", 1, prepare_unary<Unary::Exp>},
    {"sqrt", 1, prepare_unary<Unary::Sqrt>},
    {"neg", 1, prepare_unary<Unary::Neg>},
    {"softcap", 1, prepare_unary<Unary::Softcap>},
    {"clamp", 1, prepare_unary<Unary::Clamp>},
    {"cast", 1, prepare_unary<Unary::Cast>},
    {"softmax", 1, prepare_softmax},
    {"sum", 1, prepare_reduce<Reduce::Sum>},
    {"max", 1, prepare_reduce<Reduce::Max>},
    {"argmax", 1, prepare_reduce<Reduce::Argmax>},
    {"topk", 1, prepare_topk},
    {"view", 1, prepare_copy},
    {"transpose", 1, prepare_transpose},
    {"slice", 1, prepare_slice},
    {"split", 1, prepare_split},
    {"concat", 1, prepare_concat},
    {"copy", 1, prepare_copy},
    {"pack", 1, prepare_copy},
    {"swiglu", 1, prepare_gated<false>},
    {"geglu", 1, prepare_gated<true>},
    {"add_rmsnorm", 1, prepare_add_rmsnorm},
    {"add_layernorm", 1, prepare_add_layernorm},
};

const Entry* entry_of(const KernelRow& row) {
  const auto* entry = std::find_if(std::begin(kKernels), std::end(kKernels), [&](const Entry& e) {
    return std::string_view(e.op) == row.op && e.version == row.version;
  });
  return entry == std::end(kKernels) ? nullptr : entry;
}

}  // namespace

bool has_kernel(const KernelRow& row) { return std::string_view(row.target) == "cuda" && entry_of(row); }

std::string text(const DataFault& fault, const FaultNames& names) {
  const std::string found = std::to_string(fault.found), place = std::to_string(fault.place),
                    limit = std::to_string(fault.limit);
  if (names.expert) {
    return "ops " + names.op + ": expert " + found + " at place " + place + " of " + names.element +
           " is none of the " + limit + " of " + names.table;
  }
  return "ops " + names.op + ": id " + found + " at place " + place + " of " + names.element +
         " is outside of the " + limit + " rows of " + names.table;
}

std::optional<std::string> prepare_step(const Plan& plan, uint32_t begin, uint32_t end,
                                        const PlanMemory& memory, const StepBinding& step,
                                        PreparedStep& out) {
  StepContext context(plan, memory, step, out);
  for (uint32_t i = begin; i < end && i < plan.ops.size(); ++i) {
    const Plan::Op& op = plan.ops[i];
    const KernelRow* row = kernel_of(plan, op, "cuda");
    const Entry* entry = row ? entry_of(*row) : nullptr;
    if (!entry) return "ops " + op.id + ": there is no CUDA kernel " + op.kernel;
    OpContext own(context, i);
    if (!entry->prepare(own)) return "ops " + op.id + ": " + own.why;
  }
  return std::nullopt;
}

}  // namespace irplan::IRPLAN_GPU
