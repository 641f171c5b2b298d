// attention: the queries of the heads that share a key head together, so that keys and values are converted
// once for all of them; blocks of keys by their place, each joined to what is known so far.
//
//     for a block of keys:  z = scale q k,  m' = max(m, z),  l = l e^(m - m') + sum e^(z - m'),  y = …
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/simd.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kKeys = 64;    // of a block
constexpr int64_t kQueries = 8;  // of a sequence that one piece of work takes
constexpr float kNone = -std::numeric_limits<float>::infinity();

// One sequence, key head, and run of queries.
struct Piece {
  const AttentionCall& c;
  int64_t b, g, first_query, queries, group;  // `group` heads share the key head

  int64_t rows() const { return queries * group; }
  int64_t query_of(int64_t row) const { return first_query + row / group; }
  int64_t head_of(int64_t row) const { return g * group + row % group; }

  // The keys [first, last) that a query sees.
  void visible(int64_t query, int64_t* first, int64_t* last) const {
    const int64_t keys = c.keys.data[b], diagonal = query + keys - c.steps.data[b];
    *last = c.causal ? std::min(keys, diagonal + 1) : keys;
    *first = std::max<int64_t>(0, diagonal - c.reach.data[b] + 1);
  }

  static int64_t held_row(int64_t j, const Table& first, int64_t rows, int64_t b) {
    return first.data ? (first.data[b] + j) % rows : j;
  }

  static int64_t slot_of(const Table& slots, int64_t b) { return slots.data ? slots.data[b] : b; }

  void run() const {
    const int64_t width = c.q.shape[3], value_width = c.v.shape[3];
    // Queries, then of each row m, l and the weighted values.
    float* q = room(Room::First, rows() * (width + value_width + 2));
    float *most = q + rows() * width, *total = most + rows(), *sum = total + rows();
    float* scores = room(Room::Second, kKeys);
    float* scratch = room(Room::Third, kKeys * (width + value_width));
    int64_t begin = INT64_MAX, end = 0;
    for (int64_t r = 0; r < rows(); ++r) {
      const int64_t at = b * c.q.stride[0] + query_of(r) * c.q.stride[1] + head_of(r) * c.q.stride[2];
      std::copy_n(load_line(c.q, at, width, c.q.stride[3], scratch), width, q + r * width);
      most[r] = kNone;
      total[r] = 0;
      int64_t first = 0, last = 0;
      visible(query_of(r), &first, &last);
      begin = std::min(begin, first);
      end = std::max(end, last);
    }
    std::fill_n(sum, rows() * value_width, 0.0f);
    const float *k[kKeys], *v[kKeys];
    const int64_t key_at = slot_of(c.key_slots, b) * c.k.stride[0] + g * c.k.stride[2],
                  value_at = slot_of(c.value_slots, b) * c.v.stride[0] + g * c.v.stride[2];
    for (int64_t block = begin / kKeys * kKeys; block < end; block += kKeys) {
      const int64_t low = std::max(block, begin), high = std::min(block + kKeys, end);
      for (int64_t j = low; j < high; ++j) {
        float* to = scratch + (j - block) * (width + value_width);
        const int64_t key = held_row(j, c.key_first, c.key_rows, b),
                      value = held_row(j, c.value_first, c.value_rows, b);
        k[j - block] = load_line(c.k, key_at + key * c.k.stride[1], width, c.k.stride[3], to);
        v[j - block] =
            load_line(c.v, value_at + value * c.v.stride[1], value_width, c.v.stride[3], to + width);
      }
      for (int64_t r = 0; r < rows(); ++r)
        join(r, low, high, block, k, v, q + r * width, scores, most + r, total + r, sum + r * value_width);
    }
    for (int64_t r = 0; r < rows(); ++r) finish(r, most[r], total[r], sum + r * value_width);
  }

  void join(int64_t r, int64_t low, int64_t high, int64_t block, const float* const* k, const float* const* v,
            const float* q, float* scores, float* most, float* total, float* sum) const {
    int64_t first = 0, last = 0;
    visible(query_of(r), &first, &last);
    first = std::max(first, low);
    last = std::min(last, high);
    if (first >= last) return;
    float highest = *most;
    for (int64_t j = first; j < last; ++j) {
      float z = simd().dot(q, k[j - block], c.q.shape[3]) * c.scale;
      if (c.softcap > 0) z = c.softcap * std::tanh(z / c.softcap);
      scores[j - block] = z;
      highest = std::max(highest, z);
    }
    const int64_t value_width = c.v.shape[3];
    const float shrink = *most == highest ? 1.0f : std::exp(*most - highest);
    if (shrink != 1.0f) {
      for (int64_t u = 0; u < value_width; ++u) sum[u] *= shrink;
    }
    *most = highest;
    *total *= shrink;
    for (int64_t j = first; j < last; ++j) {
      const float z = scores[j - block], weight = z == kNone ? 0.0f : std::exp(z - highest);
      *total += weight;
      simd().axpy(sum, weight, v[j - block], value_width);
    }
  }

  // A sink joins the denominator alone. A query that sees no key has no value; one whose scores are all -inf
  // has none that is a number.
  void finish(int64_t r, float most, float total, float* sum) const {
    const int64_t value_width = c.v.shape[3], h = head_of(r);
    int64_t first = 0, last = 0;
    visible(query_of(r), &first, &last);
    float share = first < last ? 1 / total : 0.0f;
    if (first < last && c.sinks.data) {
      float sink = 0;
      sink = *load_line(c.sinks, h * c.sinks.stride[0], 1, 1, &sink);
      const float top = std::max(most, sink), own = std::exp(most - top);
      share = own / (total * own + std::exp(sink - top));
    }
    for (int64_t u = 0; u < value_width; ++u) sum[u] *= share;
    store_line(c.y, b * c.y.stride[0] + query_of(r) * c.y.stride[1] + h * c.y.stride[2], value_width,
               c.y.stride[3], sum);
  }
};

}  // namespace

void attention(const AttentionCall& c) {
  const int64_t batch = c.q.shape[0], steps = c.q.shape[1], heads = c.q.shape[2], key_heads = c.k.shape[2];
  if (c.y.count() == 0 || key_heads == 0) return;
  const int64_t runs = (steps + kQueries - 1) / kQueries;
  parallel(batch * key_heads * runs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / (key_heads * runs), g = i / runs % key_heads, first = i % runs * kQueries;
      // Queries that a sequence does not have itself are left alone.
      const int64_t queries = std::min({kQueries, steps - first, c.steps.data[b] - first});
      if (queries > 0) Piece{c, b, g, first, queries, heads / key_heads}.run();
    }
  });
}

}  // namespace irplan::cpu
