// attention: each query against the keys that it sees, heads in parallel.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/call.h"
#include "cpu/simd.h"
#include "runtime/threads.h"

namespace irplan::cpu {
namespace {

struct Shape {
  int64_t steps, heads, width, keys, key_heads, value_width;
};

struct Query {
  const float* q;
  const float* k;  // of its head, at key 0
  const float* v;
  int64_t first, last;  // keys that it sees
  const float* sink;    // or null
  float scale, softcap;
};

void answer(const Query& query, const Shape& s, std::vector<float>& scores, float* y) {
  std::fill_n(y, s.value_width, 0.0f);
  if (query.first >= query.last) return;
  scores.resize(static_cast<size_t>(query.last - query.first));
  float most = query.sink ? *query.sink : -std::numeric_limits<float>::infinity();
  for (int64_t j = query.first; j < query.last; ++j) {
    float z = simd().dot(query.q, query.k + j * s.key_heads * s.width, s.width) * query.scale;
    if (query.softcap > 0) z = query.softcap * std::tanh(z / query.softcap);
    scores[static_cast<size_t>(j - query.first)] = z;
    most = std::max(most, z);
  }
  double total = query.sink ? std::exp(static_cast<double>(*query.sink) - most) : 0.0;
  for (float& z : scores) {
    z = std::exp(z - most);
    total += z;
  }
  const float share = static_cast<float>(1.0 / total);
  for (int64_t j = query.first; j < query.last; ++j) {
    const float weight = scores[static_cast<size_t>(j - query.first)] * share;
    simd().axpy(y, weight, query.v + j * s.key_heads * s.value_width, s.value_width);
  }
}

}  // namespace

bool attention(Call& call) {
  const auto q = call.array(0), k = call.array(1), v = call.array(2);
  const auto sinks = call.has(3) ? call.array(3) : HostArray();
  auto y = call.result();
  if (!q || !k || !v || !sinks || !y) return true;
  const Shape s{q->shape[1], q->shape[2], q->shape[3], k->shape[1], k->shape[2], v->shape[3]};
  const Attrs& attrs = call.op().attrs;
  const bool causal = attrs["causal"].boolean();
  const Attr& scale = attrs["scale"];
  const Expr window = attrs["window"].expr();
  Query common{};
  common.scale =
      static_cast<float>(scale.is_none() ? 1.0 / std::sqrt(static_cast<double>(s.width)) : scale.number());
  common.softcap = static_cast<float>(attrs["softcap"].number());
  struct Row {
    int64_t steps, keys, reach;
  };
  std::vector<Row> rows;
  for (int64_t b = 0; b < q->shape[0]; ++b) {
    rows.push_back({call.extent(0, 1, b), call.extent(1, 1, b),
                    window ? call.value(window, b) : std::numeric_limits<int64_t>::max() / 2});
  }
  parallel(q->shape[0] * s.heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scores;
    for (int64_t at = begin; at < end; ++at) {
      const int64_t b = at / s.heads, h = at % s.heads, g = h / (s.heads / s.key_heads);
      const Row& row = rows[static_cast<size_t>(b)];
      Query query = common;
      query.k = k->f.data() + (b * s.keys * s.key_heads + g) * s.width;
      query.v = v->f.data() + (b * s.keys * s.key_heads + g) * s.value_width;
      query.sink = sinks->f.empty() ? nullptr : sinks->f.data() + h;
      for (int64_t i = 0; i < row.steps; ++i) {
        const int64_t diagonal = i + row.keys - row.steps, place = (b * s.steps + i) * s.heads + h;
        query.q = q->f.data() + place * s.width;
        query.last = causal ? std::min(row.keys, diagonal + 1) : row.keys;
        query.first = std::max<int64_t>(0, diagonal - row.reach + 1);
        answer(query, s, scores, y->f.data() + place * s.value_width);
      }
    }
  });
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
