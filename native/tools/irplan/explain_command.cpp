// irplan explain.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/explanations.h"
#include "command_line/files.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "report/compare.h"
#include "report/explain.h"
#include "report/picture.h"
#include "service/shorter.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/compiling.h"
#include "tools/irplan/search_progress.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

// Options that decide how a program is compiled change nothing of a plan.
bool suits_a_plan(const Arguments& arguments, const std::string& path) {
  for (const char* option : {"--config", "--let", "--dim", "--retype", "--budget", "--target", "--keep-order",
                             "--strength", "--deny-warnings", "--allow", "--deny"}) {
    if (!arguments.has(option)) continue;
    fail(kUsage, std::string(option) + " goes with a program; " + path + " is a plan, which is made already");
    return false;
  }
  return true;
}

// The plan of a .json file, or of a program compiled as the options say.
std::optional<Plan> load(const Arguments& arguments, report::FromProgram* program, Exit* code) {
  *code = kFailed;
  const std::string& path = arguments.positional()[0];
  auto text = read_file(path, kMaxPlanFile);
  if (!text) return std::nullopt;
  program->is_there = !is_plan(*text);
  if (!program->is_there) {
    if (!suits_a_plan(arguments, path)) return *code = kUsage, std::nullopt;
    auto plan = read_true_plan(*text);
    if (plan) return *std::move(plan);
    return fail(kFailed, path + ": " + plan.message()), std::nullopt;
  }
  const auto options = compile_options(arguments, code);
  if (!options) return std::nullopt;
  *code = kFailed;
  const Compilation compiled = compile(SourceText(program_name(path), std::move(*text)), *options);
  show_diagnostics(compiled, arguments);
  if (!compiled.ok) return std::nullopt;
  program->unread_config_keys = compiled.unread_config_keys;
  program->lighter = shorter_caches(compiled, *options);
  auto plan = read_plan(compiled.plan_json);
  if (plan) return *std::move(plan);
  return fail(kFailed, "the plan made of " + path + " cannot be read back: " + plan.message()), std::nullopt;
}

const report::PhaseReport* drawn_phase(const report::Report& report, const std::string& name) {
  const report::PhaseReport* best = nullptr;
  for (const report::PhaseReport& p : report.phases) {
    if (!name.empty() ? p.phase->name == name : !best || p.phase->peak_bytes > best->phase->peak_bytes)
      best = &p;
  }
  return best;
}

bool has_phase(const report::Report& report, const std::string& name) {
  if (name.empty() || drawn_phase(report, name)) return true;
  std::string names;
  for (const report::PhaseReport& p : report.phases) names += (names.empty() ? "" : ", ") + p.phase->name;
  fail(kFailed, "there is no phase `" + name + "`; there are " + names);
  return false;
}

bool read_numbers(const std::string& text, std::vector<int64_t>* out) {
  int64_t n = -1;
  for (const char c : text + ",") {
    if (c == ',') {
      if (n < 0 || out->size() == report::kMostSizes) return false;
      out->push_back(n);
      n = -1;
    } else if (c < '0' || c > '9' || n > INT64_MAX / 16) {
      return false;
    } else {
      n = std::max<int64_t>(n, 0) * 10 + (c - '0');
    }
  }
  return true;
}

// --sizes DIM=N,N of each dim; as many of one as of another.
std::optional<std::vector<report::ChosenSizes>> chosen_sizes(const Arguments& arguments, const Plan& plan,
                                                             Exit* code) {
  std::vector<report::ChosenSizes> out;
  *code = kUsage;
  for (const std::string& word : arguments.all("--sizes")) {
    const size_t equals = word.find('=');
    report::ChosenSizes chosen;
    if (equals == std::string::npos || !read_numbers(word.substr(equals + 1), &chosen.sizes)) {
      fail(kUsage, "--sizes takes DIM=N,N with up to " + std::to_string(report::kMostSizes) +
                       " sizes, not `" + word + "`");
      return std::nullopt;
    }
    const std::string name = word.substr(0, equals);
    std::string names;
    for (chosen.dim = 0; chosen.dim < plan.dims.size() && plan.dims[chosen.dim].name != name; ++chosen.dim)
      names += (names.empty() ? "" : ", ") + plan.dims[chosen.dim].name;
    if (chosen.dim == plan.dims.size()) {
      *code = kFailed;
      fail(kFailed, "--sizes " + word + ": the plan has no dim `" + name + "`" +
                        (names.empty() ? "" : "; there are " + names));
      return std::nullopt;
    }
    if (!out.empty() && out[0].sizes.size() != chosen.sizes.size()) {
      fail(kUsage, "--sizes " + word + ": " + std::to_string(out[0].sizes.size()) +
                       " sizes are wanted, as many as of " + plan.dims[out[0].dim].name);
      return std::nullopt;
    }
    out.push_back(std::move(chosen));
  }
  *code = kDone;
  return out;
}

int run_compare(const Arguments& arguments, const report::Report& report, const std::string& phase) {
  Exit code = kDone;
  const auto chosen = chosen_sizes(arguments, *report.plan, &code);
  if (!chosen) return code;
  const auto comparison = compare(report, phase, *chosen);
  if (!comparison) return fail(kFailed, comparison.message());
  const std::string gain = "arena at the plan's sizes: " + report::gain_text(*report.plan) + "\n\n";
  return write_file(arguments.value("--output", "-"),
                    arguments.json() ? comparison->json : gain + comparison->text)
             ? kDone
             : kFailed;
}

// The picture of a phase into the file that --svg names.
int draw(const Arguments& arguments, const report::Report& report, const std::string& phase) {
  const report::PhaseReport* drawn = drawn_phase(report, phase);
  if (!drawn) return fail(kFailed, "the plan has no phase to draw");
  const std::string path = arguments.value("--svg");
  if (!write_file(path, svg_timeline(report, *drawn))) return kFailed;
  if (path != "-") std::fprintf(stderr, "wrote %s, phase %s\n", path.c_str(), drawn->phase->name.c_str());
  return kDone;
}

// What a diagnostic means, by its code.
int explain_code(const std::string& word, bool json) {
  std::string instead;
  if (const CodeInfo* code = find_meant_code(word, &instead))
    return print(json ? explain_json(*code) : explain(*code)) ? kDone : kFailed;
  return fail(kFailed, "no diagnostic has the code " + word + instead);
}

}  // namespace

int run_explain(const Arguments& arguments) {
  const std::string& what = arguments.positional()[0];
  if (is_like_code(what) && !exists(what)) return explain_code(what, arguments.json());
  if (arguments.has("--sizes") && !arguments.has("--compare"))
    return fail(kUsage, "--sizes goes with --compare; --dim sets the sizes of a program's report");
  Exit code = kDone;
  report::FromProgram program;
  const auto plan = load(arguments, &program, &code);
  if (!plan) return code;
  const report::Report report = report::make_report(*plan);
  const std::string phase = arguments.value("--phase");
  if (!has_phase(report, phase)) return kFailed;
  if (arguments.has("--compare")) return run_compare(arguments, report, phase);
  if (arguments.has("--svg")) {
    const int drawn = draw(arguments, report, phase);
    if (drawn != kDone || !arguments.has("--output")) return drawn;
  }
  const std::string output = arguments.value("--output", "-");
  const bool color = output == "-" && use_color(arguments.value("--color", "auto"), STDOUT_FILENO);
  const std::string text = arguments.json() ? explain_json(report, program, phase)
                                            : explain_text(report, program, phase, {terminal_width(), color});
  if (!write_file(output, text)) return kFailed;
  if (search_interrupted()) return fail(kInterrupted, "interrupted; this is the best placement so far");
  return kDone;
}

}  // namespace irplan::cli
