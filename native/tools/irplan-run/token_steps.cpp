#include "tools/irplan-run/token_steps.h"

#include <algorithm>
#include <string_view>

#include "tools/irplan-run/sizes.h"

namespace irplan::run {
namespace {

// The one dim that is `at` of every append; absent where nothing is appended.
bool find_position(const Plan& plan, std::optional<DimIndex>* position, std::string* why) {
  for (const Plan::Op& op : plan.ops) {
    if (!op.row || !op.row->updates_state) continue;
    const Expr at = op.attrs["at"].expr();
    const auto dims = at ? dims_of(at) : std::vector<DimIndex>();
    if (dims.size() != 1 || !(at == plan.pool->dim(plan.dims[dims[0]].name)))
      return *why = "`at` of op " + op.id + " is `" + (at ? at.text() : "none") + "`, not a dim", false;
    if (*position && **position != dims[0]) {
      return *why =
                 "appends are at two dims, " + plan.dims[**position].name + " and " + plan.dims[dims[0]].name,
             false;
    }
    *position = dims[0];
  }
  return true;
}

// Whether a phase has but one new token of each sequence.
bool takes_one(const Plan& plan, const std::string& phase, DimIndex counts) {
  const Plan::Phase* found = find_phase(plan, phase);
  return found && std::any_of(found->dims.begin(), found->dims.end(), [&](const Plan::PhaseDim& own) {
           return own.name == plan.dims[counts].name && own.max == 1;
         });
}

// The ragged dim that is axis 1 of the tokens and of all logits; none where there is no such one.
std::optional<DimIndex> ragged_counts(const Plan& plan, const Plan::Value& tokens) {
  for (DimIndex d = 0; d < plan.dims.size(); ++d) {
    if (plan.dims[d].per.empty() || !(tokens.shape[1] == plan.pool->dim(plan.dims[d].name))) continue;
    const bool each = std::all_of(plan.outputs.begin(), plan.outputs.end(), [&](const Plan::Output& output) {
      const Shape& shape = plan.values[output.value].shape;
      if (output.name != "logits") return true;
      return shape.size() == 3 && (shape[1] == tokens.shape[1] || takes_one(plan, output.phase, d));
    });
    if (each) return d;
  }
  return std::nullopt;
}

}  // namespace

std::optional<TokenSteps> TokenSteps::of(const Plan& plan, const Options& options, std::string* why) {
  const std::string option = options.requests.empty() ? "--tokens: " : "--requests: ";
  TokenSteps steps(plan);
  const auto input = find_input(plan, "tokens");
  if (!input) {
    std::string names;
    for (const Plan::Value& v : plan.values) {
      if (v.kind == Plan::Kind::Input) names += (names.empty() ? "" : ", ") + v.id;
    }
    *why = option + "the plan has no input `tokens`; its inputs are given with --input: " + names;
    return std::nullopt;
  }
  const Plan::Value& tokens = plan.values[*input];
  if (tokens.shape.size() != 2 || (tokens.dtype != DType::I32 && tokens.dtype != DType::I64))
    return *why = option + "the plan's input `tokens` is not i32[B, S]", std::nullopt;
  steps.input_ = *input;
  steps.own_counts_ = ragged_counts(plan, tokens);
  if (!find_position(plan, &steps.position_, why)) return *why = option + *why, std::nullopt;
  for (const NamedSizes& given : options.dims) {
    if (!steps.position_ || given.name != plan.dims[*steps.position_].name) continue;
    *why = "--dim " + given.name + ": it is the number of tokens held, which " +
           option.substr(0, option.size() - 2) + " counts itself";
    return std::nullopt;
  }
  for (const Plan::Phase& phase : plan.phases) {
    if (options.phase.empty() || phase.name == options.phase) steps.phases_.push_back(&phase);
  }
  if (steps.phases_.empty()) return *why = no_such_phase(plan, options.phase), std::nullopt;
  const auto rank = [](const Plan::Phase* phase) {
    return phase->name == "decode" ? 0 : phase->name == "prefill" ? 1 : 2;
  };
  std::stable_sort(steps.phases_.begin(), steps.phases_.end(),
                   [&](auto* a, auto* b) { return rank(a) < rank(b); });
  steps.given_ = options.dims;
  Sizes check(plan);
  if (auto failure = check.give(options.dims)) return *why = *failure, std::nullopt;
  return steps;
}

std::optional<StepBinding> TokenSteps::sizes(const Plan::Phase& phase, const std::vector<int64_t>& counts,
                                             const std::vector<int64_t>& positions, std::string* why) const {
  Sizes sizes(*plan_);
  if (auto failure = sizes.give(given_)) return *why = *failure, std::nullopt;
  if (position_) sizes.fix(*position_, positions);
  const bool alike = std::all_of(counts.begin(), counts.end(), [&](int64_t n) { return n == counts[0]; });
  if (!alike && !own_counts_) return *why = "steps have as many new tokens of each sequence", std::nullopt;
  const bool level =
      std::all_of(positions.begin(), positions.end(), [&](int64_t p) { return p == positions[0]; });
  if (!level && !ragged()) return *why = "sequences of one step hold as many tokens", std::nullopt;
  if (own_counts_) sizes.fix(*own_counts_, counts);
  const auto rows = static_cast<int64_t>(positions.size());
  const int64_t most = *std::max_element(counts.begin(), counts.end());
  if (auto failure = sizes.take_shape("tokens", plan_->values[input_].shape, {rows, most}))
    return *why = *failure, std::nullopt;
  sizes.take_phase(phase);
  auto binding = sizes.binding(why);
  if (!binding) return std::nullopt;
  if (auto failure = check_ranges(*plan_, phase.name, *binding)) return *why = *failure, std::nullopt;
  return binding;
}

std::optional<Step> TokenSteps::step(int64_t count, const std::vector<int64_t>& positions,
                                     std::string* why) const {
  return step(std::vector<int64_t>(positions.size(), count), positions, why);
}

std::optional<Step> TokenSteps::step(const std::vector<int64_t>& counts,
                                     const std::vector<int64_t>& positions, std::string* why) const {
  // `decode` is tried first, but where nothing admits the step the reason of a phase for many tokens says
  // more.
  for (const Plan::Phase* phase : phases_) {
    std::string reason;
    auto binding = sizes(*phase, counts, positions, &reason);
    if (binding) return Step{phase->name, std::move(*binding), 0};
    if (why->empty() || phase->name != "decode") *why = reason;
  }
  return std::nullopt;
}

std::optional<Step> TokenSteps::largest(int64_t count, const std::vector<int64_t>& positions, int64_t* taken,
                                        std::string* why) const {
  std::string reason;
  *taken = count;
  if (auto whole = step(count, positions, &reason)) return whole;
  auto best = step(1, positions, why);
  if (!best) return std::nullopt;
  int64_t admitted = 1, refused = count;
  while (refused - admitted > 1) {
    const int64_t middle = admitted + (refused - admitted) / 2;
    std::string ignored;
    auto found = step(middle, positions, &ignored);
    (found ? admitted : refused) = middle;
    if (found) best = std::move(found);
  }
  *taken = admitted;
  return best;
}

}  // namespace irplan::run
