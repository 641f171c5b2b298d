// expert: a linear whose weight each token chooses.
#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/scales.h"
#include "ops/semantics.h"

namespace irplan {
namespace {

using namespace rules;

// x is […,K], one row a token, or […,k,K], one a choice; e is […,k].
bool leading_axes_agree(OpCall& call) {
  const size_t x = call.rank(0), e = call.rank(2);
  if (x != e && x != e + 1) {
    Fault f =
        fault(call, Code::OperandForm, {"x", std::to_string(e) + " or " + std::to_string(e + 1) + " axes"});
    f.operand = 0;
    f.found = text(call.operand(0));
    f.other = 2;
    f.expected = text(call.operand(2));
    f.rule = "expert: x is […,K] or […,k,K] where e is […,k]";
    return call.fail(std::move(f));
  }
  for (int axis = 0; axis < static_cast<int>(x) - 1; ++axis) {
    if (!agree(call, Code::OperandsDisagree, 0, axis, 2, axis, "x is […,K] or […,k,K] where e is […,k]"))
      return false;
  }
  return true;
}

bool expert_shape(OpCall& call) {
  if (!floats(call, bit(1), bit(2)) || !rank_at_least(call, 0, 1) || !rank_is(call, 1, 3)) return false;
  if (call.operand(2).dtype != DType::I32) {
    Fault f = fault(call, Code::OperandDtype, {"e", "i32"});
    f.operand = 2;
    f.found = text(call.operand(2));
    return call.fail(std::move(f));
  }
  if (!rank_at_least(call, 2, 1) || !leading_axes_agree(call)) return false;
  if (!agree(call, Code::InnerSizesDiffer, 0, -1, 1, -1, "dim(x, -1) = dim(w, -1)")) {
    if (call.extent(0, -1) == call.extent(1, 1))
      call.fault->help = "w is [E, N, K], outputs before inputs: transpose(w, perm=[0, 2, 1])";
    return false;
  }
  if (call.has(3)) {
    if (!rank_is(call, 3, 2)) return false;
    if (!agree(call, Code::OperandExtent, 3, 0, 1, 0, "dim(bias, 0) = dim(w, 0)")) return false;
    if (!agree(call, Code::OperandExtent, 3, 1, 1, 1, "dim(bias, 1) = dim(w, 1)")) return false;
  }
  if (call.has(4) && !scale_fits(call, 4, 1)) return false;
  const auto dtype = float_result(call, 0);
  if (!dtype) return false;
  Shape shape = call.operand(2).shape;
  shape.push_back(call.extent(1, 1));
  call.result(*dtype, std::move(shape));
  return true;
}

Expr expert_flops(const OpCall& call) { return call.elements(call.out[0]) * call.extent(1, -1) * 2; }

// Weights of as many experts as can be chosen are read.
Expr expert_bytes(const OpCall& call) {
  const TensorType& w = call.operand(1);
  const Expr chosen = call.dims.min(w.shape[0], call.elements(call.operand(2)));
  const Expr one = call.bytes({w.dtype, {w.shape[1], w.shape[2]}});
  return call.bytes(call.operand(0)) + call.bytes(call.out[0]) + chosen * one;
}

void expert(HostCall& call) {
  const HostArray& x = *call.in[0];
  const HostArray& w = *call.in[1];
  const HostArray& e = *call.in[2];
  const int64_t experts = w.shape[0], n = w.shape[1], k = w.shape[2];
  const std::vector<float> scaled = scaled_weight(call, 1, 4);
  const float* weight = scaled.empty() ? w.f.data() : scaled.data();
  const float* bias = call.in.size() > 3 && call.in[3] ? call.in[3]->f.data() : nullptr;
  const bool shared = x.shape.size() == e.shape.size();  // the choices of a token read the same row
  for (int64_t at = 0; at < e.count(); ++at) {
    const int64_t chosen = e.i[static_cast<size_t>(at)];
    if (chosen < 0 || chosen >= experts) {
      call.error = "expert " + std::to_string(chosen) + " at place " + std::to_string(at) +
                   " of {2} is none of the " + std::to_string(experts) + " of {1}";
      return;
    }
    const float* in = x.f.data() + (shared ? at / e.shape.back() : at) * k;
    float* out = call.out[0].f.data() + at * n;
    for (int64_t j = 0; j < n; ++j) {
      out[j] = static_cast<float>(dot(in, weight + (chosen * n + j) * k, k) +
                                  (bias ? bias[chosen * n + j] : 0.0f));
    }
  }
}

}  // namespace

OpRow expert_row() {
  return {.name = "expert",
          .operands = {{"x", false, true},
                       {.name = "w", .dense = true, .as_weight = Reading::Free, .scaled_by = 4},
                       {"e", false, true},
                       {"bias", true, true},
                       {"scale", true, true}},
          .attributes = {{"to", AttrKind::Dtype, "none"}, {"block", AttrKind::Ints, "[128, 128]"}},
          .shape = checked<expert_shape>,
          .flops = expert_flops,
          .bytes = expert_bytes,
          .evaluate = expert,
          .operand_text = "x[…,K] or […,k,K], w[E,N,K], e i32[…,k], bias?[E,N], scale?[E,n,k] → y",
          .shape_text = "e.shape + [N]",
          .doc = "linear with the weight of the expert that each token chose",
          .family = Family::Linear};
}

}  // namespace irplan
