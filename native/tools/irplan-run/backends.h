// The backends by the names that --backend takes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "irplan/result.h"
#include "runtime/backend.h"

namespace irplan::run {

struct ChosenBackend {
  std::unique_ptr<Backend> backend;
  std::string not_cuda;  // why "auto" is the CPU
};

// "reference", "cpu", "cuda", "cuda:N" or "auto", which is CUDA where it can be had, else the CPU. Fails with
// the reason why it cannot be had here, and what to do.
Result<ChosenBackend> make_backend(std::string_view name);

}  // namespace irplan::run
