// rope: pairs of elements turned by an angle that grows with the position.
#include <cmath>

#include "ops/rope_table.h"
#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool scaling_fault(OpCall& call, const RopeFault& why) {
  Fault f;
  f.attribute = "scaling";
  switch (why.kind) {
    case RopeFault::Kind::Type:
      f.code = Code::UnknownRopeScaling;
      f.arguments = {why.type};
      f.rule = "rope scaling is default, linear, llama3, yarn or longrope";
      if (why.type == "dynamic") {
        f.help = "dynamic scaling depends on the running length, which no plan can know";
      } else if (const std::string near =
                     nearest(why.type, {"default", "linear", "llama3", "yarn", "longrope"});
                 !near.empty()) {
        f.help = "did you mean `" + near + "`";
      }
      break;
    case RopeFault::Kind::Key:
      f.code = Code::RopeScalingLacks;
      f.arguments = {why.type, why.key};
      if (why.key == "length")
        f.help = "`length` is the longest sequence that the plan serves: the cache capacity";
      break;
    case RopeFault::Kind::Value:
      f.code = Code::RopeScalingValue;
      f.arguments = {why.type, why.key, "a number above 0, or a list of them"};
      break;
    case RopeFault::Kind::Length:
      f.code = Code::RopeScalingValue;
      f.arguments = {why.type, why.key, "as long as `short_factor`"};
      break;
  }
  return call.fail(std::move(f));
}

bool rope_shape(OpCall& call) {
  if (!floats(call) || !rank_at_least(call, 0, 3)) return false;
  const double base = call.attrs["base"].number();
  if (!(base > 1)) return attribute_fault(call, "base", "above 1");
  const Expr width = call.extent(0, -1), zero = call.dims.constant(0);
  if (call.attrs["dim"].is_none()) call.attrs.set("dim", Attr(width));
  const Expr dim = call.attrs["dim"].expr();
  const bool fits = call.at_most(call.dims.constant(1), dim) && call.at_most(dim, width);
  if (!fits || !call.same(call.dims.mod(dim, call.dims.constant(2)), zero)) {
    Fault f = fault(call, Code::RopeDim);
    f.operand = 0;
    f.found = axis_text(call.operand(0), -1);
    f.attribute = "dim";
    f.rule = "rope: 2 <= dim <= dim(x, -1), and even; dim is " + dim.text();
    return call.fail(std::move(f));
  }
  if (!call.at_most(zero, call.attrs["at"].expr())) return attribute_fault(call, "at", "at least 0");
  const AttrRecord* scaling = call.attrs["scaling"].record();
  if (const auto why = check_rope_scaling(scaling)) return scaling_fault(call, *why);
  if (const auto length = rope_list_length(scaling)) {
    if (!call.same(dim, call.dims.constant(2 * *length))) {
      Fault f;
      f.code = Code::RopeScalingValue;
      f.arguments = {"longrope", "short_factor", "of dim / 2 numbers"};
      f.attribute = "scaling";
      f.rule = "dim is " + dim.text() + ", and the list has " + std::to_string(*length);
      return call.fail(std::move(f));
    }
  }
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

Expr rope_bytes(const OpCall& call) { return call.bytes(call.operand(0)) * 2; }

void rope(HostCall& call) {
  const HostArray& x = *call.in[0];
  const int64_t width = x.shape.back(), batch = x.shape[0], steps = x.shape[1];
  const Expr turned = call.attrs["dim"].expr();
  const int64_t dim = turned ? call.value(turned, -1) : width, half = dim / 2;
  const int64_t rows = x.count() > 0 ? x.count() / (width * batch * steps) : 0;
  const RopeTable table = rope_table(call.attrs["base"].number(), dim, call.attrs["scaling"].record());
  const bool interleave = call.attrs["interleave"].boolean();
  std::vector<float> c(table.g.size()), s(table.g.size());
  HostArray& y = call.out[0];
  y.f = x.f;
  float* out = y.f.data();
  for (int64_t b = 0; b < batch; ++b) {
    const auto at = static_cast<uint64_t>(call.value(call.attrs["at"].expr(), b));
    for (int64_t step = 0; step < steps; ++step) {
      for (size_t i = 0; i < table.g.size(); ++i) {
        const float angle = static_cast<float>(at + static_cast<uint64_t>(step)) * table.g[i];
        c[i] = table.m * static_cast<float>(std::cos(static_cast<double>(angle)));
        s[i] = table.m * static_cast<float>(std::sin(static_cast<double>(angle)));
      }
      for (int64_t row = 0; row < rows; ++row, out += width) {
        for (int64_t i = 0; i < half; ++i) {
          float& first = out[interleave ? 2 * i : i];
          float& second = out[interleave ? 2 * i + 1 : i + half];
          const float u = first, v = second;
          first = u * c[static_cast<size_t>(i)] - v * s[static_cast<size_t>(i)];
          second = v * c[static_cast<size_t>(i)] + u * s[static_cast<size_t>(i)];
        }
      }
    }
  }
}

}  // namespace

OpRow rope_row() {
  return {
      .name = "rope",
      .operands = {{"x", false, true}},
      .attributes = {{"base", AttrKind::Number},
                     {"at", AttrKind::Extent, "0"},
                     {"dim", AttrKind::Extent, "none"},
                     {"scaling", AttrKind::Record, "none"},
                     {"interleave", AttrKind::Bool, "false"}},
      .shape = checked<rope_shape>,
      .flops = flops_of_input<6>,
      .bytes = rope_bytes,
      .evaluate = rope,
      .in_place = true,
      .operand_text = "x[B,S,…,K] → y",
      .shape_text = "as x; dim is even and at most K, which it is by default",
      .doc = "turns pairs of the first `dim` elements by their position at_b + s; the tail passes through",
      .family = Family::Attention};
}

}  // namespace irplan
