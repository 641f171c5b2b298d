// The configs of examples/configs, as they were when the command was built.
#pragma once

#include <vector>

namespace irplan::cli {

struct ExampleConfig {
  const char* name;  // "llama-3-8b"
  const char* text;
};
const std::vector<ExampleConfig>& example_configs();

}  // namespace irplan::cli
