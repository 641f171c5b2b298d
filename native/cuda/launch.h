// From ops of a plan to kernels: which there are, and what one step of a plan has to launch.
//
// A step is prepared on the host alone: tensors at this step's sizes, and tables of what differs between
// sequences (their positions, lengths, rings), all in one array. The backend copies that array to the device
// and launches in order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/kernels/kernels.h"
#include "kernels/kernel.h"
#include "plan/plan.h"
#include "reference/executor.h"

namespace irplan::IRPLAN_GPU {

// Whether the library holds the kernel of a row of core/src/kernels.
bool has_kernel(const KernelRow& row);

// What a kernel may find wrong in data, said with the names of the plan.
struct FaultNames {
  std::string op, element, table;
  bool expert = false;
};
std::string text(const DataFault& fault, const FaultNames& names);

struct PreparedStep {
  // Enqueues one kernel; gives the device's error code. `tables` is the array below on the device.
  struct Launch {
    uint32_t op;
    std::function<int(Stream, const int32_t* tables, DataFault*)> run;
  };
  std::vector<int32_t> tables;  // floats as their bits
  std::vector<Launch> launches;
  std::map<int32_t, FaultNames> names;  // of ops that look at data
};

// None when prepared, else which op cannot be run and why.
std::optional<std::string> prepare_step(const Plan& plan, uint32_t begin, uint32_t end,
                                        const PlanMemory& memory, const StepBinding& step, PreparedStep& out);

}  // namespace irplan::IRPLAN_GPU
