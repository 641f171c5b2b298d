#include "ops/scales.h"

#include "ops/rules.h"
#include "ops/semantics.h"

namespace irplan {

bool scale_fits(OpCall& call, size_t scale, size_t w) {
  const AttrList& block = call.attrs["block"].list();
  if (block.size() != 2 || block[0].integer() < 1 || block[1].integer() < 1) {
    return rules::attribute_fault(call, "block", "two integers above 0");
  }
  const int rank = static_cast<int>(call.rank(w));
  if (!rules::rank_is(call, scale, call.rank(w))) return false;
  for (int axis = 0; axis < rank - 2; ++axis) {
    if (!rules::agree(call, Code::OperandExtent, scale, axis, w, axis, "scale has the leading axes of w"))
      return false;
  }
  for (int k = 0; k < 2; ++k) {
    const Expr blocks = call.dims.ceildiv(call.extent(w, rank - 2 + k),
                                          call.dims.constant(block[static_cast<size_t>(k)].integer()));
    if (!rules::agree(call, Code::OperandExtent, scale, rank - 2 + k, blocks, w,
                      "scale has an entry a block of w, [⌈N/block₀⌉, ⌈K/block₁⌉]")) {
      return false;
    }
  }
  return true;
}

std::vector<float> scaled_weight(const HostCall& call, size_t w, size_t scale) {
  if (scale >= call.in.size() || !call.in[scale]) return {};
  const AttrList& block = call.attrs["block"].list();
  const int64_t rows_a_block = block[0].integer(), columns_a_block = block[1].integer();
  const HostArray& weight = *call.in[w];
  const HostArray& scales = *call.in[scale];
  const int64_t n = semantics::extent(weight, 2), k = semantics::extent(weight, 1);
  const int64_t across = semantics::extent(scales, 1), down = semantics::extent(scales, 2);
  std::vector<float> out(weight.f.size());
  for (size_t at = 0; at < out.size(); ++at) {
    const auto element = static_cast<int64_t>(at);
    const int64_t column = element % k, row = element / k % n, matrix = element / (k * n);
    const int64_t entry = (matrix * down + row / rows_a_block) * across + column / columns_a_block;
    out[at] = weight.f[at] * scales.f[static_cast<size_t>(entry)];
  }
  return out;
}

double dot(const float* a, const float* b, int64_t n) {
  // Four sums at once: additions need not wait for each other.
  double sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) sums[k] += static_cast<double>(a[i + k]) * b[i + k];
  }
  for (; i < n; ++i) sums[0] += static_cast<double>(a[i]) * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace irplan
