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

Result<ChosenBackend> make_cuda(int device) {
  auto made = make_cuda_backend(device);
  if (!made) return made.error();
  return ChosenBackend{*std::move(made), ""};
}

Result<ChosenBackend> make_cuda(std::string_view device) {
  const std::string digits(device);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return Error{"--backend cuda:" + digits + ": a device is a number"};
  }
  return make_cuda(std::stoi(digits));
}

}  // namespace

Result<ChosenBackend> make_backend(std::string_view name) {
  lend_machine_threads();
  if (name == "reference") return ChosenBackend{make_reference_backend(machine_bytes()), ""};
  if (name == "cpu") return ChosenBackend{make_cpu_backend(machine_bytes()), ""};
  if (name == kCuda) return make_cuda(0);
  if (name.substr(0, 5) == "cuda:") return make_cuda(name.substr(5));
  if (name == "auto") {
    auto cuda = make_cuda(0);
    if (cuda) return cuda;
    return ChosenBackend{make_cpu_backend(machine_bytes()), cuda.message()};
  }
  return Error{"unknown backend `" + std::string(name) +
               "`; there are auto, cpu, cuda, cuda:N and reference" +
               command::did_you_mean(name, {"reference", "cpu", "cuda", "auto"})};
}

}  // namespace irplan::run
