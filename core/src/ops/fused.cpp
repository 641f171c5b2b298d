// What lowering makes of neighbours: one op that reads and writes less than its parts. No program calls
// these.
#include "ops/activations.h"
#include "ops/float_formats.h"
#include "ops/norms.h"
#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool same_extents(OpCall& call) {
  if (!rank_is(call, 1, call.rank(0))) return false;
  for (int axis = 0; axis < static_cast<int>(call.rank(0)); ++axis) {
    if (!agree(call, Code::OperandExtent, 1, axis, 0, axis, "both operands have one shape")) return false;
  }
  return true;
}

bool gated_shape(OpCall& call) {
  if (!floats(call) || !same_extents(call)) return false;
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

template <float (*function)(float)>
void gated(HostCall& call) {
  const HostArray& g = *call.in[0];
  const HostArray& u = *call.in[1];
  const DType dtype = !call.types.empty() && call.types[0] ? call.types[0]->dtype : DType::F32;
  for (size_t i = 0; i < g.f.size(); ++i) call.out[0].f[i] = rounded_to(dtype, function(g.f[i])) * u.f[i];
}

bool add_norm_shape(OpCall& call) {
  if (!floats(call) || !rank_at_least(call, 0, 1) || !same_extents(call) || !positive(call, "eps", true))
    return false;
  for (size_t i = 2; i < call.in.size(); ++i) {
    if (!call.has(i)) continue;
    if (!rank_is(call, i, 1) || !agree(call, Code::OperandExtent, i, 0, 0, -1, "dim(w, 0) = dim(a, -1)"))
      return false;
  }
  call.result(call.operand(0).dtype, call.operand(0).shape);
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

// The norm reads the sum as it is stored, so that the fusion gives what its parts give.
void stored_sum(HostCall& call) {
  const DType dtype = !call.types.empty() && call.types[0] ? call.types[0]->dtype : DType::F32;
  const HostArray& a = *call.in[0];
  const HostArray& b = *call.in[1];
  for (size_t i = 0; i < a.f.size(); ++i) call.out[0].f[i] = rounded_to(dtype, a.f[i] + b.f[i]);
}

const float* weights(const HostCall& call, size_t operand) {
  return operand < call.in.size() && call.in[operand] ? call.in[operand]->f.data() : nullptr;
}

void add_rmsnorm(HostCall& call) {
  stored_sum(call);
  const HostArray& sum = call.out[0];
  const int64_t width = sum.shape.back();
  for (int64_t at = 0; at < sum.count(); at += width) {
    rms_normalise(sum.f.data() + at, weights(call, 2), width, call.attrs["eps"].number(),
                  call.attrs["offset"].number(), call.out[1].f.data() + at);
  }
}

void add_layernorm(HostCall& call) {
  stored_sum(call);
  const HostArray& sum = call.out[0];
  const int64_t width = sum.shape.back();
  for (int64_t at = 0; at < sum.count(); at += width) {
    layer_normalise(sum.f.data() + at, weights(call, 2), weights(call, 3), width, call.attrs["eps"].number(),
                    call.out[1].f.data() + at);
  }
}

template <int64_t cost>
OpRow gated_row(const char* name, Semantics evaluate, const char* activation, const char* doc) {
  return {.name = name,
          .operands = {{"g", false, true}, {"u", false, true}},
          .attributes = {},
          .shape = checked<gated_shape>,
          .flops = flops_of_input<cost>,
          .evaluate = evaluate,
          .in_place = true,
          .fused = true,
          .operand_text = "g, u → y",
          .shape_text = "as g, which is as u",
          .doc = doc,
          .first = activation,
          .second = "mul"};
}

}  // namespace

OpRow swiglu_row() {
  return gated_row<6>("swiglu", gated<silu_of>, "silu", "silu(g) * u, each rounded where it is");
}
OpRow geglu_row() {
  return gated_row<13>("geglu", gated<gelu_tanh_of>, "gelu_tanh",
                       "gelu_tanh(g) * u, each rounded where it is");
}

OpRow add_rmsnorm_row() {
  return {.name = "add_rmsnorm",
          .operands = {{"a", false, true}, {"b", false, true}, {"w", true, true}},
          .attributes = {{"eps", AttrKind::Number}, {"offset", AttrKind::Number, "0"}},
          .shape = checked<add_norm_shape>,
          .flops = flops_of_input<5>,
          .evaluate = add_rmsnorm,
          .in_place = true,
          .fused = true,
          .operand_text = "a[…,D], b[…,D], w?[D] → sum, norm",
          .shape_text = "both as a, which is as b",
          .doc = "a + b, and the rmsnorm of that sum as it is stored",
          .results = 2,
          .family = Family::Norm,
          .norm_weight = 2,
          .first = "add",
          .second = "rmsnorm",
          .keeps_between = true};
}

OpRow add_layernorm_row() {
  return {.name = "add_layernorm",
          .operands = {{"a", false, true}, {"b", false, true}, {"w", true, true}, {"bias", true, true}},
          .attributes = {{"eps", AttrKind::Number}},
          .shape = checked<add_norm_shape>,
          .flops = flops_of_input<9>,
          .evaluate = add_layernorm,
          .in_place = true,
          .fused = true,
          .operand_text = "a[…,D], b[…,D], w?[D], bias?[D] → sum, norm",
          .shape_text = "both as a, which is as b",
          .doc = "a + b, and the layernorm of that sum as it is stored",
          .results = 2,
          .family = Family::Norm,
          .norm_weight = 2,
          .first = "add",
          .second = "layernorm",
          .keeps_between = true};
}

}  // namespace irplan
