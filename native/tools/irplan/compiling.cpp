#include "tools/irplan/compiling.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "command_line/files.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "tools/irplan/search_progress.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

std::string base_name(const std::string& path) { return SourceText(path, "").name(); }

bool whole_number(const std::string& text, int64_t* n) {
  if (text.empty() || text.find_first_not_of("0123456789_") != std::string::npos || text[0] == '_')
    return false;
  std::string digits = text;
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  errno = 0;
  *n = std::strtoll(digits.c_str(), nullptr, 10);
  return errno == 0;
}

bool read_sizes(const Arguments& arguments, CompileOptions& options) {
  std::string name, value;
  for (const std::string& word : arguments.all("--let")) {
    split(word, &name, &value);
    options.lets.emplace_back(name, value);
  }
  for (const std::string& word : arguments.all("--retype")) {
    split(word, &name, &value);
    options.retypes.emplace_back(name, value);
  }
  for (const std::string& word : arguments.all("--dim")) {
    int64_t n = 0;
    split(word, &name, &value);
    if (!whole_number(value, &n)) {
      fail(kUsage, "--dim " + word + ": `" + value + "` is not a whole number of 64 bits");
      return false;
    }
    options.dims.emplace_back(name, n);
  }
  return true;
}

}  // namespace

std::optional<CompileOptions> compile_options(const Arguments& arguments, Exit* code) {
  CompileOptions options;
  *code = kUsage;
  if (!read_sizes(arguments, options)) return std::nullopt;
  options.budgets = arguments.all("--budget");
  options.dump_after = arguments.all("--dump-after");
  options.target = arguments.value("--target", options.target);
  options.deny_warnings = arguments.has("--deny-warnings");
  options.allow = arguments.all("--allow");
  options.deny = arguments.all("--deny");
  options.keep_order = arguments.has("--keep-order");
  options.strength = arguments.value("--strength", options.strength);
  if (options.strength == "exact") {
    end_search_on_interrupt();
    options.progress = SearchProgress();
  }
  if (arguments.has("--config")) {
    const std::string path = config_file(arguments.value("--config"));
    *code = kFailed;
    auto text = read_file(path, kMaxConfigFile);
    if (!text) return std::nullopt;
    options.config = std::move(*text);
    options.config_name = base_name(path);
  }
  *code = kDone;
  return options;
}

std::optional<Compilation> compile_file(const std::string& path, const CompileOptions& options) {
  auto text = read_file(path, kMaxProgramFile);
  if (!text) return std::nullopt;
  if (is_plan(*text)) {
    fail(kFailed, path +
                      " is JSON and no program: a config goes with one, as --config (irplan new MODEL.irplan "
                      "--config " +
                      path + " writes one); irplan-run and irplan explain read plans");
    return std::nullopt;
  }
  return compile(SourceText(program_name(path), std::move(*text)), options);
}

void show_diagnostics(const Compilation& compilation, const Arguments& arguments) {
  const std::string text = arguments.json()
                               ? to_json(compilation.diagnostics.list(), compilation.source) + "\n"
                               : render(compilation.diagnostics, compilation.source,
                                        use_color(arguments.value("--color", "auto"), STDERR_FILENO));
  std::fputs(text.c_str(), stderr);
}

}  // namespace irplan::cli
