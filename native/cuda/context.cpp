#include "cuda/context.h"

#include <algorithm>

namespace irplan::IRPLAN_GPU {

StepContext::StepContext(const Plan& p, const PlanMemory& m, const StepBinding& step, PreparedStep& o)
    : plan(p), memory(m), sizes(p, step), out(o), writer(p.values.size(), kAbsent) {
  for (uint32_t i = 0; i < plan.ops.size(); ++i) {
    for (const uint32_t value : plan.ops[i].out) {
      if (value < writer.size() && writer[value] == kAbsent) writer[value] = i;
    }
  }
}

size_t StepContext::table(std::vector<int32_t> numbers) {
  const auto known = tables_.find(numbers);
  if (known != tables_.end()) return known->second;
  const size_t at = out.tables.size();
  out.tables.insert(out.tables.end(), numbers.begin(), numbers.end());
  tables_.emplace(std::move(numbers), at);
  return at;
}

bool OpContext::value(uint32_t index_of_value, Tensor& to) {
  const Plan::Value& v = step.plan.values[index_of_value];
  if (v.shape.size() > static_cast<size_t>(kMaxAxes)) {
    return fail(v.id + " has " + std::to_string(v.shape.size()) + " axes; the CUDA kernels take " +
                std::to_string(kMaxAxes));
  }
  to = {};
  to.dtype = v.dtype;
  to.rank = static_cast<int32_t>(v.shape.size());
  int64_t count = 1;
  for (int i = to.rank - 1; i >= 0; --i) {
    const auto axis = static_cast<size_t>(i);
    to.shape[i] = extent(v.shape[axis]);
    to.stride[i] = v.strides ? extent((*v.strides)[axis]) : count;
    if (to.shape[i] < 0 || __builtin_mul_overflow(count, to.shape[i], &count))
      return fail(v.id + " has no size at this step: " + v.shape[axis].text() + " is " +
                  std::to_string(to.shape[i]));
  }
  std::byte* buffer = v.buffer < step.memory.buffers.size() ? step.memory.buffers[v.buffer] : nullptr;
  if (!buffer && count > 0) return fail(v.id + " has no memory");
  to.data = buffer + (v.offset ? extent(*v.offset) : 0);
  return true;
}

bool OpContext::in(size_t operand, Tensor& to, bool ring_allowed) {
  to = {};
  if (!has(operand)) return true;
  RingRows rows;
  if (!ring_allowed && (!ring(operand, rows) || rows.rows > 0)) {
    return fail("reads a ring, " + step.plan.values[op.in[operand]].id + ", which only attention can");
  }
  return value(op.in[operand], to);
}

// The append that made the value, or that it is a window on, tells which positions the rows hold.
bool OpContext::ring(size_t operand, RingRows& to) {
  to = {};
  const Plan& plan = step.plan;
  uint32_t at = op.in[operand];
  const Plan::Value& value = plan.values[at];
  const bool in_state =
      value.buffer < plan.buffers.size() && plan.buffers[value.buffer].segment == Plan::Segment::State;
  if (!in_state || value.kind == Plan::Kind::State) return true;
  for (size_t steps = 0; steps <= plan.values.size() && !plan.values[at].of.empty(); ++steps)
    at = plan.values[at].of[0];
  if (step.writer[at] == kAbsent) return true;
  const Plan::Op& append = plan.ops[step.writer[at]];
  if (std::string_view(append.row->name) != "append" || append.in.size() < 2) return true;
  const Plan::Value& state = plan.values[append.in[0]];
  if (state.layout != Plan::Layout::Ring || state.shape.size() < 2 || value.shape.size() < 2) return true;
  to.rows = extent(state.shape[1]);
  const Expr fresh = plan.values[append.in[1]].shape[1], kept = plan.values[at].shape[1];
  for (int64_t b = 0; b < extent(value.shape[0]); ++b) {
    const int64_t end = extent(append.attrs["at"].expr(), b) + extent(fresh, b);
    to.first.push_back(static_cast<int32_t>(end - extent(kept, b)));
  }
  return true;
}

bool OpContext::scratch(float*& to) {
  if (op.scratch.empty()) return fail("lists no scratch, which its kernel needs");
  to = reinterpret_cast<float*>(step.memory.buffers[op.scratch[0]]);
  return to || fail("has no memory for its scratch");
}

int64_t OpContext::own_extent(size_t operand, size_t axis, int64_t b) const {
  const Expr e = step.plan.values[op.in[operand]].shape[axis];
  return std::clamp<int64_t>(extent(e, b), 0, extent(e));
}

bool OpContext::per_sequence(Expr e, int64_t count, size_t& table) {
  std::vector<int32_t> numbers;
  for (int64_t b = 0; b < count; ++b) {
    const int64_t n = extent(e, b);
    if (n < 0 || n > INT32_MAX)
      return fail(e.text() + " is " + std::to_string(n) + " in sequence " + std::to_string(b));
    numbers.push_back(static_cast<int32_t>(n));
  }
  table = step.table(std::move(numbers));
  return true;
}

Tensor broadcast(const Tensor& t, const Tensor& shape, int keep) {
  Tensor out = t;
  out.rank = shape.rank;
  for (int from_end = 1; from_end <= shape.rank; ++from_end) {
    const int to = shape.rank - from_end, from = t.rank - from_end;
    const bool own = from >= 0 && (from_end <= keep || t.shape[from] == shape.shape[to]);
    out.shape[to] = from_end <= keep && from >= 0 ? t.shape[from] : shape.shape[to];
    out.stride[to] = own ? t.stride[from] : 0;
  }
  return out;
}

}  // namespace irplan::IRPLAN_GPU
