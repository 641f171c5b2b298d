// Operators that look along one axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "ops/norms.h"
#include "ops/order.h"

namespace irplan::cpu {
namespace {

void softmax_of(float* z, int64_t n) {
  const float most = *std::max_element(z, z + n);
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += z[i] = std::exp(z[i] - most);
  for (int64_t i = 0; i < n; ++i) z[i] = static_cast<float>(z[i] / total);
}

// The place of the largest of those that are not taken; ties to the lowest.
template <class At, class Taken>
int64_t largest_of(int64_t n, const At& at, const Taken& taken) {
  int64_t best = -1;
  for (int64_t i = 0; i < n; ++i) {
    if (!taken(i) && (best < 0 || above(at(i), at(best)))) best = i;
  }
  return best;
}

const auto none_taken = [](int64_t) { return false; };

}  // namespace

void norm(const NormCall& c) {
  const int64_t n = width_of(c.x);
  each_line(c.y, [&](int64_t line) {
    const float* x = load_line(c.x, line, room(Room::First, n));
    if (c.addend.data) {
      const float* addend = load_line(c.addend, line, room(Room::Second, n));
      float* sum = room(Room::Third, n);
      for (int64_t i = 0; i < n; ++i) sum[i] = rounded_to(c.sum.dtype, x[i] + addend[i]);
      store_line(c.sum, line, sum);
      x = sum;
    }
    const float* w = c.w.data ? load_line(c.w, 0, n, c.w.step(1), room(Room::Fourth, n)) : nullptr;
    float* y = room(Room::First, n);
    if (c.centred) {
      const float* b = c.b.data ? load_line(c.b, 0, n, c.b.step(1), room(Room::Fifth, n)) : nullptr;
      layer_normalise(x, w, b, n, c.eps, y);
    } else {
      rms_normalise(x, w, n, c.eps, c.offset, y);
    }
    store_line(c.y, line, y);
  });
}

void rope(const RopeCall& c) {
  const int64_t width = width_of(c.x), tokens = c.x.shape[0] * c.x.shape[1];
  const int64_t heads = tokens && width ? c.x.count() / (tokens * width) : 0;
  const auto* g = reinterpret_cast<const float*>(c.g.data);
  parallel(tokens, std::max<int64_t>(1, kLeastNumbers / std::max<int64_t>(1, heads * width)),
           [&](int64_t begin, int64_t end) {
             float* cosine = room(Room::First, c.half);
             float* sine = room(Room::Second, c.half);
             float* out = room(Room::Third, width);
             for (int64_t token = begin; token < end; ++token) {
               const int64_t position = c.at.data[token / c.x.shape[1]] + token % c.x.shape[1];
               for (int32_t i = 0; i < c.half; ++i) {
                 const double angle = static_cast<float>(position) * g[i];
                 cosine[i] = c.m * static_cast<float>(std::cos(angle));
                 sine[i] = c.m * static_cast<float>(std::sin(angle));
               }
               for (int64_t line = token * heads; line < (token + 1) * heads; ++line) {
                 const float* x = load_line(c.x, line, room(Room::Fourth, width));
                 std::copy_n(x, width, out);
                 for (int32_t i = 0; i < c.half; ++i) {
                   const int32_t first = c.interleave ? 2 * i : i,
                                 second = c.interleave ? 2 * i + 1 : i + c.half;
                   const float u = x[first], v = x[second];
                   out[first] = u * cosine[i] - v * sine[i];
                   out[second] = v * cosine[i] + u * sine[i];
                 }
                 store_line(c.y, line, out);
               }
             }
           });
}

void softmax(const SoftmaxCall& c) {
  const Tensor x = turned(c.x, c.axis), y = turned(c.y, c.axis);
  const int64_t n = width_of(x);
  each_line(x, [&](int64_t line) {
    float* z = room(Room::Second, n);
    std::copy_n(load_line(x, line, room(Room::First, n)), n, z);
    softmax_of(z, n);
    store_line(y, line, z);
  });
}

void reduce(const ReduceCall& c) {
  const Tensor x = turned(c.x, c.axis), y = turned(c.y, c.axis);
  const int64_t n = width_of(x);
  each_line(x, [&](int64_t line) {
    const int64_t to = line_at(y, line), from = line_at(x, line);
    if (is_float(x.dtype)) {
      const float* z = load_line(x, line, room(Room::First, n));
      if (c.what == Reduce::Sum) {
        double total = 0;
        for (int64_t i = 0; i < n; ++i) total += z[i];
        return store_float(y.dtype, y.data, to, static_cast<float>(total));
      }
      const int64_t best = largest_of(
          n, [&](int64_t i) { return z[i]; }, none_taken);
      return c.what == Reduce::Max ? store_float(y.dtype, y.data, to, z[best])
                                   : store_int(y.dtype, y.data, to, best);
    }
    const auto at = [&](int64_t i) { return load_int(x.dtype, x.data, from + i * x.step(1)); };
    if (c.what == Reduce::Sum) {
      uint64_t total = 0;  // wraps
      for (int64_t i = 0; i < n; ++i) total += static_cast<uint64_t>(at(i));
      return store_int(y.dtype, y.data, to, static_cast<int64_t>(total));
    }
    const int64_t best = largest_of(n, at, none_taken);
    store_int(y.dtype, y.data, to, c.what == Reduce::Max ? at(best) : best);
  });
}

void topk(const TopkCall& c) {
  const int64_t n = width_of(c.x), k = width_of(c.values);
  each_line(c.x, [&](int64_t line) {
    const bool floats = is_float(c.x.dtype);
    const float* z = floats ? load_line(c.x, line, room(Room::First, n)) : nullptr;
    float* taken = room(Room::Second, n);
    std::fill_n(taken, n, 0.0f);
    const auto gone = [&](int64_t i) { return taken[i] != 0; };
    const int64_t from = line_at(c.x, line), to = line_at(c.values, line), id = line_at(c.ids, line);
    const auto whole = [&](int64_t i) { return load_int(c.x.dtype, c.x.data, from + i * c.x.step(1)); };
    for (int64_t j = 0; j < k; ++j) {
      const int64_t best = floats ? largest_of(
                                        n, [&](int64_t i) { return z[i]; }, gone)
                                  : largest_of(n, whole, gone);
      taken[best] = 1;
      if (floats)
        store_float(c.values.dtype, c.values.data, to + j * c.values.step(1), z[best]);
      else
        store_int(c.values.dtype, c.values.data, to + j * c.values.step(1), whole(best));
      store_int(c.ids.dtype, c.ids.data, id + j * c.ids.step(1), best);
    }
  });
}

void route(const RouteCall& c) {
  const int64_t experts = width_of(c.logits), k = width_of(c.weights);
  const float infinity = std::numeric_limits<float>::infinity();
  each_line(c.logits, [&](int64_t line) {
    float* scores = room(Room::Second, experts);
    std::copy_n(load_line(c.logits, line, room(Room::First, experts)), experts, scores);
    if (c.score == 0) softmax_of(scores, experts);
    for (int64_t i = 0; c.score == 2 && i < experts; ++i) scores[i] = 1.0f / (1.0f + std::exp(-scores[i]));
    // The bias says who is chosen; the weights are those of the scores without it.
    float* choice = room(Room::Third, 3 * experts + 2 * k);
    float *taken = choice + experts, *totals = taken + experts, *weights = totals + experts,
          *ids = weights + k;
    std::copy_n(scores, experts, choice);
    if (c.bias.data) {
      const float* bias = load_line(c.bias, 0, experts, c.bias.step(1), room(Room::First, experts));
      for (int64_t i = 0; i < experts; ++i) choice[i] += bias[i];
    }
    std::fill_n(taken, experts, 0.0f);
    const auto gone = [&](int64_t i) { return taken[i] != 0; };
    if (c.groups > 0) {
      // A group counts as the sum of its two best; experts of all but the best groups cannot be chosen.
      const int64_t each = experts / c.groups;
      for (int64_t g = 0; g < c.groups; ++g) {
        const auto at = [&](int64_t i) { return choice[g * each + i]; };
        const int64_t first = largest_of(each, at, none_taken);
        totals[g] = at(first);
        if (each > 1) totals[g] += at(largest_of(each, at, [&](int64_t i) { return i == first; }));
      }
      for (int64_t j = 0; j < c.group_k; ++j)
        taken[largest_of(
            c.groups, [&](int64_t i) { return totals[i]; }, gone)] = 1;
      for (int64_t g = c.groups; g-- > 0;) {  // backwards: the marks of groups lie in front
        const bool kept = taken[g] != 0;
        for (int64_t i = 0; i < each && !kept; ++i) choice[g * each + i] = -infinity;
      }
      std::fill_n(taken, experts, 0.0f);
    }
    float total = 0;
    for (int64_t j = 0; j < k; ++j) {
      const int64_t best = largest_of(
          experts, [&](int64_t i) { return choice[i]; }, gone);
      taken[best] = 1;
      ids[j] = static_cast<float>(best);
      weights[j] = scores[best];
    }
    if (c.score == 1) softmax_of(weights, k);
    for (int64_t j = 0; j < k; ++j) total += weights[j];
    const float divisor = c.norm ? total + 1e-20f : 1.0f;
    const int64_t to = line_at(c.weights, line), id = line_at(c.experts, line);
    for (int64_t j = 0; j < k; ++j) {
      store_float(c.weights.dtype, c.weights.data, to + j * c.weights.step(1),
                  weights[j] / divisor * c.scale);
      store_int(c.experts.dtype, c.experts.data, id + j * c.experts.step(1), static_cast<int64_t>(ids[j]));
    }
  });
}

}  // namespace irplan::cpu
