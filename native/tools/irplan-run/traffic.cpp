#include "tools/irplan-run/traffic.h"

#include <algorithm>

namespace irplan::run {
namespace {

double number(Expr e, const Binding& at) { return static_cast<double>(evaluate(e, at).value_or(0)); }

double window_bytes(const Plan::Value& value, const Binding& at) {
  double count = 1;
  for (const Expr extent : value.shape) count *= number(extent, at);
  return count / static_cast<double>(info(value.dtype).elements) *
         static_cast<double>(info(value.dtype).bytes);
}

// An op looks up rows of some operands (embed, expert): it reads no more than it moves in all.
Traffic at_one_size(const Plan& plan, const Plan::Op& op, const Binding& at) {
  Traffic out;
  out.bytes = number(op.bytes, at);
  out.flops = number(op.flops, at);
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] == kAbsent || (i == 0 && op.row->updates_state)) continue;  // a state that is written
    const Plan::Value& value = plan.values[op.in[i]];
    const Plan::Segment segment = plan.buffers[value.buffer].segment;
    const double bytes = std::min(out.bytes, window_bytes(value, at));
    if (segment == Plan::Segment::Weights) out.weights += bytes;
    if (segment == Plan::Segment::State) out.state += bytes;
  }
  return out;
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  weights += other.weights;
  state += other.state;
  bytes += other.bytes;
  flops += other.flops;
  return *this;
}

Traffic traffic_of(const Plan& plan, uint32_t op, const StepBinding& sizes) {
  size_t rows = 1;
  for (const auto& own : sizes.rows) rows = std::max(rows, own.size());
  Traffic sum;
  for (size_t b = 0; b < rows; ++b) {
    sum += at_one_size(plan, plan.ops[op], sizes.row(static_cast<int64_t>(b)));
    const bool alike = b == 0 && std::all_of(sizes.rows.begin(), sizes.rows.end(), [](const auto& own) {
                         return std::all_of(own.begin(), own.end(), [&](int64_t n) { return n == own[0]; });
                       });
    if (alike) return sum;
  }
  const double each = 1 / static_cast<double>(rows);
  return {sum.weights * each, sum.state * each, sum.bytes * each, sum.flops * each};
}

Traffic traffic_of(const Plan& plan, const Step& step) {
  Traffic sum;
  const Plan::Phase* phase = find_phase(plan, step.phase);
  for (uint32_t i = phase->ops_begin; i < phase->ops_end; ++i) sum += traffic_of(plan, i, step.sizes);
  return sum;
}

}  // namespace irplan::run
