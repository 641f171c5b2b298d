// irplan-run: runs plans and programs.
#include <algorithm>
#include <climits>
#include <optional>
#include <string>
#include <vector>

#include "command_line/edge.h"
#include "command_line/terminal.h"
#include "cpu/simd.h"
#include "cuda/cuda_backend.h"
#include "files/mapped_file.h"
#include "irplan/compile.h"
#include "runtime/threads.h"
#include "tools/irplan-run/backends.h"
#include "tools/irplan-run/calibrate.h"
#include "tools/irplan-run/options.h"
#include "tools/irplan-run/program.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/selftest.h"

namespace irplan::run {
namespace {

// What the program says of itself, where that is asked.
std::optional<std::string> answer(const command::Arguments& arguments) {
  if (arguments.help()) return help(program(), arguments.command());
  if (arguments.has("--version")) return std::string("irplan-run ") + kVersion + "\n";
  if (arguments.has("--man")) return manual(program());
  if (arguments.has("--list-backends")) return backends_text();
  if (arguments.has("--list-kernels")) return kernels_text();
  if (arguments.has("--completion")) return completion(program(), arguments.value("--completion"));
  return std::nullopt;
}

void lend(std::optional<int64_t> threads) {
  if (threads && *threads > 0) lend_machine_threads(static_cast<int>(std::min<int64_t>(*threads, INT_MAX)));
}

Exit run(const std::vector<std::string>& words) {
  const command::Command& only = program().commands[0];
  command::Arguments arguments;
  if (!arguments.parse(program(), only, words)) return kUsage;
  if (arguments.has("--isa")) {
    if (auto failure = cpu::choose_isa(arguments.value("--isa")))
      return fail(kFailed, "--isa: " + *failure), kFailed;
  }
  if (const auto text = answer(arguments)) return command::print(*text) ? kDone : kFailed;
  if (arguments.has("--selftest") || arguments.has("--calibrate")) {
    lend(whole_number(arguments.value("--threads")));
    if (arguments.has("--calibrate")) return calibrate();
    return selftest(arguments.value("--backend", "auto"), arguments.has("--perf"));
  }
  if (const auto conflict = arguments.file_conflict()) return fail(kUsage, *conflict), kUsage;
  const auto read = read_options(arguments);
  if (!read) return kUsage;
  const Options& options = *read;
  watch_mapped_files();
  lend(options.threads);
  const auto made = make_backend(options.backend);
  if (!made) return fail(kFailed, made.message()), kFailed;
  const std::unique_ptr<Backend>& backend = made->backend;
  if (arguments.has("--isa") && backend->target() != "cpu")
    return fail(kUsage, "--isa is for the cpu backend, and this run is on " + std::string(backend->name()) +
                            "; --backend cpu"),
           kUsage;
  // Who has a device expects it to be used; who has none knows that.
  if (!made->not_cuda.empty() && (options.verbose || cuda_device_there()))
    command::say("note: --backend auto takes the CPU: " + made->not_cuda);
  Exit code = kFailed;
  const auto plan = load_program(options, *backend, &code);
  if (!plan) return code;
  if (!options.requests.empty()) return run_requests(*plan, *backend, options);
  return options.tokens.empty() ? run_once(*plan, *backend, options) : run_tokens(*plan, *backend, options);
}

}  // namespace
}  // namespace irplan::run

int main(int argc, char** argv) {
  const std::string program = std::string("irplan-run ") + std::string(irplan::kVersion);
  return irplan::command::guarded(program.c_str(), [&] { return irplan::run::run({argv + 1, argv + argc}); });
}
