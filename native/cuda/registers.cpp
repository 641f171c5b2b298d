#include "cuda/registers.h"

#include <algorithm>
#include <string_view>

#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace irplan::cuda {
namespace {

struct Taken {
  const char *function, *device;
  int registers, spilled;  // registers a thread, bytes
};
constexpr Taken kTaken[] = {
#include <cuda/registers.inc>  // which the build writes
};

}  // namespace

std::string registers_of(const KernelRow& row) {
  std::string out;
  std::string_view functions = functions_of(row);
  while (!functions.empty()) {
    const size_t end = std::min(functions.find(' '), functions.size());
    const std::string_view function = functions.substr(0, end);
    functions.remove_prefix(std::min(end + 1, functions.size()));
    int registers = 0, spilled = 0;
    for (const Taken& taken : kTaken) {
      if (function != taken.function) continue;
      registers = std::max(registers, taken.registers);
      spilled = std::max(spilled, taken.spilled);
    }
    if (registers == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(function) + " " + std::to_string(registers);
    if (spilled > 0) out += " and " + std::to_string(spilled) + " bytes spilled";
  }
  return out.empty() ? out : out + " registers";
}

}  // namespace irplan::cuda

std::string irplan::cuda_registers(const KernelRow& row) { return cuda::registers_of(row); }
