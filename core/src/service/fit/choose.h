// The program that a config's numbers are read off: the example that serves it, and what is taken for granted
// where the checkpoint is stored as no example loads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "irplan/dtype.h"
#include "irplan/fit.h"
#include "irplan/result.h"

namespace irplan::fitting {

struct Chosen {
  std::string example;
  Compilation compiled;
  std::optional<int64_t> published;  // context that the config names
  std::vector<std::string> assumptions;
  std::optional<DType> counted;  // what all matrices are counted as, whatever the plan stores them in
  int64_t most_sequences = 0;    // that the example admits as it stands; 0: it does not say
};

// Fails where no example serves the config, and says what the nearest one lacks. The program holds
// caches of up to what is asked or published, whichever is more; with `longest`, of that length alone.
Result<Chosen> choose(const FitOptions& options, std::optional<int64_t> longest = std::nullopt);

// The same example with a checkpoint in mxfp4, where it reads such ones and the config is of another.
std::optional<Chosen> choose_mxfp4(const FitOptions& options, const Chosen& chosen);

}  // namespace irplan::fitting
