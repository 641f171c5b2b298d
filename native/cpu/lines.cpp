#include "cpu/lines.h"

#include "cpu/simd.h"
#include "ops/whole_rows.h"

namespace irplan::cpu {

const float* convert_line(const Tensor& t, int64_t element, int64_t n, int64_t step, float* to) {
  const DTypeInfo& type = info(t.dtype);
  if (type.floats && step == 1 && n % type.elements == 0 && element % type.elements == 0) {
    const std::byte* from = t.data + element / type.elements * type.bytes;
    simd().widen(t.dtype, from, n, to);
    return to;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = load_float(t.dtype, t.data, element + i * step);
  return to;
}

void store_line(const Tensor& t, int64_t element, int64_t n, int64_t step, const float* from) {
  const DTypeInfo& type = info(t.dtype);
  if (type.elements > 1) return quantise(t.dtype, from, n, t.data + element / type.elements * type.bytes);
  if (t.dtype == DType::F32 && step == 1) {
    if (n > 0) std::memcpy(t.data + 4 * element, from, static_cast<size_t>(n) * 4);
    return;
  }
  if ((t.dtype == DType::F16 || t.dtype == DType::BF16) && step == 1)
    return simd().narrow(t.dtype, from, n, t.data + 2 * element);
  for (int64_t i = 0; i < n; ++i) store_float(t.dtype, t.data, element + i * step, from[i]);
}

const float* all_lines(const Tensor& t, Room which) {
  if (t.dtype == DType::F32 && t.dense()) return reinterpret_cast<const float*>(t.data);
  const int64_t n = width_of(t);
  float* all = room(which, lines_of(t) * n);
  each_line(t, [&](int64_t i) {
    float* to = all + i * n;
    const float* from = load_line(t, i, to);
    if (from != to && n > 0) std::memcpy(to, from, static_cast<size_t>(n) * 4);
  });
  return all;
}

const float* activations(const Tensor& t, bool whole, Room which) {
  const float* lines = all_lines(t, which);
  if (!whole) return lines;
  const int64_t n = width_of(t);
  float* own = room(which, lines_of(t) * n);
  each_line(t, [&](int64_t i) {
    if (lines != own) std::memcpy(own + i * n, lines + i * n, static_cast<size_t>(n) * 4);
    round_whole(own + i * n, n);
  });
  return own;
}

float* results(const Tensor& y, Room which) {
  if (y.dtype == DType::F32 && y.dense()) return reinterpret_cast<float*>(y.data);
  return room(which, y.count());
}

void give(const Tensor& y, const float* made) {
  if (reinterpret_cast<const std::byte*>(made) == y.data) return;
  each_line(y, [&](int64_t i) { store_line(y, i, made + i * width_of(y)); });
}

}  // namespace irplan::cpu
