// irplan-run's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command_line/arguments.h"
#include "runtime/sampler.h"
#include "tools/irplan-run/measure.h"

namespace irplan::run {

using command::Exit, command::fail;
using enum command::Exit;

struct NamedText {
  std::string name;
  std::string text;
};
struct NamedSizes {
  std::string name;
  std::vector<int64_t> sizes;  // one, or one for each row of a ragged dim
};

struct Options {
  std::string file;
  std::string config;
  std::string weights;
  std::string phase;
  std::vector<NamedSizes> dims;
  std::vector<NamedText> lets, retypes;
  std::vector<std::string> budgets;
  std::vector<std::string> allow, deny;  // codes of warnings
  bool deny_warnings = false;
  std::string backend = "auto";
  std::optional<int64_t> threads;
  bool strict = false;
  std::string states;              // "zeros", "unset"; empty: not said, unset
  std::vector<NamedText> inputs;   // SPEC
  std::vector<NamedText> outputs;  // a path
  std::vector<NamedText> expects;  // a path, or F.safetensors:key
  double tolerance = 1e-3;
  std::string tokens;  // "1,2,3" or "@ids.npy"
  std::vector<int64_t> chunks;
  std::optional<int64_t> slots;
  std::optional<int64_t> generate;
  std::vector<int64_t> eos;  // each ends a sequence
  SamplingWords sampling;
  bool stream = false;
  std::string requests, trace;
  bool profile = false;
  std::string profile_file, trace_file;  // of it
  bool bench = false, perf = false;
  MeasureLimits limits;  // of --bench
  bool limits_given = false;
  std::string times_file;

  bool profiles() const { return profile || !profile_file.empty() || !trace_file.empty(); }
  bool schedule = false;
  bool verbose = false;
};

// irplan-run's own table.
const command::Program& program();

// What the command line means for a run; none after a message on stderr.
std::optional<Options> read_options(const command::Arguments& arguments);

// "x.npy", or "f.safetensors:key" in two.
struct TensorPath {
  std::string path;
  std::optional<std::string> key;
};
TensorPath tensor_file(const std::string& text);

// A whole number of 64 bits; none for anything else.
std::optional<int64_t> whole_number(const std::string& text);
// "1,2,3"
std::optional<std::vector<int64_t>> whole_numbers(const std::string& text);

}  // namespace irplan::run
