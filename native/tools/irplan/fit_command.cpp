// irplan fit.
#include <cstdio>

#include "command_line/files.h"
#include "command_line/heap.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "irplan/fit.h"
#include "irplan/gpus.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/example_configs.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

constexpr size_t kUsualHeap = size_t{12} << 20;  // that a model of 80 layers takes
constexpr int64_t kLeastMemory = 4096;           // bytes: `--memory 24` has lost its unit

std::string known_gpus() {
  std::string out;
  for (const Gpu& gpu : gpus()) out += (out.empty() ? "" : ", ") + std::string(gpu.name);
  return out;
}

bool read_size(const Arguments& arguments, const char* option, const char* what,
               std::optional<int64_t>* out) {
  if (!arguments.has(option)) return true;
  *out = read_tokens(arguments.value(option));
  if (*out && **out > 0) return true;
  fail(kUsage,
       std::string(option) + " takes " + what + ", at least 1, not `" + arguments.value(option) + "`");
  return false;
}

// "24GiB" for "24G", "24gb" and their like; empty for what is none of these.
std::string with_unit(const std::string& text) {
  const size_t end = text.find_first_not_of("0123456789.");
  if (end == 0 || text.empty()) return "";
  const char unit = end == std::string::npos ? 'G' : text[end];
  const size_t at = std::string("kKmMgGtT").find(unit);
  if (at == std::string::npos) return "";
  const std::string out = text.substr(0, end) + "KKMMGGTT"[at] + "iB";
  return read_bytes(out).value_or(0) >= kLeastMemory ? out : "";
}

// --memory, or what a GPU leaves.
bool read_memory(const Arguments& arguments, FitOptions& options, std::string* assumed) {
  if (arguments.has("--memory") && arguments.has("--gpu")) {
    fail(kUsage, "--memory and --gpu both say how much there is: give one of them");
    return false;
  }
  if (arguments.has("--memory")) {
    const std::string text = arguments.value("--memory");
    options.memory = read_bytes(text);
    if (options.memory && *options.memory >= kLeastMemory) return true;
    const std::string near = with_unit(text);
    fail(kUsage, "--memory takes bytes with a unit, 24GiB or 23.58GiB, not `" + text + "`" +
                     (near.empty() ? "" : "; did you mean `" + near + "`?"));
    return false;
  }
  if (!arguments.has("--gpu")) return true;
  std::string nearby;
  const std::string name = arguments.value("--gpu");
  const Gpu* gpu = find_gpu(name, &nearby);
  if (!gpu) {
    fail(kUsage, "--gpu " + name + " is not known" +
                     (nearby.empty() ? "; there are " + known_gpus() : "; did you mean `" + nearby + "`?") +
                     "\n--memory takes the bytes of any other");
    return false;
  }
  options.memory = left_bytes(*gpu);
  *assumed = left_text(*gpu) + "; --memory takes what it really has left";
  return true;
}

// A file, a folder with a config.json, or the name of an example; false after a message.
bool read_config(const std::string& what, FitOptions& options) {
  const std::string path = config_file(what);
  if (what != "-" && !exists(what)) {
    std::vector<std::string> names;
    for (const ExampleConfig& example : example_configs()) {
      if (what == example.name)
        return options.config = example.text, options.config_name = what + ".json", true;
      names.emplace_back(example.name);
    }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string near = did_you_mean(what, names);
    fail(kFailed, what + ": there is no such file, folder or example" +
                      (near.empty() ? "; examples are " + all : near));
    return false;
  }
  auto text = read_file(path, kMaxConfigFile);
  if (!text) return false;
  options.config = std::move(*text);
  options.config_name = SourceText(path == "-" ? "config.json" : path, "").name();
  return true;
}

}  // namespace

int run_fit(const Arguments& arguments) {
  FitOptions options;
  std::optional<int64_t> step;
  std::string assumed, name, value;
  constexpr const char* kTokens = "a number of tokens, 8192 or 32K";
  if (!read_size(arguments, "--context", kTokens, &options.context) ||
      !read_size(arguments, "--batch", "a number of sequences", &options.batch) ||
      !read_size(arguments, "--step", kTokens, &step) || !read_memory(arguments, options, &assumed))
    return kUsage;
  options.step = step.value_or(options.step);
  for (const std::string& word : arguments.all("--let"))
    split(word, &name, &value), options.lets.emplace_back(name, value);
  for (const std::string& word : arguments.all("--retype"))
    split(word, &name, &value), options.retypes.emplace_back(name, value);
  options.budgets = arguments.all("--budget");
  options.target = arguments.value("--target", options.target);
  if (!read_config(arguments.positional()[0], options)) return kFailed;
  command::take_heap(kUsualHeap);
  auto found = fit(options);
  if (!found) return fail(kFailed, arguments.positional()[0] + ": " + found.message());
  if (!assumed.empty()) found->assumptions.push_back(assumed);
  if (!print(arguments.json() ? fit_json(*found) : fit_text(*found))) return kFailed;
  return found->broken ? kDiffers : kDone;
}

}  // namespace irplan::cli
