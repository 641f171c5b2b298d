// irplan plan, irplan check.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "command_line/files.h"
#include "command_line/terminal.h"
#include "ir/config.h"
#include "ir/graph.h"
#include "report/explain.h"
#include "service/fixes.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/compiling.h"
#include "tools/irplan/search_progress.h"

namespace irplan::cli {
namespace {

// What a search that was ended found.
std::string found(const Compilation& compiled) {
  int64_t peak = 0, bound = 0;
  for (const Phase& phase : compiled.graph->phases) {
    peak = std::max(peak, phase.peak_bytes);
    bound = std::max(bound, phase.lower_bound_bytes);
  }
  return "an arena of " + std::to_string(peak) + " bytes, lower bound " + std::to_string(bound);
}

// To a person at a terminal: what planning was worth.
void tell_gain(const Compilation& compiled) {
  const auto plan = read_plan(compiled.plan_json);
  if (!plan) return;
  std::fprintf(stderr, "arena: %s\n", report::gain_text(*plan).c_str());
}

// Makes the changes that diagnostics propose. False after a message.
bool fix(const std::string& path, const CompileOptions& options) {
  if (path == "-") return fail(kUsage, "--fix rewrites files, and stdin is none"), false;
  const auto text = read_file(path, Config::kMaxBytes);
  if (!text) return false;
  const FixedText fixed = with_fixes(SourceText(program_name(path), *text), options);
  if (fixed.changes == 0) return true;
  if (!write_file(path, fixed.text)) return false;
  std::fprintf(stderr, "note: %s: %zu change%s made\n", path.c_str(), fixed.changes,
               fixed.changes == 1 ? "" : "s");
  return true;
}

}  // namespace

int run_plan(const Arguments& arguments) {
  Exit code = kDone;
  const auto options = compile_options(arguments, &code);
  if (!options) return code;
  const auto compiled = compile_file(arguments.positional()[0], *options);
  if (!compiled) return kFailed;
  for (const auto& [pass, text] : compiled->dumps) {
    if (!print("# after " + pass + "\n" + text)) return kFailed;
  }
  show_diagnostics(*compiled, arguments);
  if (!compiled->ok) return kFailed;
  const bool explain = arguments.has("--explain");
  // Dumps and the report are results of their own: with one of them the plan goes only where -o says.
  const bool quiet = explain || !compiled->dumps.empty();
  const std::string output = arguments.value("--output", quiet ? "" : "-");
  if (!output.empty() && !write_file(output, compiled->plan_json)) return kFailed;
  if (search_interrupted()) {
    return fail(kInterrupted, "interrupted; the best placement so far has " + found(*compiled) +
                                  (output.empty() ? "; no plan was written" : "; the plan has it"));
  }
  if (!explain) {
    if (::isatty(STDERR_FILENO) && !output.empty()) tell_gain(*compiled);
    return kDone;
  }
  const bool color =
      use_color(arguments.value("--color", "auto"), output != "-" ? STDOUT_FILENO : STDERR_FILENO);
  const auto plan = read_plan(compiled->plan_json);
  if (!plan) return fail(kFailed, "the plan cannot be read back: " + plan.message());
  const std::string text = explain_text(report::make_report(*plan), {true, compiled->unread_config_keys, {}},
                                        "", {terminal_width(), color});
  if (output != "-") return print(text) ? kDone : kFailed;
  std::fputs(text.c_str(), stderr);
  return kDone;
}

int run_check(const Arguments& arguments) {
  Exit code = kDone;
  auto options = compile_options(arguments, &code);
  if (!options) return code;
  bool good = true;
  std::string list;
  options->write = false;  // the diagnostics are all that is wanted
  for (const std::string& path : arguments.positional()) {
    if (arguments.has("--fix") && !fix(path, *options)) return kFailed;
    const auto compiled = compile_file(path, *options);
    if (!compiled || !compiled->ok) good = false;
    if (!compiled) continue;
    if (!arguments.json()) {
      show_diagnostics(*compiled, arguments);
      continue;
    }
    for (const Diagnostic& d : compiled->diagnostics.list()) {
      list += (list.empty() ? "\n" : ",\n") + to_json(d, compiled->source);
    }
  }
  if (arguments.json() && !print("[" + list + (list.empty() ? "]\n" : "\n]\n"))) return kFailed;
  return good ? kDone : kFailed;
}

}  // namespace irplan::cli
