// rmsnorm and layernorm over the last axis.
#include <cmath>

#include "ops/norms.h"
#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool norm_shape(OpCall& call) {
  if (!floats(call) || !rank_at_least(call, 0, 1) || !positive(call, "eps", true)) return false;
  for (size_t i = 1; i < call.in.size(); ++i) {
    if (!call.has(i)) continue;
    if (!rank_is(call, i, 1) || !agree(call, Code::OperandExtent, i, 0, 0, -1, "dim(w, 0) = dim(x, -1)"))
      return false;
  }
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

void rmsnorm(HostCall& call) {
  const HostArray& x = *call.in[0];
  const int64_t width = x.shape.back();
  const float* w = call.in.size() > 1 && call.in[1] ? call.in[1]->f.data() : nullptr;
  for (int64_t at = 0; at < x.count(); at += width) {
    rms_normalise(x.f.data() + at, w, width, call.attrs["eps"].number(), call.attrs["offset"].number(),
                  call.out[0].f.data() + at);
  }
}

void layernorm(HostCall& call) {
  const HostArray& x = *call.in[0];
  const int64_t width = x.shape.back();
  const float* w = call.in.size() > 1 && call.in[1] ? call.in[1]->f.data() : nullptr;
  const float* b = call.in.size() > 2 && call.in[2] ? call.in[2]->f.data() : nullptr;
  for (int64_t at = 0; at < x.count(); at += width) {
    layer_normalise(x.f.data() + at, w, b, width, call.attrs["eps"].number(), call.out[0].f.data() + at);
  }
}

}  // namespace

void rms_normalise(const float* x, const float* w, int64_t width, double eps, double offset, float* y) {
  double squares = 0;
  for (int64_t i = 0; i < width; ++i) squares += static_cast<double>(x[i]) * x[i];
  const double scale = 1.0 / std::sqrt(squares / static_cast<double>(width) + eps);
  for (int64_t i = 0; i < width; ++i) y[i] = static_cast<float>(x[i] * scale * (w ? offset + w[i] : 1.0));
}

void layer_normalise(const float* x, const float* w, const float* b, int64_t width, double eps, float* y) {
  double mean = 0, squares = 0;
  for (int64_t i = 0; i < width; ++i) mean += x[i];
  mean /= static_cast<double>(width);
  for (int64_t i = 0; i < width; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const double scale = 1.0 / std::sqrt(squares / static_cast<double>(width) + eps);
  for (int64_t i = 0; i < width; ++i) {
    y[i] = static_cast<float>((x[i] - mean) * scale * (w ? w[i] : 1.0) + (b ? b[i] : 0.0));
  }
}

OpRow rmsnorm_row() {
  return {.name = "rmsnorm",
          .operands = {{"x", false, true}, {"w", true, true}},
          .attributes = {{"eps", AttrKind::Number}, {"offset", AttrKind::Number, "0"}},
          .shape = checked<norm_shape>,
          .flops = flops_of_input<4>,
          .evaluate = rmsnorm,
          .in_place = true,
          .operand_text = "x[…,D], w?[D] → y",
          .shape_text = "as x",
          .doc = "x / sqrt(mean(x²) + eps), times (offset + w) where there is a w",
          .family = Family::Norm,
          .norm_weight = 1};
}

OpRow layernorm_row() {
  return {.name = "layernorm",
          .operands = {{"x", false, true}, {"w", true, true}, {"b", true, true}},
          .attributes = {{"eps", AttrKind::Number}},
          .shape = checked<norm_shape>,
          .flops = flops_of_input<8>,
          .evaluate = layernorm,
          .in_place = true,
          .operand_text = "x[…,D], w?[D], b?[D] → y",
          .shape_text = "as x",
          .doc = "(x - mean) / sqrt(variance + eps), times w, plus b",
          .family = Family::Norm,
          .norm_weight = 1};
}

}  // namespace irplan
