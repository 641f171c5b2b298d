// What reference semantics share: walking dense row-major arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace irplan::semantics {

// An array seen around one axis: [outer, n, inner].
struct AroundAxis {
  int64_t outer = 1, n = 1, inner = 1;
};
inline AroundAxis around(const std::vector<int64_t>& shape, size_t axis) {
  AroundAxis a;
  for (size_t i = 0; i < axis; ++i) a.outer *= shape[i];
  a.n = shape[axis];
  for (size_t i = axis + 1; i < shape.size(); ++i) a.inner *= shape[i];
  return a;
}
inline size_t axis_from_end(int64_t axis, size_t rank) {
  return axis < 0 ? rank - static_cast<size_t>(-axis) : static_cast<size_t>(axis);
}

// Extent of an axis counted from the end; 1 where the array has fewer axes.
inline int64_t extent(const HostArray& a, int64_t from_end) {
  const auto rank = static_cast<int64_t>(a.shape.size());
  return from_end <= rank ? a.shape[static_cast<size_t>(rank - from_end)] : 1;
}

// The extent that row b of axis 0 has itself, where a ragged dim makes rows differ; never more than the array
// holds.
inline int64_t own_extent(const HostCall& call, size_t operand, size_t axis, int64_t b) {
  const int64_t held = call.in[operand]->shape[axis];
  if (!call.value || operand >= call.types.size() || !call.types[operand]) return held;
  const int64_t own = call.value(call.types[operand]->shape[axis], b);
  return own < held ? own : held;
}

// Walks the elements of `shape` in order and gives for each the element of a source that is broadcast to it
// (aligned at the right).
class Broadcast {
 public:
  Broadcast(const std::vector<int64_t>& shape, const std::vector<int64_t>& source) : shape_(shape) {
    const size_t shift = shape.size() - source.size();
    strides_.assign(shape.size(), 0);
    int64_t stride = 1;
    for (size_t i = source.size(); i-- > 0;) {
      if (source[i] != 1) strides_[shift + i] = stride;
      stride *= source[i];
    }
    index_.assign(shape.size(), 0);
  }
  size_t at() const { return static_cast<size_t>(at_); }
  void next() {
    for (size_t i = shape_.size(); i-- > 0;) {
      at_ += strides_[i];
      if (++index_[i] < shape_[i]) return;
      at_ -= strides_[i] * shape_[i];
      index_[i] = 0;
    }
  }

 private:
  const std::vector<int64_t>& shape_;
  std::vector<int64_t> strides_, index_;
  int64_t at_ = 0;
};

}  // namespace irplan::semantics
