// irplan-run: runs plans and programs.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "run/options.h"
#include "run/program.h"
#include "run/runner.h"
#include "runtime/files.h"

namespace irplan::run {
namespace {

// Nothing half-written stays: 130 after an interrupt, 143 after a request to end.
void interrupted(int signal) {
  remove_unfinished_files();
  ::_exit(128 + signal);
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = interrupted;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  watch_mapped_files();
}

Exit run(const std::vector<std::string>& words) {
  Options options;
  if (!parse(words, &options)) return kUsage;
  if (options.help) return std::fputs(help().c_str(), stdout), kDone;
  if (options.version) return std::printf("irplan-run %s\n", kVersion), kDone;
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
