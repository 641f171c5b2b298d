// The edge of a command: what is thrown ends here, as a message and an exit code.
#pragma once

#include <functional>

namespace irplan::command {

// Runs the command's body, with signals watched, and returns its exit code. Memory that is missing is an
// error with its size; whatever else is thrown is a fault of the program's own, which its user is asked to
// report: both are exit 1. `program` is what it calls itself, with its version.
int guarded(const char* program, const std::function<int()>& body);

}  // namespace irplan::command
