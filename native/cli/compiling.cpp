#include "cli/compiling.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cli/files.h"
#include "cli/search_progress.h"
#include "ir/config.h"
#include "irplan/diagnostic.h"
#include "syntax/parser.h"

namespace irplan::cli {
namespace {

// More than the parser takes, so that its message has the true size of all but absurd files; read in a few
// milliseconds.
constexpr size_t kMaxRead = syntax::kMaxSourceBytes * 16;

std::string base_name(const std::string& path) { return SourceText(path, "").name(); }

// "NAME=VALUE" in two; the name is not empty.
bool split(const std::string& option, const std::string& word, std::string* name, std::string* value) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail(kUsage, option + " takes NAME=VALUE, not `" + word + "`");
    return false;
  }
  *name = word.substr(0, equals);
  *value = word.substr(equals + 1);
  return true;
}

// Whether no other of the words gives the name already.
template <class Values>
bool fresh(const std::string& option, const std::string& name, const Values& given) {
  const auto same = [&](const auto& other) { return other.first == name; };
  if (std::none_of(given.begin(), given.end(), same)) return true;
  fail(kUsage, option + " " + name + " is given twice");
  return false;
}

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
    if (!split("--let", word, &name, &value) || !fresh("--let", name, options.lets)) return false;
    options.lets.emplace_back(name, value);
  }
  for (const std::string& word : arguments.all("--retype")) {
    if (!split("--retype", word, &name, &value)) return false;
    options.retypes.emplace_back(name, value);
  }
  for (const std::string& word : arguments.all("--dim")) {
    int64_t n = 0;
    if (!split("--dim", word, &name, &value) || !fresh("--dim", name, options.dims)) return false;
    if (!whole_number(value, &n)) {
      fail(kUsage, "--dim " + word + ": `" + value + "` is no whole number of 64 bits");
      return false;
    }
    options.dims.emplace_back(name, n);
  }
  return true;
}

bool read_dumps(const Arguments& arguments, CompileOptions& options) {
  std::vector<std::string> names;
  for (const PassInfo& p : passes()) names.emplace_back(p.name);
  for (const std::string& pass : arguments.all("--dump-after")) {
    if (std::find(names.begin(), names.end(), pass) == names.end()) {
      const std::string near = nearest(pass, names);
      fail(kUsage, "no pass is called `" + pass + "`" +
                       (near.empty() ? "; `irplan passes` lists them" : "; did you mean `" + near + "`?"));
      return false;
    }
    options.dump_after.push_back(pass);
  }
  return true;
}

}  // namespace

std::optional<CompileOptions> compile_options(const Arguments& arguments, Exit* code) {
  CompileOptions options;
  *code = kUsage;
  if (!read_sizes(arguments, options) || !read_dumps(arguments, options)) return std::nullopt;
  options.target = arguments.value("--target", options.target);
  options.deny_warnings = arguments.has("--deny-warnings");
  options.keep_order = arguments.has("--keep-order");
  options.strength = arguments.value("--strength", options.strength);
  if (options.strength == "exact") {
    end_search_on_interrupt();
    options.progress = SearchProgress();
  }
  if (arguments.has("--config")) {
    const std::string path = arguments.value("--config");
    *code = kFailed;
    auto text = read_file(path, Config::kMaxBytes);
    if (!text) return std::nullopt;
    options.config = std::move(*text);
    options.config_name = base_name(path);
  }
  *code = kDone;
  return options;
}

std::optional<Compilation> compile_file(const std::string& path, const CompileOptions& options) {
  auto text = read_file(path, kMaxRead);
  if (!text) return std::nullopt;
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
