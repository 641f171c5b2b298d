// What a build without CUDA says.
#include "cuda/cuda_backend.h"

namespace irplan {

bool cuda_built() { return false; }

std::string cuda_registers(const KernelRow&) { return ""; }

bool cuda_device_there() { return false; }

Result<std::unique_ptr<Backend>> make_cuda_backend(int) {
  return Error{
      "this build has no CUDA kernels: configure with -DIRPLAN_CUDA=ON where nvcc is installed, or run "
      "with --backend cpu"};
}

}  // namespace irplan
