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

constexpr int64_t kKeys = 64;     // of a block
constexpr int64_t kQueries = 16;  // of a sequence that one piece of work takes
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

  // Keys or values [low, high): where they lie, if they are f32 side by side, or converted into `scratch`. Of
  // a ring of `rows` rows, `first` has the one in which j = 0 lies.
  void load_lines(const Tensor& t, int64_t at, const Table& first, int64_t rows, int64_t low, int64_t high,
                  float* scratch, const float** to) const {
    const int64_t width = t.shape[3], step = t.stride[1], count = high - low;
    if (!first.data && t.dtype == DType::F32 && t.stride[3] == 1) {
      const float* line = reinterpret_cast<const float*>(t.data) + at + low * step;
      for (int64_t i = 0; i < count; ++i) to[i] = line + i * step;
      return;
    }
    int64_t row = first.data ? (first.data[b] + low) % rows : low;
    for (int64_t i = 0; i < count; ++i, ++row) {
      if (first.data && row == rows) row = 0;
      to[i] = load_line(t, at + row * step, width, t.stride[3], scratch + i * width);
    }
  }

  static int64_t slot_of(const Table& slots, int64_t b) { return slots.data ? slots.data[b] : b; }

  // The position of what is j = 0 in k: blocks are counted from position 0, so that a query's sums are the
  // same however its sequence came in.
  int64_t origin() const { return c.key_first.data ? c.key_first.data[b] : 0; }

  void run() const {
    const int64_t width = c.q.shape[3], value_width = c.v.shape[3];
    // Of each row the query, m, l, the first and last key, and the weighted values; then scores.
    float* q = room(Room::First, rows() * (width + value_width + 2 + kKeys));
    float *most = q + rows() * width, *totals = most + rows(), *sum = totals + rows();
    float *scores = sum + rows() * value_width, *scratch = room(Room::Third, kKeys * (width + value_width));
    int64_t begin = INT64_MAX, end = 0;
    for (int64_t r = 0; r < rows(); ++r) {
      const int64_t at = b * c.q.stride[0] + query_of(r) * c.q.stride[1] + head_of(r) * c.q.stride[2];
      std::copy_n(load_line(c.q, at, width, c.q.stride[3], scratch), width, q + r * width);
      most[r] = kNone;
      totals[r] = 0;
      int64_t first = 0, last = 0;
      visible(query_of(r), &first, &last);
      begin = std::min(begin, first);
      end = std::max(end, last);
    }
    std::fill_n(sum, rows() * value_width, 0.0f);
    const float *k[kKeys], *v[kKeys];
    const int64_t key_at = slot_of(c.key_slots, b) * c.k.stride[0] + g * c.k.stride[2],
                  value_at = slot_of(c.value_slots, b) * c.v.stride[0] + g * c.v.stride[2];
    for (int64_t block = (begin + origin()) / kKeys * kKeys - origin(); block < end; block += kKeys) {
      const int64_t low = std::max(block, begin), high = std::min(block + kKeys, end);
      load_lines(c.k, key_at, c.key_first, c.key_rows, low, high, scratch, k);
      load_lines(c.v, value_at, c.value_first, c.value_rows, low, high, scratch + kKeys * width, v);
      for (int64_t r = 0; r < rows();) {
        int64_t first = 0, last = 0;
        const int64_t alike = rows_alike(r, low, high, &first, &last);
        if (first < last)
          join(r, alike, k + (first - low), v + (first - low), last - first, q, scores, most, totals, sum);
        r += alike;
      }
    }
    for (int64_t r = 0; r < rows(); ++r) finish(r, most[r], totals[r], sum + r * value_width);
  }

  // How many rows from r on see the same keys of [low, high), and which.
  int64_t rows_alike(int64_t r, int64_t low, int64_t high, int64_t* first, int64_t* last) const {
    int64_t end = r;
    for (; end < rows(); ++end) {
      int64_t a = 0, z = 0;
      visible(query_of(end), &a, &z);
      a = std::max(a, low);
      z = std::max(a, std::min(z, high));
      if (end == r) *first = a, *last = z;
      if (a != *first || z != *last) break;
    }
    return end - r;
  }

  // Joins `keys` keys and values to rows [at, at + count), which see all of them.
  void join(int64_t at, int64_t count, const float* const* k, const float* const* v, int64_t keys,
            const float* q, float* scores, float* most, float* totals, float* sum) const {
    const Simd& math = simd();
    const int64_t width = c.q.shape[3], value_width = c.v.shape[3];
    const float* lines[kTile];
    for (int64_t r = at; r < at + count; r += kTile) {
      const auto some = static_cast<int>(std::min<int64_t>(kTile, at + count - r));
      for (int i = 0; i < some; ++i) lines[i] = q + (r + i) * width;
      for (int64_t j = 0; j < keys; j += kTile) {
        const float* four[kTile];
        for (int64_t i = 0; i < kTile; ++i) four[i] = k[std::min(j + i, keys - 1)];
        math.tile(lines, some, four, width, scores + r * kKeys + j, kKeys);
      }
    }
    for (int64_t r = at; r < at + count; ++r)
      weigh_scores(scores + r * kKeys, keys, most[r], totals[r], sum + r * value_width);
    math.weigh(scores + at * kKeys, kKeys, static_cast<int>(count), v, keys, value_width,
               sum + at * value_width, value_width);
  }

  // From scores to weights, all earlier ones shrunk to the new largest score.
  void weigh_scores(float* z, int64_t keys, float& most, float& all, float* sum) const {
    float highest = most;
    if (c.softcap > 0) {
      for (int64_t j = 0; j < keys; ++j) {
        z[j] = c.softcap * std::tanh(z[j] * c.scale / c.softcap);
        highest = std::max(highest, z[j]);
      }
    } else {
      highest = simd().scale_scores(z, keys, c.scale, most);
    }
    const float shrink = most == highest ? 1.0f : std::exp(most - highest);
    if (shrink != 1.0f) {
      for (int64_t u = 0; u < c.v.shape[3]; ++u) sum[u] *= shrink;
    }
    most = highest;
    all *= shrink;
    if (highest != kNone) {
      all += simd().exponentials(z, keys, highest);
      return;
    }
    for (int64_t j = 0; j < keys; ++j) all += z[j] = z[j] == kNone ? 0.0f : z[j];  // that is NaN
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
