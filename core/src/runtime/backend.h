// What executes ops: the reference, the CPU kernels, CUDA. A backend is a device, its memory, and programs on
// it; one interface, so that a runner neither knows nor cares which.
//
//     load(plan)               once: every kernel that the plan names is there, or it is refused by name
//     prepare(phase, sizes)    once for each phase and static sizes: a Program, with every operand resolved
//     program.submit(step)     each step: writes the control numbers, and enqueues
//     program.wait()           until what was submitted is done; what went wrong since the last call
//
// After the first step of a program nothing is allocated, made again or looked up, on the host or the device,
// where its schedule is capturable (schedule.h): tests count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/result.h"
#include "kernels/kernel.h"
#include "plan/plan.h"
#include "reference/executor.h"
#include "runtime/schedule.h"

namespace irplan {

// Memory of the device in which a run's buffers lie. Addresses do not change while programs live.
struct RunSegments {
  std::byte* base[kMemorySegments] = {};  // Constants are the program's own
};

// Ops [begin, end) of a plan.
struct OpRange {
  uint32_t begin = 0, end = UINT32_MAX;
  bool contains(uint32_t op) const { return op >= begin && op < end; }
};

// Ops of one phase, ready to run at one set of static sizes.
class Program {
 public:
  virtual ~Program() = default;
  // Its records; null where the backend has none (the reference runs the plan as it stands).
  virtual const Schedule* schedule() const = 0;
  // Whether steps at these sizes can run by it.
  virtual bool serves(const StepBinding& step) const = 0;
  // Enqueues the ops of the range, at the positions of the step; `wait` reports what goes wrong.
  virtual Failure submit(const StepBinding& step, OpRange only = {}) = 0;
  // The same of one op that treats rows by themselves (OpRow::rows_apart), for the rows [first, first + rows)
  // of its result alone: its operand's place has those rows from its beginning. Only where there is a
  // schedule.
  virtual Failure submit_rows(const StepBinding& step, uint32_t op, int64_t first, int64_t rows) = 0;
  virtual Failure wait() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // ---- device
  virtual const char* name() const = 0;    // "reference", "cpu", "cuda"
  virtual std::string device() const = 0;  // "NVIDIA H200 (sm_90), 139 GiB", "2 threads, AVX2"
  // Whose kernels it has, as plans name targets: "cpu", "cuda". Empty: it runs operators by their rows,
  // whatever kernel a plan names.
  virtual std::string_view target() const = 0;
  // The names of all kernels that it holds: those of its target's rows, and no others.
  virtual std::vector<std::string> kernels() const = 0;
  virtual bool has(const KernelRow& kernel) const = 0;

  // ---- memory. Every pointer that `allocate` gave is freed with `release`.
  virtual Failure allocate(size_t bytes, size_t alignment, std::byte** out) = 0;
  // What can still be allocated; none where the device does not say.
  virtual std::optional<size_t> free_bytes() const = 0;
  virtual void release(std::byte* pointer) = 0;
  virtual Failure upload(std::byte* device, const std::byte* host, size_t bytes) = 0;
  virtual Failure download(std::byte* host, const std::byte* device, size_t bytes) = 0;
  virtual Failure fill(std::byte* device, uint8_t value, size_t bytes) = 0;

  // ---- programs
  // Whether the plan can run here: every operator and, of this backend's own kernels, every version.
  Failure load(const Plan& plan) const;
  // The plan, and the memory behind `segments`, outlive the program.
  virtual Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                                   const RunSegments& segments, const StepBinding& sizes) = 0;
};

// What programs of records share. A backend says how control numbers get to its device, and how a call is
// launched there.
class RecordProgram : public Program {
 public:
  const Schedule* schedule() const override { return &schedule_; }
  bool serves(const StepBinding& step) const override { return schedule_.serves(step); }
  Failure submit(const StepBinding& step, OpRange only) override;
  Failure submit_rows(const StepBinding& step, uint32_t op, int64_t first, int64_t rows) override;
  Failure wait() override;

 protected:
  explicit RecordProgram(const Plan& plan) : plan_(plan) {}
  // Makes the records, then asks the backend for its memory, and puts addresses for places.
  Failure prepare(OpRange ops, std::string_view target, const BufferPlaces& layout,
                  const RunSegments& segments, const StepBinding& sizes);

  // Memory of the device for constants and control numbers.
  virtual Failure allocate(const Schedule& schedule, Addresses& own) = 0;
  virtual Failure begin(const int32_t* control, size_t count) = 0;  // once a step, before its launches
  virtual Failure launch(size_t record, const Call& call) = 0;
  virtual Failure finish(DataFault& fault) = 0;  // waits; the fault is that of the device, which is cleared

  const Plan& plan_;
  Schedule schedule_;

 private:
  std::vector<Call> calls_;  // by record, resolved
  std::vector<int32_t> control_;
  Binding row_;
};

}  // namespace irplan
