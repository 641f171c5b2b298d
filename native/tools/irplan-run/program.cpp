#include "tools/irplan-run/program.h"

#include <unistd.h>

#include <cstdio>

#include "irplan/compile.h"
#include "runtime/files.h"
#include "runtime/session.h"

namespace irplan::run {
namespace {

constexpr size_t kMaxPlan = size_t{1} << 30;
constexpr size_t kMaxProgram = size_t{5} << 20;  // the compiler's own limit and its message stand below this
constexpr size_t kMaxConfig = size_t{64} << 20;

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::optional<std::string> compiled(const Options& options, const std::string& target) {
  std::string why;
  auto text = read_text(options.file, kMaxProgram, &why);
  if (!text) return fail(kFailed, why), std::nullopt;
  CompileOptions how;
  how.target = target;
  for (const NamedText& let : options.lets) how.lets.emplace_back(let.name, let.text);
  for (const NamedText& other : options.retypes) how.retypes.emplace_back(other.name, other.text);
  how.advise = false;  // a run asks whether it fits, not what else would
  if (!options.config.empty()) {
    auto config = read_text(options.config, kMaxConfig, &why);
    if (!config) return fail(kFailed, why), std::nullopt;
    how.config = std::move(*config);
    how.config_name = SourceText(options.config, "").name();
  }
  Compilation done =
      compile(SourceText(options.file == "-" ? "stdin.irplan" : options.file, std::move(*text)), how);
  // Warnings are about the plan's numbers; a run has its own.
  if (!done.ok || options.verbose)
    std::fputs(render(done.diagnostics, done.source, ::isatty(STDERR_FILENO)).c_str(), stderr);
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
  std::string why;
  const bool is_plan = ends_with(options.file, ".json");
  std::optional<std::string> text;
  if (is_plan) {
    if (!options.config.empty() || !options.lets.empty() || !options.retypes.empty()) {
      fail(*code = kUsage, std::string(!options.config.empty() ? "--config"
                                       : !options.lets.empty() ? "--let"
                                                               : "--retype") +
                               " goes with a program; " + options.file +
                               " is a plan, which has its sizes already");
      return nullptr;
    }
    text = read_text(options.file, kMaxPlan, &why);
    if (!text) fail(kFailed, why);
  } else {
    text = compiled(options, target_for(backend));
  }
  if (!text) return nullptr;
  auto plan = checked_plan(*text, options.file, &why);
  if (!plan) return fail(kFailed, why), nullptr;
  if (auto failure = check_kernels(*plan, backend)) return fail(kFailed, *failure), nullptr;
  if (is_plan && plan->target != backend.name()) {
    const std::string message = "the plan is for " + plan->target +
                                (plan->arch.empty() ? "" : " (" + plan->arch + ")") + "; " + backend.name() +
                                " runs the same ops with its own kernels";
    if (options.strict) {
      fail(kFailed, message + ", which --strict refuses; compile it with --target " + target_for(backend));
      return nullptr;
    }
    std::fprintf(stderr, "note: %s\n", message.c_str());
  }
  return plan;
}

}  // namespace irplan::run
