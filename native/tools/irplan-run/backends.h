// The backends by the names that --backend takes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/backend.h"

namespace irplan::run {

// "reference", "cpu", "cuda", "cuda:N" or "auto"; none with the reason why it cannot be had here and what to
// do.
std::unique_ptr<Backend> make_backend(std::string_view name, std::string* why);

}  // namespace irplan::run
