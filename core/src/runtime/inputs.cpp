#include "runtime/inputs.h"

#include <algorithm>

#include "reference/executor.h"
#include "runtime/random.h"

namespace irplan {
namespace {

std::string declared(const Plan::Value& value) {
  std::string out = std::string(name(value.dtype)) + "[";
  for (size_t i = 0; i < value.shape.size(); ++i) out += (i ? ", " : "") + value.shape[i].text();
  return out + "]";
}

HostArray room_for(const Plan::Value& value, const std::vector<int64_t>& shape) {
  HostArray array;
  array.floats = is_float(value.dtype);
  array.shape = shape;
  const auto count = static_cast<size_t>(array.count());
  array.f.resize(array.floats ? count : 0);
  array.i.resize(array.floats ? 0 : count);
  return array;
}

}  // namespace

std::optional<std::string> unlike(const Plan::Value& value, const StoredTensor& tensor) {
  const std::string got = "input " + value.id + " is " + info(tensor.type).name + text(tensor.shape) +
                          ", expected " + declared(value);
  if (tensor.shape.size() != value.shape.size())
    return got + ": " + std::to_string(tensor.shape.size()) + " axes are not " +
           std::to_string(value.shape.size());
  if (info(tensor.type).floats != is_float(value.dtype))
    return got + (is_float(value.dtype) ? ": integers are not floats" : ": floats are not integers");
  return std::nullopt;
}

Result<HostArray> stored_input(const Plan::Value& value, const StoredTensor& tensor) {
  HostArray array = to_array(tensor);
  for (const int64_t n : array.i) {
    std::byte stored[8];
    store_int(value.dtype, stored, 0, n);
    if (load_int(value.dtype, stored, 0) == n) continue;
    return Error{"input " + value.id + " holds " + std::to_string(n) + ", beyond what " + name(value.dtype) +
                 " can hold"};
  }
  return array;
}

HostArray random_input(const Plan::Value& value, const std::vector<int64_t>& shape, uint64_t seed,
                       int64_t below) {
  HostArray array = room_for(value, shape);
  const uint64_t key = random_key(seed, value.id);
  constexpr float kWidth = 1.7320508f;  // uniform with a standard deviation of 1
  for (size_t i = 0; i < array.f.size(); ++i)
    array.f[i] = kWidth * (static_cast<float>(splitmix64(key + i) >> 40) * 0x1p-23f - 1.0f);
  for (size_t i = 0; i < array.i.size(); ++i)
    array.i[i] = static_cast<int64_t>(splitmix64(key + i) >> 1) % std::max<int64_t>(below, 1);
  return array;
}

HostArray constant_input(const Plan::Value& value, const std::vector<int64_t>& shape, double number) {
  HostArray array = room_for(value, shape);
  std::fill(array.f.begin(), array.f.end(), static_cast<float>(number));
  for (int64_t& n : array.i) n = static_cast<int64_t>(number);
  return array;
}

int64_t table_rows(const Plan& plan, uint32_t ids, const Binding& binding, int64_t otherwise,
                   std::string* table) {
  int64_t rows = -1;
  for (const Plan::Op& op : plan.ops) {
    if (!op.row || op.row->ids < 0) continue;
    const auto from = static_cast<size_t>(op.row->ids), to = static_cast<size_t>(op.row->table);
    if (op.in.size() <= std::max(from, to) || op.in[from] != ids || op.in[to] == kAbsent) continue;
    const Plan::Value& w = plan.values[op.in[to]];
    const auto n = w.shape.empty() ? std::nullopt : evaluate(w.shape[0], binding);
    if (!n || (rows >= 0 && *n >= rows)) continue;
    rows = *n;
    *table = w.id;
  }
  return rows < 0 ? otherwise : rows;
}

std::optional<std::string> ids_outside(const Plan& plan, uint32_t ids, const HostArray& array,
                                       const Binding& binding) {
  std::string table;
  const int64_t rows = table_rows(plan, ids, binding, -1, &table);
  for (size_t i = 0; rows >= 0 && i < array.i.size(); ++i) {
    if (array.i[i] >= 0 && array.i[i] < rows) continue;
    return plan.values[ids].id + ": id " + std::to_string(array.i[i]) + " at " +
           place_of(static_cast<int64_t>(i), array.shape) + " is outside of the " + std::to_string(rows) +
           " rows of " + table;
  }
  return std::nullopt;
}

std::vector<uint32_t> inputs_of(const Plan& plan, const Plan::Phase& phase) {
  std::vector<uint8_t> read(plan.buffers.size(), 0);
  for (uint32_t i = phase.ops_begin; i < phase.ops_end; ++i) {
    for (const uint32_t value : plan.ops[i].in) {
      if (value != kAbsent) read[plan.values[value].buffer] = 1;
    }
  }
  for (const Plan::Output& output : plan.outputs) {
    if (output.phase.empty() || output.phase == phase.name) read[plan.values[output.value].buffer] = 1;
  }
  std::vector<uint32_t> inputs;
  for (uint32_t i = 0; i < plan.values.size(); ++i) {
    if (plan.values[i].kind == Plan::Kind::Input && read[plan.values[i].buffer]) inputs.push_back(i);
  }
  return inputs;
}

std::string place_of(int64_t element, const std::vector<int64_t>& shape) {
  std::vector<int64_t> at(shape.size());
  for (size_t i = shape.size(); i-- > 0; element /= shape[i]) at[i] = element % shape[i];
  return text(at);
}

}  // namespace irplan
