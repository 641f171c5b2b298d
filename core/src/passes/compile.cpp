// The pipeline: source and config to plan.json.
#include "irplan/compile.h"

#include <algorithm>

#include "base/sha256.h"
#include "ir/elaborate.h"
#include "passes/advise.h"
#include "passes/budget.h"
#include "passes/crowd.h"
#include "passes/emit.h"
#include "passes/fold.h"
#include "passes/fuse.h"
#include "passes/memory.h"
#include "passes/memory/empty_windows.h"
#include "passes/refused_size.h"
#include "passes/retype.h"
#include "passes/schedule.h"
#include "passes/select.h"
#include "passes/shape.h"
#include "passes/solve.h"
#include "passes/suspect.h"
#include "passes/unread.h"
#include "syntax/parser.h"

namespace irplan {
namespace {

constexpr int64_t kStepCost = 60,
                  kOpCost = 3000;  // of elaboration, and of all passes on an op; steps of Work

Strength parse_strength(std::string_view name) {
  return name == "exact" ? Strength::Exact : name == "limited" ? Strength::Limited : Strength::Portfolio;
}

class Pipeline {
 public:
  Pipeline(Compilation& out, const CompileOptions& options) : out_(out), options_(options) {}

  void run() {
    if (!answer()) return draw_refused();
    if (!options_.emit) return;
    Plan plan = emit(*graph_, out_.source, hashes(), out_.diagnostics);
    out_.diagnostics.judge(options_.allow, options_.deny);
    if (options_.deny_warnings) out_.diagnostics.warnings_are_errors();
    out_.diagnostics.sort();
    if (out_.diagnostics.has_errors()) return;
    plan.diagnostics = to_json(out_.diagnostics.list(), out_.source);
    if (options_.write && options_.text) out_.plan_json = write_plan(plan);
    passed("emit");
    if (options_.write) out_.plan = std::make_shared<const Plan>(std::move(plan));
    out_.ok = true;
  }

  // All passes up to the answers of budgets; false where there are errors.
  bool answer() {
    if (!read()) return false;
    infer_shapes(*graph_, out_.diagnostics);
    note_types();
    if (!passed("shape")) return false;
    tell_unread(*graph_, out_.diagnostics);
    tell_suspect_positions(*graph_, out_.diagnostics);
    apply_budgets(*graph_, out_.diagnostics, narrower_);
    if (!passed("budget")) return false;
    fold(*graph_);
    passed("fold");
    fuse(*graph_);
    passed("fuse");
    select_kernels(*graph_);
    passed("select");
    assign_values(*graph_, options_.dims, out_.diagnostics);
    explain_refused_sizes(*graph_, options_.dims, out_.diagnostics);
    refuse_crowds(*graph_, out_.diagnostics);
    if (out_.diagnostics.has_errors()) return false;
    const std::optional<Graph> written = wanted("schedule") ? std::optional<Graph>(*graph_) : std::nullopt;
    if (!options_.keep_order) schedule(*graph_);
    passed("schedule");
    if (written) out_.dumps.back().second += compare_orders(*written, *graph_);
    plan_memory(*graph_, {parse_strength(options_.strength), options_.progress});
    refuse_empty_windows(*graph_, out_.diagnostics);
    if (!passed("memory")) return false;
    tell_suspect_logits(*graph_, out_.diagnostics);
    answered_ = true;
    const bool bytes =
        std::any_of(graph_->budgets.begin(), graph_->budgets.end(), [](const Budget& b) { return b.bytes; });
    solve_budgets(*graph_, options_.dims, out_.diagnostics);
    explain_refused_sizes(*graph_, options_.dims, out_.diagnostics);
    if (bytes && !out_.diagnostics.has_errors()) measure_memory(*graph_);
    graph_->work->spend(kStepCost * static_cast<int64_t>(graph_->steps) +
                        kOpCost * static_cast<int64_t>(graph_->ops.size()));
    planned_for_ = graph_->work->spent();
    advise(*graph_,
           options_.advise ? Probe([this](const Change* change, const Change* narrower) {
             return with(change, narrower);
           })
                           : Probe(),
           out_.diagnostics);
    tell_work();
    return passed("solve");
  }

 private:
  // What the limit of a compilation's work left out.
  void tell_work() {
    constexpr const char* kGaveUp[] = {
        "changes that would meet a budget are not looked for",
        "budgets are not told the largest sizes, frontiers and narrower ranges",
        "orders and placements are searched less", "sizes of dims may be smaller than they could be"};
    std::string said;
    for (int part = 0; part < Work::kParts; ++part) {
      if (graph_->work->gave_up(static_cast<Work::Part>(part)))
        said += (said.empty() ? "" : "; ") + std::string(kGaveUp[part]);
    }
    if (said.empty()) return;
    out_.diagnostics.report(Code::W0501, {}, {said})
        .rule("a compilation does so much work and no more, on every machine alike");
  }

  EmitSource hashes() const {
    return {sha256(out_.source.text()), options_.config ? sha256(*options_.config) : ""};
  }

  // The plan of a program that only its budgets over bytes refuse: memory is planned, and can be looked at.
  void draw_refused() {
    const auto refused_by_budget = [](const Diagnostic& d) {
      return d.severity != Severity::Error || d.code == Code::E0401;
    };
    const auto& told = out_.diagnostics.list();
    if (!answered_ || !options_.write || !std::all_of(told.begin(), told.end(), refused_by_budget)) return;
    Diagnostics apart;  // what else is wrong is not this program's trouble now
    measure_memory(*graph_);
    Plan plan = emit(*graph_, out_.source, hashes(), apart);
    if (!apart.has_errors()) out_.plan = std::make_shared<const Plan>(std::move(plan));
  }

  // The flat graph of the program; false where there are errors.
  bool read() {
    graph_ = std::make_shared<Graph>();
    out_.graph = graph_;
    if (options_.bindings) bindings_ = std::make_shared<Bindings>();
    const auto target = parse_target(options_.target);
    if (!target) refuse_target();
    if (target) graph_->target = *target;
    std::optional<Config> config = read_config();
    syntax::Tree tree = syntax::parse(out_.source, out_.diagnostics);
    elaborate(tree, out_.source,
              {config ? &*config : nullptr, options_.config.has_value(), options_.lets, options_.budgets,
               bindings_.get()},
              *graph_, out_.diagnostics);
    if (config) out_.unread_config_keys = config->unread();
    if (passed("elaborate")) {
      retype(*graph_, options_.retypes, out_.diagnostics);
      if (options_.write || !options_.emit) mark_retypable(*graph_);
      return passed("retype");
    }
    // Shapes are looked at all the same, so that one run tells as much as it can.
    if (graph_->ops.size() < kMaxOps) infer_shapes(*graph_, out_.diagnostics);
    note_types();
    return false;
  }

  // Of what names are bound to: later passes give values other numbers.
  void note_types() {
    if (!bindings_) return;
    for (Bound& bound : bindings_->list()) {
      for (const uint32_t id : bound.values) {
        if (bound.typed.size() == Bindings::kMostTypes || id >= graph_->values.size()) break;
        const Value& value = graph_->values[id];
        if (value.poisoned) continue;
        const auto same = [&](const Bound::Typed& t) { return t.type == value.type; };
        if (std::none_of(bound.typed.begin(), bound.typed.end(), same))
          bound.typed.push_back({value.id, value.type});
      }
    }
    out_.bindings = bindings_;
  }

  void refuse_target() {
    Diagnostic& d = out_.diagnostics.report(Code::E0267, {}, {options_.target});
    d.rule("targets are cpu, cuda, and cuda with an architecture: cuda:sm_90");
    const std::string near = nearest(options_.target, {"cpu", "cuda", "cuda:sm_90", "cuda:sm_80"});
    if (!near.empty()) d.help("did you mean `--target " + near + "`");
  }

  // The program planned again with changes; null where that has errors before its budgets are answered.
  std::shared_ptr<const Graph> with(const Change* change, const Change* narrower) const {
    CompileOptions other = options_;
    other.advise = false;
    other.dump_after.clear();
    other.on_pass = nullptr;
    other.bindings = false;
    other.progress = nullptr;
    other.strength = "portfolio";
    other.dims.clear();  // what ranges admit is asked, not one size
    if (change)
      (change->kind == Change::Kind::Let ? other.lets : other.retypes)
          .emplace_back(change->name, change->value);
    // Planned as it would be by itself, so that what is said of it holds; as long as so much work is left.
    Work& work = *graph_->work;
    if (!work.may(Work::Part::Advice, planned_for_)) return nullptr;
    Compilation out;
    out.source = out_.source;
    Pipeline pipeline(out, other);
    pipeline.narrower_ = narrower;
    pipeline.answer();
    if (pipeline.graph_) work.spend(pipeline.graph_->work->spent());
    return pipeline.answered_ ? pipeline.graph_ : nullptr;
  }

  std::optional<Config> read_config() {
    if (!options_.config) return std::nullopt;
    std::string why;
    Span place;
    auto config = Config::parse(*options_.config, &why, &place);
    if (config) return config;
    auto& told =
        out_.diagnostics.report(Code::E0264, place, {why}).in({options_.config_name, *options_.config});
    if (place.end > 0) told.at(place.begin < options_.config->size() ? "not expected here" : "it ends here");
    return config;
  }

  bool wanted(const char* pass) const {
    const auto& list = options_.dump_after;
    return std::find(list.begin(), list.end(), pass) != list.end();
  }

  // Notes a pass as done: its dump, where one is wanted. False where there are errors.
  bool passed(const char* pass) {
    if (options_.on_pass) options_.on_pass(pass);
    if (wanted(pass)) {
      out_.dumps.emplace_back(pass, std::string(pass) == "emit" ? out_.plan_json : to_text(*graph_));
    }
    return !out_.diagnostics.has_errors();
  }

  Compilation& out_;
  const CompileOptions& options_;
  const Change* narrower_ = nullptr;  // a dim's range, beside the program's own budgets
  std::shared_ptr<Graph> graph_;
  std::shared_ptr<Bindings> bindings_;  // null: not wanted
  int64_t planned_for_ = 0;             // steps of Work that planning it took
  bool answered_ = false;               // memory is planned, budgets could be asked
};

}  // namespace

Compilation compile(SourceText source, const CompileOptions& options) {
  Compilation out;
  out.source = std::move(source);
  Pipeline(out, options).run();
  if (!out.ok) {
    out.diagnostics.judge(options.allow, options.deny);
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
      {"retype", "Replaces the declared dtype of states or weights, where `--retype` asks for it."},
      {"shape", "Finds the type of every value and what sizes must satisfy for the shapes to agree."},
      {"budget",
       "Narrows what a plan admits by budgets over dims: one dim's range, or a guard over several."},
      {"fold", "Moves what depends on weights alone to load time."},
      {"fuse", "Joins neighbouring ops for which there is one kernel."},
      {"select",
       "Chooses each op's kernel for the target, with its scratch, and packs weights as the kernels read "
       "them."},
      {"schedule",
       "Runs ops in another order where that lowers the peak; its dump ends with what other orders take."},
      {"memory", "Decides windows, buffers and their stacking order: one placement for every size."},
      {"solve", "Picks the sizes at which plain numbers hold, and answers budgets over bytes."},
      {"emit", "Fills and writes the plan."},
  };
  return kPasses;
}

}  // namespace irplan
