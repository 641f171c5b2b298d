// The questions of `fit`, asked of a model: the point itself, the most of each size, what would make it fit.
#include "irplan/fit.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/sort.h"
#include "irplan/gpus.h"
#include "passes/retype.h"
#include "passes/suspect.h"
#include "service/fit/choose.h"
#include "service/fit/model.h"

namespace irplan {
namespace {

using fitting::Choice;
using fitting::Model;

constexpr int64_t kUsualContext = 8192;  // where none is asked: as the examples have it
constexpr size_t kMostPoints = 12;       // of the frontier
constexpr int64_t kLeastContext = 256;   // that is worth a place in it
constexpr int64_t kWorthTelling = 100;   // what saves less than this part of the memory is no advice

class Fitting {
 public:
  Fitting(const FitOptions& options, fitting::Chosen chosen)
      : options_(options), chosen_(std::move(chosen)), model_(chosen_.compiled.graph, chosen_.counted) {}

  Result<Fit> run() {
    out_.config_name = options_.config_name;
    out_.example = chosen_.example;
    out_.memory = options_.memory;
    out_.budgets = options_.budgets;
    out_.published = chosen_.published;
    out_.assumptions = chosen_.assumptions;
    out_.asked_context = options_.context.has_value();
    out_.asked_batch = options_.batch.has_value();
    short_factors_ = short_factors_up_to(*chosen_.compiled.graph);
    asked_ = {options_.context.value_or(usual_context()), options_.batch.value_or(1), options_.step,
              std::nullopt, std::nullopt};
    if (asked_.batch > fitting::kMostSequences)
      return Error{"a batch is at most " + std::to_string(fitting::kMostSequences) + " sequences"};
    if (asked_.batch > asked_.step)
      return Error{"a step of " + std::to_string(asked_.step) + " tokens has none for each of " +
                   std::to_string(asked_.batch) + " sequences"};
    look_closer();
    const auto point = at(asked_);
    if (!point)
      return Error{"the program allows no step with " + std::to_string(asked_.context) +
                   " tokens of context and a batch of " + std::to_string(asked_.batch)};
    out_.point = *point;
    out_.broken = broken(*point);
    out_.point.fits = !out_.broken;
    out_.stored = model_.stored();
    find_state();
    if (limited()) {
      out_.most_context = most_context(asked_);
      out_.most_batch = most_batch(asked_);
      find_frontier();
      if (out_.broken) find_changes();
    }
    find_notes();
    find_commands();
    return std::move(out_);
  }

 private:
  bool limited() const { return options_.memory || !options_.budgets.empty(); }

  // What the examples hold where nobody says.
  int64_t usual_context() const {
    const int64_t longest = model_.longest();
    return longest > kUsualContext ? std::min(kUsualContext, short_factors_.value_or(kUsualContext))
                                   : longest;
  }

  std::optional<std::string> broken(const FitPoint& point) const {
    if (options_.memory && point.bytes.total() > *options_.memory)
      return "memory <= " + std::to_string(*options_.memory) + "B";
    return model_.broken(point);
  }
  // A cache that is shorter than the longest step makes steps shorter, and a plan for such steps alone may
  // place them with other padding: there that plan is asked.
  void look_closer() {
    if (asked_.context >= model_.longest_step()) return;
    auto chosen = fitting::choose(options_, asked_.context);
    if (chosen && chosen->example == chosen_.example)
      closer_.emplace(chosen->compiled.graph, chosen->counted);
  }
  std::optional<FitPoint> at(const Choice& choice) const {
    return (closer_ && choice.context == asked_.context ? *closer_ : model_).at(choice);
  }

  bool fits(const Choice& choice) const {
    const auto point = at(choice);
    return point && !broken(*point);
  }

  // The largest n of a range that is good, which every smaller one is as well; 0 where not even the least is.
  static int64_t most(int64_t least, int64_t end, const std::function<bool(int64_t)>& good) {
    if (end < least || !good(least)) return 0;
    if (good(end)) return end;
    int64_t low = least, high = end;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (good(middle) ? low : high) = middle;
    }
    return low;
  }

  int64_t most_context(Choice choice) const {
    return most(1, model_.longest(), [&](int64_t n) { return choice.context = n, fits(choice); });
  }
  int64_t most_batch(Choice choice) const {
    return most(1, std::min(fitting::kMostSequences, choice.step),
                [&](int64_t n) { return choice.batch = n, fits(choice); });
  }

  // By how much the state of one sequence grows for a token, and what of it does not. Starts are aligned, so
  // that rows are counted by the many.
  void find_state() {
    constexpr int64_t kRows = 256;
    const int64_t longest = model_.longest(), rows = longest < 2 * kRows ? 1 : kRows;
    Choice one = asked_;
    one.batch = 1;
    one.context = longest / rows * rows;
    const auto long_one = at(one);
    one.context -= rows;
    const auto short_one = one.context > 0 ? at(one) : std::nullopt;
    if (!long_one || !short_one) return;
    out_.state_per_token = (long_one->bytes.state - short_one->bytes.state) / rows;
    out_.state_per_sequence = long_one->bytes.state - out_.state_per_token * (longest / rows * rows);
  }

  // The points of which none admits more in both.
  void find_frontier() {
    std::vector<int64_t> batches;
    for (int64_t n = 1; n <= std::min(fitting::kMostSequences, asked_.step); n *= 2) batches.push_back(n);
    if (out_.most_batch > 0) batches.push_back(out_.most_batch);
    batches.push_back(asked_.batch);
    sort_range(batches.begin(), batches.end());
    batches.erase(std::unique(batches.begin(), batches.end()), batches.end());
    for (const int64_t batch : batches) {
      Choice choice = asked_;
      choice.batch = batch;
      const int64_t context = most_context(choice);
      if (context == 0 || (context < kLeastContext && !out_.frontier.empty())) break;
      if (!out_.frontier.empty() && out_.frontier.back().second == context) out_.frontier.pop_back();
      out_.frontier.emplace_back(batch, context);
    }
    while (out_.frontier.size() > kMostPoints) out_.frontier.erase(out_.frontier.begin());
  }

  // ---- what would make it fit

  void add(const std::string& change, const std::string& what, const Choice& choice) {
    add(change, what, at(choice));
  }
  void add(const std::string& change, const std::string& what, const std::optional<FitPoint>& point) {
    if (!point) return;
    const int64_t now = out_.point.bytes.total(), then = point->bytes.total();
    const bool good = !broken(*point);
    if (then < now && (good || now - then > now / kWorthTelling))
      out_.changes.push_back({change, what, then, good});
  }

  void try_smaller_step() {
    Choice choice = asked_;
    const int64_t now = std::min(asked_.step, largest_step());
    for (int64_t step = 1; step < now; step *= 2) {
      if (step >= asked_.batch) choice.step = step;
      if (step * 2 >= now) break;
      Choice next = choice;
      next.step = std::max(step * 2, asked_.batch);
      if (!fits(next)) break;
    }
    add("--step " + std::to_string(choice.step), "steps of fewer tokens: a prompt takes more of them",
        choice);
  }

  // Tokens of the largest step as it stands.
  int64_t largest_step() const {
    int64_t most = 1;
    for (const FitStep& step : out_.point.steps) {
      for (const auto& [name, size] : step.dims) {
        if (name == fitting::kStep) most = std::max(most, size * asked_.batch);
      }
    }
    return most;
  }

  struct FewerBits {
    std::string change, what;
    Choice choice;
  };

  // Fewer bits, alone and together, those that keep more first.
  std::vector<FewerBits> fewer_bits() const {
    std::vector<FewerBits> out;
    const OfferedRetype* state = nullptr;
    const auto text = [](const OfferedRetype& r) {
      return std::string("--retype ") + r.part + "=" + name(r.dtype);
    };
    for (const OfferedRetype& offered : kOfferedRetypes) {
      if (!model_.shrinks(offered.kind, offered.dtype)) continue;
      Choice choice = asked_;
      (offered.kind == ValueKind::State ? choice.state : choice.weights) = offered.dtype;
      out.push_back({text(offered), offered.what, choice});
      if (offered.kind == ValueKind::State) state = &offered;
      if (offered.kind == ValueKind::State || !state) continue;
      choice.state = state->dtype;
      out.push_back(
          {text(offered) + " " + text(*state), std::string(offered.what) + ", " + state->what, choice});
    }
    return out;
  }

  // Where nothing alone is enough: fewer bits, and as much of a size as then fits.
  void try_together() {
    for (const FewerBits& fewer : fewer_bits()) {
      Choice shorter = fewer.choice, less = fewer.choice;
      shorter.context = most_context(fewer.choice);
      less.batch = most_batch(fewer.choice);
      if (shorter.context >= kLeastContext)
        add(fewer.change + " --context " + std::to_string(shorter.context),
            fewer.what + ", shorter sequences", shorter);
      if (less.batch > 0)
        add(fewer.change + " --batch " + std::to_string(less.batch), fewer.what + ", fewer sequences", less);
    }
  }

  // Experts that the example reads in mxfp4 as well, as gpt-oss is published.
  void try_mxfp4() {
    const auto other = fitting::choose_mxfp4(options_, chosen_);
    if (!other) return;
    add("\"quantization_config\": {\"quant_method\": \"mxfp4\"}",
        "in the config, with a checkpoint whose experts are in mxfp4",
        Model(other->compiled.graph).at(asked_));
  }

  void try_sizes() {
    Choice shorter = asked_, fewer = asked_;
    shorter.context = out_.most_context;
    fewer.batch = out_.most_batch;
    if (shorter.context > 0 && shorter.context < asked_.context)
      add("--context " + std::to_string(shorter.context), "shorter sequences", shorter);
    if (fewer.batch > 0 && fewer.batch < asked_.batch)
      add("--batch " + std::to_string(fewer.batch), "fewer sequences at once", fewer);
  }

  // What gives up nothing but time, then what gives up little, comes first; more memory last.
  void find_changes() {
    try_smaller_step();
    for (const FewerBits& fewer : fewer_bits()) add(fewer.change, fewer.what, fewer.choice);
    try_mxfp4();
    try_sizes();
    const auto good = [](const FitChange& change) { return change.fits; };
    if (std::none_of(out_.changes.begin(), out_.changes.end(), good)) try_together();
    if (!options_.memory) return;
    for (const Gpu& gpu : gpus()) {
      const int64_t left = left_bytes(gpu);
      if (left <= *options_.memory || left < out_.point.bytes.total() || model_.broken(out_.point)) continue;
      out_.changes.push_back({std::string("--gpu ") + gpu.name,
                              std::string("the smallest that holds it: ") + gpu.title,
                              out_.point.bytes.total(), true});
      return;
    }
  }

  // ---- what else there is to say

  void find_notes() {
    for (const Diagnostic& d : chosen_.compiled.diagnostics.list()) {
      // Budgets and the length of caches are answered in the words of whoever asks.
      if (d.severity != Severity::Warning || d.code == Code::BudgetNarrows || d.code == Code::LongFactors ||
          d.code == Code::BeyondPositions)
        continue;
      // The context that was asked for stands in place of the config's own.
      if (d.code == Code::UnusedMayChangeModel &&
          d.message.find("`config.max_position_embeddings`") != std::string::npos)
        continue;
      out_.notes.push_back(d.message);
    }
    note_long_factors();
    note_sequences();
    if (out_.beyond_published())
      out_.notes.push_back("the config has a context of " + std::to_string(*out_.published) +
                           " tokens; how well the model does beyond it is not known");
  }

  void note_long_factors() {
    if (!short_factors_ || asked_.context <= *short_factors_) return;
    const std::string most = std::to_string(*short_factors_);
    out_.notes.push_back(
        "a context of " + std::to_string(asked_.context) +
        " tokens takes the model's long rope factors for every text, short ones too; for texts "
        "of up to " +
        most + " tokens say --context " + most);
  }

  // Batches that are told and that the example's own range leaves out.
  void note_sequences() {
    const int64_t most = chosen_.most_sequences;
    const int64_t at_context = std::max(asked_.batch, out_.most_batch);
    const int64_t told = std::max(at_context, out_.frontier.empty() ? 0 : out_.frontier.back().first);
    if (most <= 0 || told <= most) return;
    const int64_t wanted = at_context > most ? at_context : told;
    out_.notes.push_back(chosen_.example + ".irplan as it stands admits up to " + std::to_string(most) +
                         " sequences: for a batch of " + std::to_string(wanted) + " write `dim B in 1.." +
                         std::to_string(wanted) + "` there");
  }

  void find_commands() {
    if (!chosen_.assumptions.empty()) return;
    const std::string program = chosen_.example + ".irplan", config = " --config " + options_.config_name;
    out_.commands.push_back("irplan new " + program + config);
    if (chosen_.most_sequences > 0 && asked_.batch > chosen_.most_sequences)
      out_.commands.push_back("sed -i 's/^dim B in 1[.][.]" + std::to_string(chosen_.most_sequences) +
                              "/dim B in 1.." + std::to_string(asked_.batch) + "/' " + program);
    std::string plan = "irplan plan " + program + config + " --let C=" + std::to_string(asked_.context);
    for (const auto& [name, value] : options_.lets) plan += " --let '" + name + "=" + value + "'";
    for (const auto& [what, dtype] : options_.retypes) plan += " --retype " + what + "=" + dtype;
    for (const std::string& budget : options_.budgets) plan += " --budget '" + budget + "'";
    int64_t step = 1;
    for (const FitStep& s : out_.point.steps) {
      for (const auto& [name, size] : s.dims) step = name == fitting::kStep ? std::max(step, size) : step;
    }
    plan += " --dim B=" + std::to_string(asked_.batch) + " --dim S=" + std::to_string(step) + " -o plan.json";
    out_.commands.push_back(std::move(plan));
  }

  const FitOptions& options_;
  fitting::Chosen chosen_;
  Model model_;
  std::optional<Model> closer_;           // of caches as long as is asked
  std::optional<int64_t> short_factors_;  // the most tokens that they are for, where rope has two tables
  Choice asked_;
  Fit out_;
};

}  // namespace

Result<Fit> fit(const FitOptions& options) {
  for (const auto& [what, n] :
       {std::pair("memory", options.memory.value_or(1)), std::pair("context", options.context.value_or(1)),
        std::pair("batch", options.batch.value_or(1)), std::pair("step", options.step)}) {
    if (n < 1) return Error{std::string(what) + " is at least 1, not " + std::to_string(n)};
  }
  for (const auto& [name, value] : options.lets) {
    if (name == fitting::kContext) return Error{"`C` is what --context gives"};
  }
  auto chosen = fitting::choose(options);
  if (!chosen) return chosen.error();
  return Fitting(options, *std::move(chosen)).run();
}

}  // namespace irplan
