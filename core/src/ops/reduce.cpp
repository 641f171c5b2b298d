// Along one axis: softmax, sum, max, argmax, topk.
#include <algorithm>
#include <cmath>

#include "ops/order.h"
#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/semantics.h"

namespace irplan {

bool k_fits(OpCall& call, Expr k) {
  if (call.at_most(call.dims.constant(1), k) && call.at_most(k, call.extent(0, -1))) return true;
  Fault f = rules::fault(call, Code::TooManyChosen, {k.text()});
  f.operand = 0;
  f.found = rules::axis_text(call.operand(0), -1);
  f.attribute = "k";
  f.rule = std::string(call.row.name) + ": 1 <= k <= dim(" + call.row.operands[0].name + ", -1)";
  return call.fail(std::move(f));
}

namespace {

using namespace rules;

bool softmax_shape(OpCall& call) {
  if (!floats(call) || !axis_of(call, 0, call.attrs["axis"].integer())) return false;
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

bool reduced(OpCall& call, DType dtype) {
  const auto axis = axis_of(call, 0, call.attrs["axis"].integer());
  if (!axis) return false;
  Shape shape = call.operand(0).shape;
  if (call.attrs["keep"].boolean()) {
    shape[*axis] = call.dims.constant(1);
  } else {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(*axis));
  }
  call.result(dtype, std::move(shape));
  return true;
}

// The largest of nothing is none.
bool has_elements(OpCall& call) {
  const auto axis = axis_of(call, 0, call.attrs["axis"].integer());
  if (!axis) return false;
  if (call.at_most(call.dims.constant(1), call.operand(0).shape[*axis])) return true;
  Fault f = fault(call, Code::TooManyChosen, {"1"});
  f.operand = 0;
  f.found = axis_text(call.operand(0), static_cast<int>(*axis));
  f.attribute = "axis";
  return call.fail(std::move(f));
}

bool sum_shape(OpCall& call) { return alike(call) && reduced(call, call.operand(0).dtype); }
bool max_shape(OpCall& call) {
  return alike(call) && has_elements(call) && reduced(call, call.operand(0).dtype);
}
bool argmax_shape(OpCall& call) { return alike(call) && has_elements(call) && reduced(call, DType::I32); }

bool topk_shape(OpCall& call) {
  const Expr k = call.attrs["k"].expr();
  if (!alike(call) || !rank_at_least(call, 0, 1) || !k_fits(call, k)) return false;
  Shape shape = call.operand(0).shape;
  shape.back() = k;
  call.result(call.operand(0).dtype, shape);
  call.result(DType::I32, std::move(shape));
  return true;
}

// Calls `visit(first element's index, step, index of the result)` for each line along the axis.
template <class Visit>
void lines(const HostCall& call, Visit visit) {
  const HostArray& x = *call.in[0];
  const auto a =
      semantics::around(x.shape, semantics::axis_from_end(call.attrs["axis"].integer(), x.shape.size()));
  for (int64_t outer = 0; outer < a.outer; ++outer) {
    for (int64_t inner = 0; inner < a.inner; ++inner) {
      visit(outer * a.n * a.inner + inner, a.n, a.inner, static_cast<size_t>(outer * a.inner + inner));
    }
  }
}

void softmax(HostCall& call) {
  const float* x = call.in[0]->f.data();
  float* y = call.out[0].f.data();
  lines(call, [&](int64_t at, int64_t n, int64_t step, size_t) {
    float most = n > 0 ? x[at] : 0.0f;
    for (int64_t i = 1; i < n; ++i) most = std::max(most, x[at + i * step]);
    double total = 0;
    for (int64_t i = 0; i < n; ++i) total += y[at + i * step] = std::exp(x[at + i * step] - most);
    for (int64_t i = 0; i < n; ++i) y[at + i * step] = static_cast<float>(y[at + i * step] / total);
  });
}

void sum(HostCall& call) {
  const HostArray& x = *call.in[0];
  lines(call, [&](int64_t at, int64_t n, int64_t step, size_t result) {
    double total = 0;
    uint64_t whole = 0;  // wraps
    for (int64_t i = 0; i < n; ++i) {
      const auto element = static_cast<size_t>(at + i * step);
      if (x.floats) {
        total += x.f[element];
      } else {
        whole += static_cast<uint64_t>(x.i[element]);
      }
    }
    if (x.floats) {
      call.out[0].f[result] = static_cast<float>(total);
    } else {
      call.out[0].i[result] = static_cast<int64_t>(whole);
    }
  });
}

int64_t place_of_largest(const HostArray& x, int64_t at, int64_t n, int64_t step) {
  return x.floats ? largest(x.f.data() + at, n, step, 1)[0] : largest(x.i.data() + at, n, step, 1)[0];
}

void max(HostCall& call) {
  const HostArray& x = *call.in[0];
  lines(call, [&](int64_t at, int64_t n, int64_t step, size_t result) {
    const auto element = static_cast<size_t>(at + place_of_largest(x, at, n, step) * step);
    if (x.floats) {
      call.out[0].f[result] = x.f[element];
    } else {
      call.out[0].i[result] = x.i[element];
    }
  });
}

void argmax(HostCall& call) {
  const HostArray& x = *call.in[0];
  lines(call, [&](int64_t at, int64_t n, int64_t step, size_t result) {
    call.out[0].i[result] = place_of_largest(x, at, n, step);
  });
}

void topk(HostCall& call) {
  const HostArray& x = *call.in[0];
  const int64_t n = x.shape.back(), k = call.out[0].shape.back();
  const int64_t rows = n ? x.count() / n : 0;
  for (int64_t row = 0; row < rows; ++row) {
    const auto best =
        x.floats ? largest(x.f.data() + row * n, n, 1, k) : largest(x.i.data() + row * n, n, 1, k);
    for (int64_t j = 0; j < k; ++j) {
      const auto to = static_cast<size_t>(row * k + j);
      const auto from = static_cast<size_t>(row * n + best[static_cast<size_t>(j)]);
      if (x.floats) {
        call.out[0].f[to] = x.f[from];
      } else {
        call.out[0].i[to] = x.i[from];
      }
      call.out[1].i[to] = best[static_cast<size_t>(j)];
    }
  }
}

OpRow reduce_row(const char* name, ShapeRule shape, Semantics evaluate, const char* doc) {
  return {.name = name,
          .operands = {{"x", false, true}},
          .attributes = {{"axis", AttrKind::Int, "-1"}, {"keep", AttrKind::Bool, "false"}},
          .shape = shape,
          .flops = flops_of_input<1>,
          .evaluate = evaluate,
          .operand_text = "x → y",
          .shape_text = "x without the axis, or with 1 there where keep",
          .doc = doc};
}

}  // namespace

OpRow softmax_row() {
  return {.name = "softmax",
          .operands = {{"x", false, true}},
          .attributes = {{"axis", AttrKind::Int, "-1"}},
          .shape = checked<softmax_shape>,
          .flops = flops_of_input<5>,
          .evaluate = softmax,
          .in_place = true,
          .operand_text = "x → y",
          .shape_text = "as x",
          .doc = "exp(x) over the sum of it along the axis"};
}

OpRow sum_row() { return reduce_row("sum", checked<sum_shape>, sum, "the sum along the axis"); }
OpRow max_row() { return reduce_row("max", checked<max_shape>, max, "the largest along the axis"); }

OpRow argmax_row() {
  OpRow row = reduce_row("argmax", checked<argmax_shape>, argmax,
                         "the place of the largest along the axis, i32; ties to the lowest");
  row.family = Family::Lookup;
  return row;
}

OpRow topk_row() {
  return {.name = "topk",
          .operands = {{"x", false, true}},
          .attributes = {{"k", AttrKind::Extent}},
          .shape = checked<topk_shape>,
          .flops = flops_of_input<1>,
          .evaluate = topk,
          .operand_text = "x → values, ids",
          .shape_text = "[…,k] of the last axis",
          .doc = "the k largest, descending, and their places, i32; ties to the lowest",
          .results = 2,
          .family = Family::Lookup};
}

}  // namespace irplan
