// Tensors line by line: where lines lie, and their numbers as f32.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "ops/float_formats.h"
#include "reference/executor.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace irplan::cpu {

// Bytes that a thread works in, by purpose: they grow to what is needed first, and are used again.
enum class Room : int { First, Second, Third, Fourth, Fifth, Count };
inline float* room(Room which, int64_t floats) {
  thread_local std::vector<float> rooms[static_cast<int>(Room::Count)];
  auto& own = rooms[static_cast<int>(which)];
  if (static_cast<int64_t>(own.size()) < floats) own.resize(static_cast<size_t>(floats));
  return own.data();
}

// Element at which the i-th line over the first `axes` axes begins.
inline int64_t line_at(const Tensor& t, int axes, int64_t i) {
  int64_t element = 0;
  for (int axis = axes; axis-- > 0;) {
    element += i % t.shape[axis] * t.stride[axis];
    i /= t.shape[axis];
  }
  return element;
}
inline int64_t width_of(const Tensor& t) { return t.extent(1); }
inline int64_t lines_of(const Tensor& t) { return width_of(t) ? t.count() / width_of(t) : 0; }
inline int64_t line_at(const Tensor& t, int64_t i) { return line_at(t, t.rank - 1, i); }

// The axis as the last one.
inline Tensor turned(Tensor t, int axis) {
  for (int i = axis; i + 1 < t.rank; ++i) {
    std::swap(t.shape[i], t.shape[i + 1]);
    std::swap(t.stride[i], t.stride[i + 1]);
  }
  return t;
}

// `n` numbers from an element on: where they lie, if they are f32 side by side, or converted into `to`.
const float* convert_line(const Tensor& t, int64_t element, int64_t n, int64_t step, float* to);
inline const float* load_line(const Tensor& t, int64_t element, int64_t n, int64_t step, float* to) {
  if (t.dtype == DType::F32 && step == 1) return reinterpret_cast<const float*>(t.data) + element;
  return convert_line(t, element, n, step, to);
}
void store_line(const Tensor& t, int64_t element, int64_t n, int64_t step, const float* from);
inline const float* load_line(const Tensor& t, int64_t i, float* to) {
  return load_line(t, line_at(t, i), width_of(t), t.step(1), to);
}
inline void store_line(const Tensor& t, int64_t i, const float* from) {
  store_line(t, line_at(t, i), width_of(t), t.step(1), from);
}

constexpr int64_t kLeastNumbers = 1 << 14;  // that are worth another thread

// Calls body(line) for all lines of `t`, many lines a thread.
template <class Body>
void each_line(const Tensor& t, const Body& body) {
  const int64_t lines = lines_of(t), width = width_of(t) > 1 ? width_of(t) : 1;
  const int64_t grain = kLeastNumbers / width;
  parallel(lines, grain > 1 ? grain : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

// All lines of `t` as f32: where they lie, if they lie side by side, else in the room.
const float* all_lines(const Tensor& t, Room which);
// The same, made whole numbers by blocks of 32 where `whole`.
const float* activations(const Tensor& t, bool whole, Room which);
// Where results are made: in the tensor, if it holds f32 side by side, else in the room, stored by `give`.
float* results(const Tensor& y, Room which);
void give(const Tensor& y, const float* made);

}  // namespace irplan::cpu
