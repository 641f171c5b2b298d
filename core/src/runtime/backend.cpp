#include "runtime/backend.h"

namespace irplan {

Failure Backend::load(const Plan& plan) const {
  for (const Plan::Op& op : plan.ops) {
    if (!op.row) return "ops " + op.id + ": is of no operator";
    const int version = kernel_version(op.kernel, plan.target, *op.row);
    if (version == 0)
      return "ops " + op.id + ": kernel `" + op.kernel.substr(0, 80) + "` is not a kernel of " + op.row->name;
    if (target().empty()) continue;
    const KernelRow* kernel = kernel_of(plan, op, target());
    if (kernel && has(*kernel)) continue;
    const auto known = kernels_of(target(), *op.row);
    if (plan.target != target() || known.empty())
      return "ops " + op.id + ": " + name() + " has no kernel for " + op.row->name;
    const int newest = known.back().version;
    return "ops " + op.id + ": kernel `" + op.kernel + "` is " +
           (version > newest ? "newer than this build's, whose newest is v"
                             : "not in this build, whose newest is v") +
           std::to_string(newest) + "; run a newer irplan-run, or compile the program with this version";
  }
  return std::nullopt;
}

Failure RecordProgram::prepare(OpRange ops, std::string_view target, const BufferPlaces& layout,
                               const RunSegments& segments, const StepBinding& sizes) {
  if (auto failure = prepare_schedule(plan_, ops.begin, ops.end, target, layout, sizes, schedule_))
    return failure;
  Addresses own;
  for (int i = 0; i < kMemorySegments; ++i) own.segments[i] = segments.base[i];
  if (auto failure = allocate(schedule_, own)) return failure;
  control_.assign(static_cast<size_t>(schedule_.control_count), 0);
  row_.reserve(sizes.dims.size());
  calls_.reserve(schedule_.records.size());
  for (const Record& record : schedule_.records) {
    calls_.push_back(record.call);
    resolve(calls_.back(), own);
  }
  return std::nullopt;
}

Failure RecordProgram::submit(const StepBinding& step, OpRange only) {
  if (auto failure = write_control(plan_, schedule_, step, row_, control_.data())) return failure;
  if (auto failure = begin(control_.data(), control_.size())) return failure;
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (!only.contains(schedule_.records[i].op)) continue;
    if (auto failure = launch(i, calls_[i]))
      return "ops " + plan_.ops[schedule_.records[i].op].id + ": " + *failure;
  }
  return std::nullopt;
}

Failure RecordProgram::submit_rows(const StepBinding& step, uint32_t op, int64_t first, int64_t rows) {
  if (auto failure = write_control(plan_, schedule_, step, row_, control_.data())) return failure;
  if (auto failure = begin(control_.data(), control_.size())) return failure;
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (schedule_.records[i].op != op) continue;
    Call part = calls_[i];
    auto* pack = std::get_if<PackCall>(&part);
    if (!pack || first < 0 || first % plan_.ops[op].row->rows_apart != 0 || rows > pack->x.shape[0] ||
        first > pack->y.shape[0] - rows)
      return "ops " + plan_.ops[op].id + ": its rows cannot be made by themselves";
    pack->y.data += stored_bytes(pack->y.dtype, first * pack->y.shape[1]);
    pack->x.shape[0] = pack->y.shape[0] = rows;
    if (auto failure = launch(i, part)) return "ops " + plan_.ops[op].id + ": " + *failure;
  }
  return std::nullopt;
}

Failure RecordProgram::wait() {
  DataFault fault;
  if (auto failure = finish(fault)) return failure;
  if (fault.op == 0) return std::nullopt;
  const auto names = schedule_.names.find(fault.op - 1);
  return text(fault, names == schedule_.names.end() ? FaultNames{} : names->second);
}

}  // namespace irplan
