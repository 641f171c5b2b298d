// Functions of each element: activations, softcap, clamp, cast.
#include <algorithm>
#include <cmath>

#include "ops/activations.h"
#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool as_input(OpCall& call) {
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

bool float_shape(OpCall& call) { return floats(call) && as_input(call); }
bool number_shape(OpCall& call) { return alike(call) && as_input(call); }
bool softcap_shape(OpCall& call) { return floats(call) && positive(call, "cap") && as_input(call); }

bool clamp_shape(OpCall& call) {
  if (!alike(call)) return false;
  const Attr& lo = call.attrs["lo"];
  const Attr& hi = call.attrs["hi"];
  if (!lo.is_none() && !hi.is_none() && lo.number() > hi.number())
    return attribute_fault(call, "lo", "at most `hi`");
  const bool fraction = lo.get<double>() || hi.get<double>();
  if (fraction && !is_float(call.operand(0).dtype))
    return attribute_fault(call, lo.get<double>() ? "lo" : "hi", "an integer, as the tensor is");
  return as_input(call);
}

bool cast_shape(OpCall& call) {
  if (!alike(call, true)) return false;
  const DType to = *call.attrs["to"].get<DType>();
  if (is_block(to))
    return attribute_fault(call, "to", "a plain dtype; block dtypes are of params and states");
  call.result(to, call.operand(0).shape);
  return true;
}

template <float (*function)(float)>
void each(HostCall& call) {
  const HostArray& x = *call.in[0];
  std::transform(x.f.begin(), x.f.end(), call.out[0].f.begin(), function);
}

float relu_of(float x) { return x < 0 ? 0.0f : x; }
float tanh_of(float x) { return std::tanh(x); }
float exp_of(float x) { return std::exp(x); }
float sqrt_of(float x) { return std::sqrt(x); }

void negate(HostCall& call) {
  const HostArray& x = *call.in[0];
  for (size_t i = 0; i < x.f.size(); ++i) call.out[0].f[i] = -x.f[i];
  for (size_t i = 0; i < x.i.size(); ++i)
    call.out[0].i[i] = static_cast<int64_t>(0 - static_cast<uint64_t>(x.i[i]));
}

void softcap(HostCall& call) {
  const HostArray& x = *call.in[0];
  const float cap = static_cast<float>(call.attrs["cap"].number());
  for (size_t i = 0; i < x.f.size(); ++i) call.out[0].f[i] = cap * std::tanh(x.f[i] / cap);
}

void clamp(HostCall& call) {
  const HostArray& x = *call.in[0];
  const Attr& lo = call.attrs["lo"];
  const Attr& hi = call.attrs["hi"];
  for (size_t i = 0; i < x.f.size(); ++i) {
    float z = x.f[i];
    if (!lo.is_none() && z < static_cast<float>(lo.number())) z = static_cast<float>(lo.number());
    if (!hi.is_none() && z > static_cast<float>(hi.number())) z = static_cast<float>(hi.number());
    call.out[0].f[i] = z;
  }
  for (size_t i = 0; i < x.i.size(); ++i) {
    int64_t z = x.i[i];
    if (!lo.is_none()) z = std::max(z, lo.integer());
    if (!hi.is_none()) z = std::min(z, hi.integer());
    call.out[0].i[i] = z;
  }
}

// Towards zero; what no 64 bits hold goes to their ends, NaN to zero.
int64_t to_integer(float x) {
  if (std::isnan(x)) return 0;
  if (x >= 9223372036854775808.0f) return INT64_MAX;
  if (x < -9223372036854775808.0f) return INT64_MIN;
  return static_cast<int64_t>(x);
}

void cast(HostCall& call) {
  const HostArray& x = *call.in[0];
  HostArray& y = call.out[0];
  const bool truth = *call.attrs["to"].get<DType>() == DType::Bool;
  for (size_t i = 0; i < x.f.size(); ++i) {
    if (y.floats) {
      y.f[i] = x.f[i];
    } else {
      y.i[i] = truth ? x.f[i] != 0 : to_integer(x.f[i]);
    }
  }
  for (size_t i = 0; i < x.i.size(); ++i) {
    if (y.floats) {
      y.f[i] = static_cast<float>(x.i[i]);
    } else {
      y.i[i] = truth ? x.i[i] != 0 : x.i[i];
    }
  }
}

template <int64_t cost>
OpRow unary_row(const char* name, ShapeRule shape, Semantics evaluate, const char* doc) {
  return {.name = name,
          .operands = {{"x", false, true}},
          .attributes = {},
          .shape = shape,
          .flops = flops_of_input<cost>,
          .evaluate = evaluate,
          .in_place = true,
          .operand_text = "x → y",
          .shape_text = "as x",
          .doc = doc};
}

}  // namespace

OpRow silu_row() { return unary_row<5>("silu", checked<float_shape>, each<silu_of>, "x * sigmoid(x)"); }
OpRow gelu_row() {
  return unary_row<12>("gelu", checked<float_shape>, each<gelu_of>, "x * (1 + erf(x / sqrt(2))) / 2");
}
OpRow gelu_tanh_row() {
  return unary_row<12>("gelu_tanh", checked<float_shape>, each<gelu_tanh_of>,
                       "x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x³))) / 2");
}
OpRow sigmoid_row() {
  return unary_row<4>("sigmoid", checked<float_shape>, each<sigmoid_of>, "1 / (1 + exp(-x))");
}
OpRow relu_row() { return unary_row<1>("relu", checked<float_shape>, each<relu_of>, "max(x, 0)"); }
OpRow tanh_row() {
  return unary_row<1>("tanh", checked<float_shape>, each<tanh_of>, "the hyperbolic tangent");
}
OpRow exp_row() { return unary_row<1>("exp", checked<float_shape>, each<exp_of>, "e to the x"); }
OpRow sqrt_row() { return unary_row<1>("sqrt", checked<float_shape>, each<sqrt_of>, "the square root"); }
OpRow neg_row() { return unary_row<1>("neg", checked<number_shape>, negate, "-x"); }

OpRow softcap_row() {
  OpRow row = unary_row<3>("softcap", checked<softcap_shape>, softcap, "cap * tanh(x / cap)");
  row.attributes = {{"cap", AttrKind::Number}};
  return row;
}

OpRow clamp_row() {
  OpRow row = unary_row<2>("clamp", checked<clamp_shape>, clamp, "x, not below lo and not above hi");
  row.attributes = {{"lo", AttrKind::Number, "none"}, {"hi", AttrKind::Number, "none"}};
  return row;
}

OpRow cast_row() {
  OpRow row = unary_row<0>("cast", checked<cast_shape>, cast, "x in another dtype; to integers towards zero");
  row.attributes = {{"to", AttrKind::Dtype}};
  row.shape_text = "as x, of dtype `to`";
  return row;
}

}  // namespace irplan
