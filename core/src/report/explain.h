// A plan, told to a person or a program: where the bytes and the time go, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace irplan::report {

// What a plan does not hold: it is known where the program was compiled just now.
struct FromProgram {
  bool is_there = true;  // not where a plan was given
  std::vector<std::string> unread_config_keys;
  std::vector<Plan::Lighter> lighter;
  std::optional<int64_t> as_written;  // bytes of the arena where ops run as they are written
};

struct TextStyle {
  size_t width = 100;  // columns
  bool color = false;
};

// "as written 48.2 MiB, as run 16.5 MiB; without reuse 96.0 MiB": what the order of
// ops and shared bytes are worth, at the plan's sizes. As written only where the program is there.
std::string gain_text(const Plan& plan, const FromProgram& program);

// `only`: one phase, or all where it is empty.
std::string explain_text(const Report& report, const FromProgram& program, const std::string& only,
                         TextStyle style);
std::string explain_json(const Report& report, const FromProgram& program, const std::string& only);

}  // namespace irplan::report
