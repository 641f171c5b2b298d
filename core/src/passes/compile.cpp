// The pipeline: source and config to plan.json.
#include "irplan/compile.h"

#include <algorithm>

#include "base/sha256.h"
#include "ir/elaborate.h"
#include "passes/budget.h"
#include "passes/emit.h"
#include "passes/fold.h"
#include "passes/fuse.h"
#include "passes/lower.h"
#include "passes/memory.h"
#include "passes/schedule.h"
#include "passes/shape.h"
#include "passes/solve.h"
#include "syntax/parser.h"

namespace irplan {
namespace {

Strength parse_strength(std::string_view name) {
  return name == "exact" ? Strength::Exact : name == "limited" ? Strength::Limited : Strength::Portfolio;
}

class Pipeline {
 public:
  Pipeline(Compilation& out, const CompileOptions& options) : out_(out), options_(options) {}

  void run() {
    graph_ = std::make_shared<Graph>();
    out_.graph = graph_;
    const auto target = parse_target(options_.target);
    if (!target)
      out_.diagnostics.report(Code::E0267, {}, {options_.target})
          .help("targets are cpu, cuda and cuda:sm_90");
    if (target) graph_->target = *target;
    std::optional<Config> config = read_config();
    syntax::Tree tree = syntax::parse(out_.source, out_.diagnostics);
    elaborate(tree, out_.source, {config ? &*config : nullptr, options_.lets}, *graph_, out_.diagnostics);
    if (config) out_.unread_config_keys = config->unread();
    if (!passed("elaborate")) {
      // Shapes are looked at all the same, so that one run tells as much as it can.
      if (graph_->ops.size() < kMaxOps) infer_shapes(*graph_, out_.diagnostics);
      return;
    }
    infer_shapes(*graph_, out_.diagnostics);
    if (!passed("shape")) return;
    apply_budgets(*graph_, out_.diagnostics);
    if (!passed("budget")) return;
    fold(*graph_);
    passed("fold");
    fuse(*graph_);
    passed("fuse");
    assign_values(*graph_, options_.dims, out_.diagnostics);
    if (out_.diagnostics.has_errors()) return;
    const std::optional<Graph> written = wanted("schedule") ? std::optional<Graph>(*graph_) : std::nullopt;
    if (!options_.keep_order) schedule(*graph_);
    passed("schedule");
    if (written) out_.dumps.back().second += compare_orders(*written, *graph_);
    plan_memory(*graph_, {parse_strength(options_.strength), options_.progress});
    if (!passed("memory")) return;
    const bool bytes =
        std::any_of(graph_->budgets.begin(), graph_->budgets.end(), [](const Budget& b) { return b.bytes; });
    solve_budgets(*graph_, options_.dims, out_.diagnostics);
    if (bytes && !out_.diagnostics.has_errors()) measure_memory(*graph_);
    if (!passed("solve")) return;
    lower(*graph_, out_.diagnostics);
    if (!passed("lower")) return;
    const EmitSource hashes{sha256(out_.source.text()), options_.config ? sha256(*options_.config) : ""};
    Plan plan = emit(*graph_, out_.source, hashes, out_.diagnostics);
    if (options_.deny_warnings) out_.diagnostics.warnings_are_errors();
    out_.diagnostics.sort();
    if (out_.diagnostics.has_errors()) return;
    plan.diagnostics = to_json(out_.diagnostics.list(), out_.source);
    if (options_.write) out_.plan_json = write_plan(plan);
    passed("emit");
    out_.ok = true;
  }

 private:
  std::optional<Config> read_config() {
    if (!options_.config) return std::nullopt;
    std::string why;
    auto config = Config::parse(*options_.config, &why);
    if (!config) out_.diagnostics.report(Code::E0264, {}, {options_.config_name + ": " + why});
    return config;
  }

  bool wanted(const char* pass) const {
    const auto& list = options_.dump_after;
    return std::find(list.begin(), list.end(), pass) != list.end();
  }

  // Notes a pass as done: its dump, where one is wanted. False where there are errors.
  bool passed(const char* pass) {
    if (wanted(pass)) {
      out_.dumps.emplace_back(pass, std::string(pass) == "emit" ? out_.plan_json : to_text(*graph_));
    }
    return !out_.diagnostics.has_errors();
  }

  Compilation& out_;
  const CompileOptions& options_;
  std::shared_ptr<Graph> graph_;
};

}  // namespace

Compilation compile(SourceText source, const CompileOptions& options) {
  Compilation out;
  out.source = std::move(source);
  Pipeline(out, options).run();
  if (!out.ok) {
    if (options.deny_warnings) out.diagnostics.warnings_are_errors();
    out.diagnostics.sort();
  }
  return out;
}

const std::vector<PassInfo>& passes() {
  static const std::vector<PassInfo> kPasses = {
      {"elaborate",
       "Tree and config to a flat graph: every `let` known, every loop unrolled, every `fn` inlined, phase "
       "by phase."},
      {"shape", "Finds the type of every value and what sizes must satisfy for the shapes to agree."},
      {"budget",
       "Narrows what a plan admits by budgets over dims: one dim's range, or a guard over several."},
      {"fold", "Moves what depends on weights alone to load time."},
      {"fuse", "Joins neighbouring ops for which there is one kernel."},
      {"schedule",
       "Runs ops in another order where that lowers the peak; its dump ends with what other orders take."},
      {"memory", "Decides windows, buffers and their stacking order: one placement for every size."},
      {"solve", "Picks the sizes at which plain numbers hold, and answers budgets over bytes."},
      {"lower", "Chooses each op's kernel for the target, by name and version."},
      {"emit", "Fills and writes the plan."},
  };
  return kPasses;
}

}  // namespace irplan
