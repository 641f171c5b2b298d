// linear: x[…,K] times w[N,K] or, per group, w[G,N,K]; with bias and a scale for each block of w.
#include "cpu/product.h"

namespace irplan::cpu {

bool linear(Call& call) {
  const auto w = call.weight(1);
  if (!w || w->shape.size() < 2) return false;
  const size_t rank = w->shape.size();
  if (rank == 3 && call.has(3)) return false;
  const auto x = call.array(0);
  const auto bias = call.has(2) ? call.array(2) : HostArray();
  const auto scale = call.has(3) ? call.array(3) : HostArray();
  auto y = call.result();
  if (!x || !bias || !scale || !y) return true;
  Product product;
  product.w = &*w;
  product.k = w->shape[rank - 1];
  product.n = w->shape[rank - 2];
  product.bias = bias->f.empty() ? nullptr : bias->f.data();
  product.scale = scale->f.empty() ? nullptr : scale->f.data();
  const AttrList& block = call.op().attrs["block"].list();
  if (block.size() == 2) {
    product.block0 = block[0].integer(1);
    product.block1 = block[1].integer(1);
  }
  const int64_t groups = rank == 3 ? w->shape[0] : 1, rows = product.k ? x->count() / product.k : 0;
  for (int64_t g = 0; g < groups; ++g) {
    product.first = g * product.n * product.k;
    product.x.clear();
    product.y.clear();
    for (int64_t r = g; r < rows; r += groups) {
      product.x.push_back(x->f.data() + r * product.k);
      product.y.push_back(y->f.data() + r * product.n);
    }
    product.run();
  }
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
