// The backends by name, and each one's own maker.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/backend.h"

namespace irplan {

// A backend by name ("reference", "cpu", "cuda", "cuda:N", "auto"), or none with the reason why it cannot be
// had here and what to do.
std::unique_ptr<Backend> make_backend(std::string_view name, std::string* why);

std::unique_ptr<Backend> make_reference_backend();
std::unique_ptr<Backend> make_cpu_backend();
// A build without CUDA links one that says so.
std::unique_ptr<Backend> make_cuda_backend(int device, std::string* why);

}  // namespace irplan
