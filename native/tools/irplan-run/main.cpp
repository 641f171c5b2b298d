// irplan-run: runs plans and programs.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "runtime/files.h"
#include "tools/irplan-run/options.h"
#include "tools/irplan-run/program.h"
#include "tools/irplan-run/runner.h"

namespace irplan::run {
namespace {

// Nothing half-written stays: 130 after an interrupt, 143 after a request to end, 129 where the terminal is
// gone.
void interrupted(int signal) {
  remove_unfinished_files();
  ::_exit(128 + signal);
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = interrupted;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  watch_mapped_files();
}

// What the program says of itself, where that is asked.
std::optional<std::string> answer(const command::Arguments& arguments) {
  if (arguments.help()) return help(program(), arguments.command());
  if (arguments.has("--version")) return std::string("irplan-run ") + kVersion + "\n";
  if (arguments.has("--man")) return manual(program());
  if (arguments.has("--completion")) return completion(program(), arguments.value("--completion"));
  return std::nullopt;
}

Exit run(const std::vector<std::string>& words) {
  const command::Command& only = program().commands[0];
  command::Arguments arguments;
  if (!arguments.parse(program(), only, words)) return kUsage;
  if (const auto text = answer(arguments)) return std::fputs(text->c_str(), stdout), kDone;
  if (const auto conflict = arguments.file_conflict()) return fail(kUsage, *conflict), kUsage;
  const auto read = read_options(arguments);
  if (!read) return kUsage;
  const Options& options = *read;
  watch_signals();
  std::string why;
  const auto backend = make_backend(options.backend, &why);
  if (!backend) return fail(kFailed, why), kFailed;
  Exit code = kFailed;
  const auto plan = load_program(options, *backend, &code);
  if (!plan) return code;
  if (!options.requests.empty()) return run_requests(*plan, *backend, options);
  return options.tokens.empty() ? run_once(*plan, *backend, options) : run_tokens(*plan, *backend, options);
}

}  // namespace
}  // namespace irplan::run

int main(int argc, char** argv) {
  const int code = irplan::run::run({argv + 1, argv + argc});
  if (std::fflush(stdout) != 0)
    return irplan::run::fail(irplan::run::kFailed, "cannot write standard output");
  return code;
}
