// expert: linear with the weight that each token chose. Tokens of one expert are multiplied together, so that
// its weight is read once.
#include <string>

#include "cpu/product.h"

namespace irplan::cpu {

bool expert(Call& call) {
  const auto w = call.weight(1);
  if (!w || w->shape.size() != 3) return false;
  const auto x = call.array(0);
  const auto chosen = call.array(2);
  const auto bias = call.has(3) ? call.array(3) : HostArray();
  const auto scale = call.has(4) ? call.array(4) : HostArray();
  auto y = call.result();
  if (!x || !chosen || !bias || !scale || !y) return true;
  const int64_t experts = w->shape[0], n = w->shape[1], k = w->shape[2];
  const bool shared = x->shape.size() == chosen->shape.size();  // the choices of a token read the same row
  const int64_t choices = chosen->shape.back();
  std::vector<std::vector<int64_t>> places(static_cast<size_t>(experts));
  for (int64_t at = 0; at < chosen->count(); ++at) {
    const int64_t e = chosen->i[static_cast<size_t>(at)];
    if (e < 0 || e >= experts) {
      call.failure = "ops " + call.op().id + ": expert " + std::to_string(e) + " at place " +
                     std::to_string(at) + " of " + call.id(2) + " is none of the " + std::to_string(experts) +
                     " of " + call.id(1);
      return true;
    }
    places[static_cast<size_t>(e)].push_back(at);
  }
  Product product;
  product.w = &*w;
  product.n = n;
  product.k = k;
  const AttrList& block = call.op().attrs["block"].list();
  if (block.size() == 2) {
    product.block0 = block[0].integer(1);
    product.block1 = block[1].integer(1);
  }
  const int64_t scales = scale->f.empty() ? 0 : scale->count() / experts;
  for (int64_t e = 0; e < experts; ++e) {
    if (places[static_cast<size_t>(e)].empty()) continue;
    product.first = e * n * k;
    product.bias = bias->f.empty() ? nullptr : bias->f.data() + e * n;
    product.scale = scale->f.empty() ? nullptr : scale->f.data() + e * scales;
    product.x.clear();
    product.y.clear();
    for (const int64_t at : places[static_cast<size_t>(e)]) {
      product.x.push_back(x->f.data() + (shared ? at / choices : at) * k);
      product.y.push_back(y->f.data() + at * n);
    }
    product.run();
  }
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
