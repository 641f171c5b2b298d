// A CUDA device as a backend.
#pragma once

#include <memory>
#include <string>

#include "runtime/backend.h"

namespace irplan {

// None with the reason and what to do: no device, no driver, or a build without CUDA.
std::unique_ptr<Backend> make_cuda_backend(int device, std::string* why);

}  // namespace irplan
