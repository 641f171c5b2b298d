// linear, dequant and matmul: products with stored weights, and of two activations.
#include <algorithm>

#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/scales.h"
#include "ops/semantics.h"
#include "ops/whole_rows.h"

namespace irplan {
namespace {

using namespace rules;

constexpr const char* kInner = "dim(x, -1) = dim(w, -1)";

// "32 * 128 = 4096; flatten them first: view(x, shape=[B, S, 4096])", or what else would make the inner sizes
// meet.
std::string inner_help(OpCall& call) {
  const auto& x = call.operand(0).shape;
  const Expr wanted = call.extent(1, -1);
  Expr product = x.back();
  std::string factors = product.text();
  for (size_t i = x.size() - 1; i-- > 0;) {
    product = product * x[i];
    factors = x[i].text() + " * " + factors;
    if (!(product == wanted)) continue;
    std::string shape;
    for (size_t k = 0; k < i; ++k) shape += x[k].text() + ", ";
    return factors + " = " + wanted.text() + "; flatten them first: view(x, shape=[" + shape + wanted.text() +
           "])";
  }
  const size_t w = call.rank(1);
  if (x.back() == call.extent(1, static_cast<int>(w) - 2))
    return "w is [N, K], outputs first; matmul(x, w) takes [K, N]";
  return "";
}

bool linear_shape(OpCall& call) {
  if (!floats(call, bit(1)) || !rank_at_least(call, 0, 1)) return false;
  const size_t w_rank = call.rank(1);
  if (w_rank != 3 && !rank_is(call, 1, 2)) return false;
  if (w_rank == 3) {
    if (!rank_at_least(call, 0, 2)) return false;
    if (!agree(call, Code::OperandExtent, 0, -2, 1, 0, "x […,G,K] with w [G,N,K]: dim(x, -2) = dim(w, 0)"))
      return false;
  }
  if (!agree(call, Code::InnerSizesDiffer, 0, -1, 1, -1, kInner)) {
    call.fault->help = inner_help(call);
    return false;
  }
  if (call.has(2)) {
    if (!rank_is(call, 2, 1) || !agree(call, Code::OperandExtent, 2, 0, 1, -2, "dim(bias, 0) = dim(w, -2)"))
      return false;
  }
  if (call.has(3) && !scale_fits(call, 3, 1)) return false;
  if (const auto* rows = call.attrs["rows"].get<DType>()) {
    const Expr rest = call.dims.mod(call.extent(0, -1), call.dims.constant(kWholeBlock));
    if (*rows != DType::Q8_0 || !rest.is(0))
      return attribute_fault(call, "rows", "q8_0, where 32 divides the inner size");
  }
  const auto dtype = float_result(call, 0);
  if (!dtype) return false;
  Shape shape = call.operand(0).shape;
  shape.back() = call.extent(1, -2);
  call.result(*dtype, std::move(shape));
  return true;
}

Expr linear_flops(const OpCall& call) { return call.elements(call.out[0]) * call.extent(1, -1) * 2; }

void linear(HostCall& call) {
  const HostArray& x = *call.in[0];
  const HostArray& w = *call.in[1];
  const int64_t k = semantics::extent(x, 1), n = semantics::extent(w, 2);
  const int64_t groups = w.shape.size() == 3 ? w.shape[0] : 1;
  const std::vector<float> scaled = scaled_weight(call, 1, 3);
  const float* weight = scaled.empty() ? w.f.data() : scaled.data();
  const float* bias = call.in.size() > 2 && call.in[2] ? call.in[2]->f.data() : nullptr;
  const int64_t rows = k ? x.count() / k : 0;
  std::vector<float> rounded;
  for (int64_t row = 0; row < rows; ++row) {
    const float* in = x.f.data() + row * k;
    if (!call.attrs["rows"].is_none()) {
      rounded.assign(in, in + k);
      round_whole(rounded.data(), k);
      in = rounded.data();
    }
    const float* matrix = weight + (row % groups) * n * k;
    float* out = call.out[0].f.data() + row * n;
    for (int64_t j = 0; j < n; ++j)
      out[j] = static_cast<float>(dot(in, matrix + j * k, k) + (bias ? bias[j] : 0.0f));
  }
}

bool dequant_shape(OpCall& call) {
  if (!floats(call, bit(0)) || !rank_at_least(call, 0, call.has(1) ? 2 : 1)) return false;
  if (call.has(1) && !scale_fits(call, 1, 0)) return false;
  const auto dtype = float_result(call, 0);
  if (!dtype) return false;
  call.result(*dtype, call.operand(0).shape);
  return true;
}

void dequant(HostCall& call) {
  const std::vector<float> scaled = scaled_weight(call, 0, 1);
  call.out[0].f = scaled.empty() ? call.in[0]->f : scaled;
}

bool matmul_shape(OpCall& call) {
  if (!floats(call) || !rank_at_least(call, 0, 2) || !rank_at_least(call, 1, 2)) return false;
  if (!agree(call, Code::InnerSizesDiffer, 0, -1, 1, -2, "dim(a, -1) = dim(b, -2)")) {
    if (call.extent(0, -1) == call.extent(1, -1)) call.fault->help = "linear(a, b) takes b as [N, K]";
    return false;
  }
  const auto dtype = float_result(call, 0);
  if (!dtype) return false;
  const auto& a = call.operand(0).shape;
  const auto& b = call.operand(1).shape;
  Shape shape;
  if (!broadcast(call, {a.begin(), a.end() - 2}, {b.begin(), b.end() - 2}, 0, 1, shape)) return false;
  shape.push_back(call.extent(0, -2));
  shape.push_back(call.extent(1, -1));
  call.result(*dtype, std::move(shape));
  return true;
}

Expr matmul_flops(const OpCall& call) { return call.elements(call.out[0]) * call.extent(0, -1) * 2; }

void matmul(HostCall& call) {
  const HostArray& a = *call.in[0];
  const HostArray& b = *call.in[1];
  const int64_t m = semantics::extent(a, 2), k = semantics::extent(a, 1), n = semantics::extent(b, 1);
  HostArray& y = call.out[0];
  const std::vector<int64_t> batch(y.shape.begin(), y.shape.end() - 2);
  semantics::Broadcast left(batch, {a.shape.begin(), a.shape.end() - 2});
  semantics::Broadcast right(batch, {b.shape.begin(), b.shape.end() - 2});
  const int64_t batches = m > 0 && n > 0 ? y.count() / (m * n) : 0;
  std::vector<double> row(static_cast<size_t>(n));
  for (int64_t i = 0; i < batches; ++i, left.next(), right.next()) {
    const float* x = a.f.data() + static_cast<int64_t>(left.at()) * m * k;
    const float* w = b.f.data() + static_cast<int64_t>(right.at()) * k * n;
    for (int64_t r = 0; r < m; ++r) {
      std::fill(row.begin(), row.end(), 0.0);
      for (int64_t c = 0; c < k; ++c) {
        const double scale = x[r * k + c];
        for (int64_t j = 0; j < n; ++j) row[static_cast<size_t>(j)] += scale * w[c * n + j];
      }
      std::copy(row.begin(), row.end(), y.f.begin() + (i * m + r) * n);
    }
  }
}

}  // namespace

OpRow linear_row() {
  return {.name = "linear",
          .operands = {{.name = "x", .dense = true, .as_rows = Reading::Followed},
                       {.name = "w", .dense = true, .as_weight = Reading::Free, .scaled_by = 3},
                       {"bias", true, true},
                       {"scale", true, true}},
          .attributes = {{"to", AttrKind::Dtype, "none"},
                         {"block", AttrKind::Ints, "[128, 128]"},
                         {.name = "rows", .kind = AttrKind::Dtype, .fallback = "none", .implicit = true}},
          .shape = checked<linear_shape>,
          .flops = linear_flops,
          .evaluate = linear,
          .operand_text = "x[…,K], w[N,K], bias?[N], scale?[n,k] → y",
          .shape_text = "[…,N]; w [G,N,K] takes x […,G,K]; n = ⌈N/block₀⌉, k = ⌈K/block₁⌉",
          .doc = "x times the transposed weight, plus bias; each block of w is multiplied by its scale",
          .family = Family::Linear};
}

OpRow dequant_row() {
  return {.name = "dequant",
          .operands = {{"w", false, true}, {"scale", true, true}},
          .attributes = {{"to", AttrKind::Dtype, "none"}, {"block", AttrKind::Ints, "[128, 128]"}},
          .shape = checked<dequant_shape>,
          .flops = flops_of_result<1>,
          .evaluate = dequant,
          .operand_text = "w[…,N,K], scale?[…,n,k] → y",
          .shape_text = "as w",
          .doc = "the numbers of a quantised weight; without scale a block dtype's own, else a cast",
          .family = Family::Linear};
}

OpRow matmul_row() {
  return {.name = "matmul",
          .operands = {{.name = "a", .dense = true, .as_rows = Reading::Followed},
                       {.name = "b", .dense = true, .as_rows = Reading::Free}},
          .attributes = {{"to", AttrKind::Dtype, "none"}},
          .shape = checked<matmul_shape>,
          .flops = matmul_flops,
          .evaluate = matmul,
          .operand_text = "a[…,M,K], b[…,K,N] → y",
          .shape_text = "[…,M,N]; batch axes broadcast",
          .doc = "the matrix product",
          .family = Family::Linear};
}

}  // namespace irplan
