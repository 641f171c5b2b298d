#include "cpu/call.h"

#include <algorithm>
#include <cstring>

#include "ops/float_formats.h"

namespace irplan::cpu {

const float* Weight::floats(int64_t element, int64_t count, float* scratch) const {
  const DTypeInfo& type = info(dtype);
  const std::byte* from = data + element / type.elements * type.bytes;
  if (dtype == DType::F32) return reinterpret_cast<const float*>(from);
  if (dtype == DType::BF16) {
    for (int64_t i = 0; i < count; ++i) {
      uint16_t half;
      std::memcpy(&half, from + 2 * i, 2);
      const uint32_t bits = uint32_t{half} << 16;
      std::memcpy(scratch + i, &bits, 4);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) scratch[i] = load_float(dtype, from, i);
  }
  return scratch;
}

int64_t Call::extent(size_t operand, size_t axis, int64_t b) const {
  const Plan::Value& value = plan_.values[op_.in[operand]];
  const int64_t most = sizes_.value(value.shape[axis], -1);
  return std::clamp<int64_t>(sizes_.value(value.shape[axis], b), 0, std::max<int64_t>(most, 0));
}

std::optional<HostArray> Call::array(size_t operand) {
  std::string why;
  const auto window = Window::of(plan_, op_.in[operand], memory_, sizes_, &why);
  if (!window) return failure = "ops " + op_.id + ": " + why, std::nullopt;
  HostArray array = window->empty_array();
  window->gather(array);
  return array;
}

std::optional<Weight> Call::weight(size_t operand) const { return dense(op_.in[operand]); }

std::optional<Weight> Call::packed_result() const { return dense(op_.out[0]); }

std::optional<Weight> Call::dense(uint32_t index) const {
  const Plan::Value& value = plan_.values[index];
  if (value.strides || !is_float(value.dtype) || value.buffer >= memory_.buffers.size()) return std::nullopt;
  Weight weight;
  weight.dtype = value.dtype;
  for (const Expr extent : value.shape) weight.shape.push_back(sizes_.value(extent, -1));
  const int64_t offset = value.offset ? sizes_.value(*value.offset, -1) : 0;
  weight.data = memory_.buffers[value.buffer] + offset;
  const bool whole_blocks = weight.shape.empty() || weight.shape.back() % info(value.dtype).elements == 0;
  if (!memory_.buffers[value.buffer] || !whole_blocks) return std::nullopt;
  return weight;
}

std::optional<HostArray> Call::result() {
  std::string why;
  auto window = Window::of(plan_, op_.out[0], memory_, sizes_, &why);
  if (!window) return failure = "ops " + op_.id + ": " + why, std::nullopt;
  HostArray array = window->empty_array();
  target_ = std::move(*window);
  return array;
}

void Call::store(const HostArray& array) { target_->scatter(array); }

}  // namespace irplan::cpu
