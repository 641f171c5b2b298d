#include "reference/window.h"

#include <algorithm>
#include <cstring>

namespace irplan {

// ------------------------------------------------------------------------------------------------ sizes

Binding StepBinding::row(int64_t b) const {
  Binding own = dims;
  for (size_t d = 0; d < rows.size() && d < own.size(); ++d) {
    if (b >= 0 && b < static_cast<int64_t>(rows[d].size())) own[d] = rows[d][static_cast<size_t>(b)];
  }
  return own;
}

StepSizes::StepSizes(const Plan& plan, const StepBinding& step) : plan_(plan), step_(step) {
  is_ragged_.assign(plan.dims.size(), false);
  size_t count = 0;
  for (size_t d = 0; d < plan.dims.size() && d < step.rows.size(); ++d) {
    if (step.rows[d].empty()) continue;
    is_ragged_[d] = any_ragged_ = true;
    count = std::max(count, step.rows[d].size());
  }
  for (size_t b = 0; b < count; ++b) rows_.push_back(step.row(static_cast<int64_t>(b)));
}

int64_t StepSizes::value(Expr e, int64_t b) const {
  const bool own = b >= 0 && b < static_cast<int64_t>(rows_.size());
  return evaluate(e, own ? rows_[static_cast<size_t>(b)] : step_.dims).value_or(0);
}

bool StepSizes::ragged(Expr e) const {
  if (!any_ragged_) return false;
  for (const DimIndex dim : dims_of(e)) {
    if (dim < is_ragged_.size() && is_ragged_[dim]) return true;
  }
  return false;
}

int64_t StepSizes::rows_of(Expr axis0) const {
  if (!any_ragged_) return 0;
  const auto count = static_cast<int64_t>(rows_.size());
  if (axis0.is(count)) return count;  // the phase fixes the number of rows
  for (size_t d = 0; d < is_ragged_.size(); ++d) {
    if (!is_ragged_[d]) continue;
    const auto per = plan_.pool->find(plan_.dims[d].per);
    if (per && axis0 == plan_.pool->dim(plan_.dims[d].per)) return count;
  }
  return 0;
}

// ------------------------------------------------------------------------------------------------ where it
// lies

namespace {

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

const Plan::Op* writer_of(const Plan& plan, uint32_t value) {
  for (const Plan::Op& op : plan.ops) {
    if (std::find(op.out.begin(), op.out.end(), value) != op.out.end()) return &op;
  }
  return nullptr;
}

}  // namespace

// The append that made the value, or that it is a window on, tells which positions the rows hold.
void Window::find_ring(const Plan& plan, uint32_t value, const StepSizes& sizes) {
  uint32_t at = value;
  for (size_t steps = 0; steps <= plan.values.size() && !plan.values[at].of.empty(); ++steps)
    at = plan.values[at].of[0];
  const Plan::Op* append = writer_of(plan, at);
  if (!append || !append->row->updates_state || append->in.size() < 2) return;
  const Plan::Value& state = plan.values[append->in[0]];
  if (state.layout != Plan::Layout::Ring || state.shape.size() < 2 || shape_.size() < 2) return;
  const Plan::Value& x = plan.values[append->in[1]];
  const Plan::Value& kept = plan.values[at];
  Ring ring;
  ring.rows = sizes.value(state.shape[1], -1);
  for (int64_t b = 0; b < shape_[0]; ++b) {
    const int64_t end = sizes.value(append->attrs["at"].expr(), b) + sizes.value(x.shape[1], b);
    ring.first.push_back(end - sizes.value(kept.shape[1], b));
  }
  if (ring.rows > 0) ring_ = std::move(ring);
}

Result<Window> Window::of(const Plan& plan, uint32_t value, const PlanMemory& memory,
                          const StepSizes& sizes) {
  const Plan::Value& v = plan.values[value];
  Window window;
  window.dtype_ = v.dtype;
  window.layout_ = v.layout;
  int64_t count = 1;
  for (const Expr extent : v.shape) {
    const int64_t n = sizes.value(extent, -1);
    const bool fits = n >= 0 && !__builtin_mul_overflow(count, n, &count);
    if (!fits) {
      return Error{v.id + " has no size at this step: " + extent.text() + " is " + std::to_string(n)};
    }
    window.shape_.push_back(n);
  }
  window.dense_ = row_major(window.shape_);
  window.strides_ = window.dense_;
  if (v.strides) {
    for (size_t i = 0; i < v.strides->size(); ++i) window.strides_[i] = sizes.value((*v.strides)[i], -1);
  }
  std::byte* memory_of_buffer = v.buffer < memory.buffers.size() ? memory.buffers[v.buffer] : nullptr;
  if (!memory_of_buffer && count > 0) {
    return Error{v.id + " has no memory"};
  }
  window.base_ = memory_of_buffer + (v.offset ? sizes.value(*v.offset, -1) : 0);
  const int64_t rows = v.shape.empty() ? 0 : sizes.rows_of(v.shape[0]);
  const bool ragged =
      rows > 0 && std::any_of(v.shape.begin(), v.shape.end(), [&](Expr e) { return sizes.ragged(e); });
  for (int64_t b = 0; ragged && b < window.shape_[0]; ++b) {
    std::vector<int64_t> own = window.shape_;
    for (size_t axis = 1; axis < own.size(); ++axis)
      own[axis] = std::clamp<int64_t>(sizes.value(v.shape[axis], b), 0, own[axis]);
    window.own_rows_.push_back(std::move(own));
  }
  const bool in_state =
      v.buffer < plan.buffers.size() && plan.buffers[v.buffer].segment == Plan::Segment::State;
  if (in_state && v.kind != Plan::Kind::State) window.find_ring(plan, value, sizes);
  return window;
}

// ------------------------------------------------------------------------------------------------ moving
// elements

// Calls line(element in memory, its stride, count, place in the dense array) along the last axis.
template <class Line>
void Window::walk(const std::vector<int64_t>& extents, size_t axis, int64_t element, int64_t dense, int64_t b,
                  const Line& line) const {
  const bool turned = ring_ && axis == 1;
  if (axis == extents.size()) return line(element, 1, 1, dense);
  if (axis + 1 == extents.size() && !turned) return line(element, strides_[axis], extents[axis], dense);
  for (int64_t i = 0; i < extents[axis]; ++i) {
    const int64_t batch = axis == 0 ? i : b;
    int64_t row = i;
    if (turned) row = (ring_->first[static_cast<size_t>(batch)] + i) % ring_->rows;
    walk(extents, axis + 1, element + row * strides_[axis], dense + i * dense_[axis], batch, line);
  }
}

template <class Line>
void Window::each_line(const Line& line) const {
  if (own_rows_.empty()) return walk(shape_, 0, 0, 0, 0, line);
  for (int64_t b = 0; b < shape_[0]; ++b) {
    const auto& own = own_rows_[static_cast<size_t>(b)];
    if (own.size() == 1) {
      line(b * strides_[0], 1, 1, b);
    } else {
      walk(own, 1, b * strides_[0], b * dense_[0], b, line);
    }
  }
}

void Window::load(int64_t element, int64_t stride, int64_t n, int64_t dense, HostArray& array) const {
  if (!array.floats) {
    for (int64_t i = 0; i < n; ++i)
      array.i[static_cast<size_t>(dense + i)] = load_int(dtype_, base_, element + i * stride);
    return;
  }
  float* to = array.f.data() + dense;
  if (dtype_ == DType::F32 && stride == 1) {
    std::memcpy(to, base_ + element * 4, static_cast<size_t>(n) * 4);
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = load_float(dtype_, base_, element + i * stride);
}

void Window::store(int64_t element, int64_t stride, int64_t n, int64_t dense, const HostArray& array) const {
  if (!array.floats) {
    for (int64_t i = 0; i < n; ++i)
      store_int(dtype_, base_, element + i * stride, array.i[static_cast<size_t>(dense + i)]);
    return;
  }
  const float* from = array.f.data() + dense;
  if (is_block(dtype_)) {
    const DTypeInfo& block = info(dtype_);
    return quantise(dtype_, from, n, base_ + element / block.elements * block.bytes);
  }
  for (int64_t i = 0; i < n; ++i) store_float(dtype_, base_, element + i * stride, from[i]);
}

HostArray Window::empty_array() const {
  HostArray array;
  array.floats = is_float(dtype_);
  array.shape = shape_;
  const auto count = static_cast<size_t>(array.count());
  if (array.floats) {
    array.f.assign(count, 0.0f);
  } else {
    array.i.assign(count, 0);
  }
  return array;
}

void Window::gather(HostArray& array) const {
  if (array.count() == 0) return;
  each_line([&](int64_t element, int64_t stride, int64_t n, int64_t dense) {
    load(element, stride, n, dense, array);
  });
}

void Window::scatter(const HostArray& array) const {
  if (array.count() == 0) return;
  walk(shape_, 0, 0, 0, 0, [&](int64_t element, int64_t stride, int64_t n, int64_t dense) {
    store(element, stride, n, dense, array);
  });
}

void Window::put_row(const HostArray& array, int64_t b, int64_t from, int64_t to) const {
  int64_t row = 1;
  for (size_t axis = 2; axis < array.shape.size(); ++axis) row *= array.shape[axis];
  const int64_t source = (b * array.shape[1] + from) * row;
  const int64_t element = b * strides_[0] + to * strides_[1];
  walk(shape_, 2, element, source, b,
       [&](int64_t at, int64_t stride, int64_t n, int64_t dense) { store(at, stride, n, dense, array); });
}

}  // namespace irplan
