// irplan-run's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace irplan::run {

// What a process answers with.
enum Exit : int {
  kDone = 0,
  kFailed = 1,   // the input is wrong, or the run failed
  kUsage = 2,    // the command line is wrong
  kDiffers = 3,  // an --expect did not hold
};

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
  std::string backend = "auto";
  bool strict = false;
  std::vector<NamedText> inputs;   // SPEC
  std::vector<NamedText> outputs;  // a path
  std::vector<NamedText> expects;  // a path, or F.safetensors:key
  double tolerance = 1e-3;
  std::string tokens;  // "1,2,3" or "@ids.npy"
  std::vector<int64_t> chunks;
  std::optional<int64_t> generate;
  std::optional<int64_t> eos;
  std::string requests, trace;
  bool profile = false;
  bool verbose = false;
  bool help = false;
  bool version = false;
};

// False after a message on stderr.
bool parse(const std::vector<std::string>& words, Options* options);
std::string help();

// "error: …" on stderr; returns the code, so that a caller can end with it.
int fail(Exit code, const std::string& message);

// A whole number of 64 bits; none for anything else.
std::optional<int64_t> whole_number(const std::string& text);
// "1,2,3"
std::optional<std::vector<int64_t>> whole_numbers(const std::string& text);

}  // namespace irplan::run
