// `irplan new`: the example program that fits a config.json.
#pragma once

#include <string>
#include <vector>

#include "irplan/result.h"

namespace irplan {

// A program of examples/models, as it was when the compiler was built.
struct Example {
  const char* name;  // "llama"
  const char* text;
};
const std::vector<Example>& examples();

// What `irplan new --template` writes, of examples/templates.
const std::vector<Example>& templates();

struct NewProgram {
  std::string example;  // the example that it was made from
  std::string text;
  bool fits = false;  // the example says that it serves this config; else it is the nearest
  std::vector<std::string>
      unread_keys;  // keys of the config that the program does not read: what it may not understand
  std::vector<std::string> errors;  // of the nearest example: why it does not serve the config as it stands
  size_t keys = 0;                  // of the config that say what is computed; all but unread_keys are read
};

// Fails where the text is no config, or none of a model: no example reads any of its keys.
Result<NewProgram> new_program(const std::string& config_text);

}  // namespace irplan
