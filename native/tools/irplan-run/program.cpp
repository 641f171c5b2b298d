#include "tools/irplan-run/program.h"

#include <unistd.h>

#include <cstdio>

#include "command_line/files.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "irplan/compile.h"
#include "runtime/session.h"
#include "tools/limits.h"

namespace irplan::run {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The file that --config names, or that lies in its folder, or beside the weights; empty where there is none.
std::string config_path(const Options& options) {
  const bool beside =
      options.config.empty() && is_folder(options.weights) && is_file(config_file(options.weights));
  return config_file(beside ? options.weights : options.config);
}

std::optional<std::string> compiled(std::string text, const Options& options, const std::string& target) {
  CompileOptions how;
  how.target = target;
  for (const NamedText& let : options.lets) how.lets.emplace_back(let.name, let.text);
  for (const NamedText& other : options.retypes) how.retypes.emplace_back(other.name, other.text);
  how.budgets = options.budgets;
  how.allow = options.allow;
  how.deny = options.deny;
  how.deny_warnings = options.deny_warnings;
  how.advise = false;  // a run asks whether it fits, not what else would
  if (const std::string path = config_path(options); !path.empty()) {
    auto config = command::read_file(path, command::kMaxConfigFile);
    if (!config) return std::nullopt;
    how.config = std::move(*config);
    how.config_name = SourceText(path, "").name();
  }
  Compilation done = compile(SourceText(command::program_name(options.file), std::move(text)), how);
  const bool color = command::use_color("auto", STDERR_FILENO);
  std::fputs(render(done.diagnostics, done.source, color).c_str(), stderr);
  if (!done.ok) return std::nullopt;
  return std::move(done.plan_json);
}

// The target of a program that is compiled for this backend. A cuda device says its architecture as
// "(sm_90)".
std::string target_for(const Backend& backend) {
  if (std::string_view(backend.name()) != "cuda") return "cpu";
  const std::string device = backend.device();
  const size_t at = device.find("(sm_");
  const size_t end = at == std::string::npos ? at : device.find(')', at);
  return end == std::string::npos ? "cuda" : "cuda:" + device.substr(at + 1, end - at - 1);
}

}  // namespace

std::unique_ptr<Plan> load_program(const Options& options, const Backend& backend, Exit* code) {
  *code = kFailed;
  auto text = command::read_file(options.file, command::kMaxPlanFile);
  if (!text) return nullptr;
  const bool is_plan = ends_with(options.file, ".json") || command::is_plan(*text);
  const char* of_programs = !options.config.empty()    ? "--config"
                            : !options.lets.empty()    ? "--let"
                            : !options.retypes.empty() ? "--retype"
                            : !options.budgets.empty() ? "--budget"
                            : options.deny_warnings    ? "--deny-warnings"
                            : !options.allow.empty()   ? "--allow"
                            : !options.deny.empty()    ? "--deny"
                                                       : nullptr;
  if (is_plan && of_programs) {
    fail(*code = kUsage, of_programs + std::string() + " goes with a program; " +
                             (options.file == "-" ? "standard input" : options.file) +
                             " is a plan, which is made already");
    return nullptr;
  }
  if (!is_plan) text = compiled(std::move(*text), options, target_for(backend));
  if (!text) return nullptr;
  auto plan = checked_plan(*text, options.file);
  if (!plan) return fail(kFailed, plan.message()), nullptr;
  if (auto failure = backend.load(*plan)) return fail(kFailed, *failure), nullptr;
  if (is_plan && plan->target != backend.name()) {
    const std::string message = "the plan is for " + plan->target +
                                (plan->arch.empty() ? "" : " (" + plan->arch + ")") + "; " + backend.name() +
                                " runs the same ops with its own kernels";
    if (options.strict) {
      fail(kFailed, message + ", which --strict refuses; compile it with --target " + target_for(backend));
      return nullptr;
    }
    command::say("note: " + message);
  }
  return std::make_unique<Plan>(*std::move(plan));
}

}  // namespace irplan::run
