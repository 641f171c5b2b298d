// The program that a config's numbers are read off: the example that serves it, and what is taken for granted
// where the checkpoint is stored as no example loads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "irplan/fit.h"

namespace irplan::fitting {

struct Chosen {
  std::string example;
  Compilation compiled;
  std::optional<int64_t> published;  // context that the config names
  std::vector<std::string> assumptions;
};

// None where no example serves the config; `why` then says what the nearest one lacks. `longest` is the most
// context that is asked about, at least the published one.
std::optional<Chosen> choose(const FitOptions& options, std::string* why);

}  // namespace irplan::fitting
