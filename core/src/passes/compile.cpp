// The pipeline: source and config to plan.json.
#include "irplan/compile.h"

#include <algorithm>
#include <span>

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

class Pipeline {
 public:
  Pipeline(Compilation& out, const CompileOptions& options) : out_(out), options_(options) {}

  void run() {
    if (!answer()) return draw_refused();
    if (!options_.emit) return;
    if (!run_pass(writing())) return;
    if (options_.write) out_.plan = std::make_shared<const Plan>(std::move(plan_));
    out_.ok = true;
  }

  // All passes up to the answers of budgets; false where there are errors.
  bool answer() {
    const auto passes = answering();
    return std::all_of(passes.begin(), passes.end(), [this](const Pass& pass) { return run_pass(pass); });
  }

  static std::vector<PassInfo> infos() {
    std::vector<PassInfo> out;
    for (const Pass& pass : answering()) out.push_back({pass.name, pass.contract});
    out.push_back({writing().name, writing().contract});
    return out;
  }

 private:
  struct Pass {
    const char* name;
    const char* contract;  // a sentence, for `irplan passes`
    void (Pipeline::*run)();
    std::string (Pipeline::*dump)() const = &Pipeline::graph_text;  // for `--dump-after`
    // Whether later passes need a program without errors. Else they run all the same, and tell more of them.
    bool needs_no_errors_after = true;
  };
  static std::span<const Pass> answering();  // what runs up to the answers of budgets, in this order
  static const Pass& writing();              // what runs last

  // False where there are errors, and what follows needs a program without.
  bool run_pass(const Pass& pass) {
    (this->*pass.run)();
    if (options_.on_pass) options_.on_pass(pass.name);
    if (wanted(pass.name)) out_.dumps.emplace_back(pass.name, (this->*pass.dump)());
    return !pass.needs_no_errors_after || !out_.diagnostics.has_errors();
  }

  // ---- the passes

  void read() {
    graph_ = std::make_shared<Graph>();
    out_.graph = graph_;
    if (options_.bindings) bindings_ = std::make_shared<Bindings>();
    const auto target = parse_target(options_.target);
    if (!target) refuse_target();
    if (!find_strength(options_.strength))
      out_.diagnostics.report(Code::UnknownStrength, {}, {options_.strength})
          .rule("the strengths are portfolio, limited and exact");
    if (target) graph_->target = *target;
    std::optional<Config> config = read_config();
    syntax::Tree tree = syntax::parse(out_.source, out_.diagnostics);
    elaborate(tree, out_.source,
              {config ? &*config : nullptr, options_.config.has_value(), options_.lets, options_.budgets,
               bindings_.get()},
              *graph_, out_.diagnostics);
    if (config) out_.unread_config_keys = config->unread();
    if (config) published_ = published_context(*config->root());
    // Shapes are looked at all the same, so that one run tells as much as it can.
    if (out_.diagnostics.has_errors() && graph_->ops.size() < kMaxOps) find_types();
  }

  void replace_dtypes() { retype(*graph_, options_.retypes, out_.diagnostics); }
  void find_retypable() {
    if (options_.write || !options_.emit) mark_retypable(*graph_);
  }
  void find_types() {
    infer_shapes(*graph_, out_.diagnostics);
    note_types();
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

  void find_unused() { tell_unread(*graph_, out_.diagnostics); }
  void suspect_positions() { tell_suspect_positions(*graph_, published_, out_.diagnostics); }
  void narrow() { apply_budgets(*graph_, out_.diagnostics, narrower_); }
  void fold_weights() { fold(*graph_); }
  void fuse_ops() { fuse(*graph_); }
  void choose_kernels() { select_kernels(*graph_); }
  void choose_sizes() { assign_values(*graph_, options_.dims, out_.diagnostics); }
  void explain_sizes() { explain_refused_sizes(*graph_, options_.dims, out_.diagnostics); }
  void limit_alive() { refuse_crowds(*graph_, out_.diagnostics); }

  void order_ops() {
    if (wanted("schedule")) written_ = *graph_;
    if (!options_.keep_order) schedule(*graph_, options_.write);
  }

  void place() {
    plan_memory(*graph_, {find_strength(options_.strength).value_or(Strength::Portfolio), options_.progress});
  }

  void check_windows() { refuse_empty_windows(*graph_, out_.diagnostics); }

  void suspect_logits() {
    tell_suspect_logits(*graph_, out_.diagnostics);
    answered_ = true;
  }

  void answer_budgets() {
    const bool bytes =
        std::any_of(graph_->budgets.begin(), graph_->budgets.end(), [](const Budget& b) { return b.bytes; });
    solve_budgets(*graph_, options_.dims, out_.diagnostics);
    explain_refused_sizes(*graph_, options_.dims, out_.diagnostics);
    if (bytes && !out_.diagnostics.has_errors()) measure_memory(*graph_);
    graph_->work->spend(kStepCost * static_cast<int64_t>(graph_->steps) +
                        kOpCost * static_cast<int64_t>(graph_->ops.size()));
    planned_for_ = graph_->work->spent();
  }

  void look_for_changes() {
    advise(*graph_,
           options_.advise ? Probe([this](const Change* change, const Change* narrower) {
             return with(change, narrower);
           })
                           : Probe(),
           out_.diagnostics);
    tell_work();
  }

  void write() {
    plan_ = emit(*graph_, out_.source, hashes(), out_.diagnostics);
    out_.diagnostics.judge(options_.allow, options_.deny);
    if (options_.deny_warnings) out_.diagnostics.warnings_are_errors();
    out_.diagnostics.sort();
    if (out_.diagnostics.has_errors()) return;
    plan_.diagnostics = to_json(out_.diagnostics.list(), out_.source);
    if (options_.write && options_.text) out_.plan_json = write_plan(plan_);
  }

  // ---- what is shown after them

  std::string graph_text() const { return to_text(*graph_); }
  std::string orders_text() const { return graph_text() + compare_orders(*written_, *graph_); }
  std::string plan_text() const { return out_.plan_json; }

  // What the limit of a compilation's work left out.
  void tell_work() {
    constexpr const char* kGaveUp[] = {
        "changes that would meet a budget are not looked for",
        "the largest sizes, frontiers and narrower ranges of budgets are left out",
        "orders and placements are searched less", "sizes of dims may be smaller than they could be"};
    std::string said;
    for (int part = 0; part < Work::kParts; ++part) {
      if (graph_->work->gave_up(static_cast<Work::Part>(part)))
        said += (said.empty() ? "" : "; ") + std::string(kGaveUp[part]);
    }
    if (said.empty()) return;
    out_.diagnostics.report(Code::WorkLimit, {}, {said})
        .rule("a compilation does so much work and no more, on every machine alike");
  }

  EmitSource hashes() const {
    return {sha256(out_.source.text()), options_.config ? sha256(*options_.config) : ""};
  }

  // The plan of a program that only its budgets over bytes refuse: memory is planned, and can be looked at.
  void draw_refused() {
    const auto refused_by_budget = [](const Diagnostic& d) {
      return d.severity != Severity::Error || d.code == Code::BudgetRefused;
    };
    const auto& told = out_.diagnostics.list();
    if (!answered_ || !options_.write || !std::all_of(told.begin(), told.end(), refused_by_budget)) return;
    Diagnostics apart;  // what else is wrong is not this program's trouble now
    measure_memory(*graph_);
    Plan plan = emit(*graph_, out_.source, hashes(), apart);
    if (!apart.has_errors()) out_.plan = std::make_shared<const Plan>(std::move(plan));
  }

  void refuse_target() {
    Diagnostic& d = out_.diagnostics.report(Code::UnknownTarget, {}, {options_.target});
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
    Span place;
    auto config = Config::parse(*options_.config, &place);
    if (config) return *std::move(config);
    auto& told = out_.diagnostics.report(Code::ConfigUnreadable, place, {config.message()})
                     .in({options_.config_name, *options_.config});
    if (place.end > 0) told.at(place.begin < options_.config->size() ? "not expected here" : "it ends here");
    return std::nullopt;
  }

  bool wanted(const char* pass) const {
    const auto& list = options_.dump_after;
    return std::find(list.begin(), list.end(), pass) != list.end();
  }

  Compilation& out_;
  const CompileOptions& options_;
  const Change* narrower_ = nullptr;  // a dim's range, beside the program's own budgets
  std::shared_ptr<Graph> graph_;
  std::shared_ptr<Bindings> bindings_;         // null: not wanted
  std::optional<PublishedContext> published_;  // null: the config names none
  std::optional<Graph> written_;               // before it is ordered, where that is asked for
  Plan plan_;
  int64_t planned_for_ = 0;  // steps of Work that planning it took
  bool answered_ = false;    // memory is planned, budgets could be asked
};

std::span<const Pipeline::Pass> Pipeline::answering() {
  using P = Pipeline;
  static constexpr Pass kPasses[] = {
      {"elaborate",
       "Turns program and config into a flat graph: `let`s computed, loops unrolled, `fn`s inlined, phase by "
       "phase.",
       &P::read},
      {"retype", "Changes the dtype of states or weights, as `--retype` asks.", &P::replace_dtypes},
      {"retypable", "Marks the states and weights that `--retype` could change.", &P::find_retypable},
      {"shape", "Finds the type of every value, and the conditions under which shapes agree.",
       &P::find_types},
      {"unused", "Warns of statements, params and states that nothing reads.", &P::find_unused},
      {"rope-positions", "Warns of a rope whose positions do not count the rows in the cache.",
       &P::suspect_positions},
      {"budget", "Applies budgets over dims: they narrow a dim's range, or become a guard over several dims.",
       &P::narrow},
      {"fold", "Moves ops on weights alone to the load phase, each once.", &P::fold_weights},
      {"fuse", "Joins neighbouring ops for which there is one kernel.", &P::fuse_ops},
      {"select",
       "Chooses each op's kernel for the target, with its scratch bytes, and packs weights as the kernels "
       "read "
       "them.",
       &P::choose_kernels},
      {"sizes", "Chooses the sizes at which the plan's numbers are evaluated.", &P::choose_sizes,
       &P::graph_text, false},
      {"refused", "Explains why a size of `--dim` is not allowed.", &P::explain_sizes, &P::graph_text, false},
      {"alive", "Refuses programs with more tensors alive at once than can be placed.", &P::limit_alive},
      {"schedule", "Reorders ops where that lowers the peak; its dump ends with the peaks of other orders.",
       &P::order_ops, &P::orders_text},
      {"memory", "Decides windows, buffers and what each lies above: one placement for every size.",
       &P::place},
      {"windows", "Refuses a part of a tensor that lies outside it at some size.", &P::check_windows},
      {"logits", "Warns where the logits of all positions are the peak.", &P::suspect_logits},
      {"solve", "Answers budgets over bytes: the largest sizes that they allow.", &P::answer_budgets,
       &P::graph_text, false},
      {"advise", "Looks for changes that would meet a missed budget, each planned before it is named.",
       &P::look_for_changes},
  };
  return kPasses;
}

const Pipeline::Pass& Pipeline::writing() {
  static constexpr Pass kPass = {"emit", "Fills in and writes the plan.", &Pipeline::write,
                                 &Pipeline::plan_text};
  return kPass;
}

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
  static const std::vector<PassInfo> kPasses = Pipeline::infos();
  return kPasses;
}

}  // namespace irplan
