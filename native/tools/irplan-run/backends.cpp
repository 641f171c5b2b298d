#include "tools/irplan-run/backends.h"

#include "command_line/arguments.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "runtime/machine.h"
#include "runtime/reference_backend.h"
#include "runtime/threads.h"

namespace irplan::run {
namespace {

constexpr std::string_view kCuda = "cuda";

std::unique_ptr<Backend> make_cuda(std::string_view device, std::string* why) {
  const std::string digits(device);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    *why = "--backend cuda:" + digits + ": a device is a number";
    return nullptr;
  }
  return make_cuda_backend(std::stoi(digits), why);
}

}  // namespace

std::unique_ptr<Backend> make_backend(std::string_view name, std::string* why) {
  lend_machine_threads();
  if (name == "reference") return make_reference_backend(machine_bytes());
  if (name == "cpu") return make_cpu_backend(machine_bytes());
  if (name == kCuda) return make_cuda_backend(0, why);
  if (name.substr(0, 5) == "cuda:") return make_cuda(name.substr(5), why);
  if (name == "auto") {
    auto cuda = make_cuda_backend(0, why);
    return cuda ? std::move(cuda) : make_cpu_backend(machine_bytes());  // `why` stays: why not CUDA
  }
  *why = "unknown backend `" + std::string(name) + "`; there are auto, cpu, cuda, cuda:N and reference" +
         command::did_you_mean(name, {"reference", "cpu", "cuda", "auto"});
  return nullptr;
}

}  // namespace irplan::run
