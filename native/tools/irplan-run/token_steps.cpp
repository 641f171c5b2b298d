#include "tools/irplan-run/token_steps.h"

#include <algorithm>
#include <string_view>

#include "tools/irplan-run/sizes.h"

namespace irplan::run {
namespace {

// The one dim that is `at` of every append; absent where nothing is appended.
Failure find_position(const Plan& plan, std::optional<DimIndex>* position) {
  for (const Plan::Op& op : plan.ops) {
    if (!op.row || !op.row->updates_state) continue;
    const Expr at = op.attrs["at"].expr();
    const auto dims = at ? dims_of(at) : std::vector<DimIndex>();
    if (dims.size() != 1 || !(at == plan.pool->dim(plan.dims[dims[0]].name)))
      return "`at` of op " + op.id + " is `" + (at ? at.text() : "none") + "`, not a dim";
    if (*position && **position != dims[0]) {
      return "appends are at two dims, " + plan.dims[**position].name + " and " + plan.dims[dims[0]].name;
    }
    *position = dims[0];
  }
  return std::nullopt;
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

Result<TokenSteps> TokenSteps::of(const Plan& plan, const Options& options) {
  const std::string option = options.requests.empty() ? "--tokens: " : "--requests: ";
  TokenSteps steps(plan);
  const auto input = find_input(plan, "tokens");
  if (!input) {
    std::string names;
    for (const Plan::Value& v : plan.values) {
      if (v.kind == Plan::Kind::Input) names += (names.empty() ? "" : ", ") + v.id;
    }
    return Error{option + "the plan has no input `tokens`; its inputs are given with --input: " + names};
  }
  const Plan::Value& tokens = plan.values[*input];
  if (tokens.shape.size() != 2 || (tokens.dtype != DType::I32 && tokens.dtype != DType::I64))
    return Error{option + "the plan's input `tokens` is not i32[B, S]"};
  steps.input_ = *input;
  steps.own_counts_ = ragged_counts(plan, tokens);
  if (auto failure = find_position(plan, &steps.position_)) return Error{option + *failure};
  for (const NamedSizes& given : options.dims) {
    if (!steps.position_ || given.name != plan.dims[*steps.position_].name) continue;
    return Error{"--dim " + given.name + ": it is the number of tokens held, which " +
                 option.substr(0, option.size() - 2) + " counts itself"};
  }
  for (const Plan::Phase& phase : plan.phases) {
    if (options.phase.empty() || phase.name == options.phase) steps.phases_.push_back(&phase);
  }
  if (steps.phases_.empty()) return Error{no_such_phase(plan, options.phase)};
  const auto rank = [](const Plan::Phase* phase) {
    return phase->name == "decode" ? 0 : phase->name == "prefill" ? 1 : 2;
  };
  std::stable_sort(steps.phases_.begin(), steps.phases_.end(),
                   [&](auto* a, auto* b) { return rank(a) < rank(b); });
  steps.given_ = options.dims;
  Sizes check(plan);
  if (auto failure = check.give(options.dims)) return Error{*failure};
  return steps;
}

Result<StepBinding> TokenSteps::sizes(const Plan::Phase& phase, const std::vector<int64_t>& counts,
                                      const std::vector<int64_t>& positions) const {
  Sizes sizes(*plan_);
  if (auto failure = sizes.give(given_)) return Error{*failure};
  if (position_) sizes.fix(*position_, positions);
  const bool alike = std::all_of(counts.begin(), counts.end(), [&](int64_t n) { return n == counts[0]; });
  if (!alike && !own_counts_) return Error{"steps have as many new tokens of each sequence"};
  const bool level =
      std::all_of(positions.begin(), positions.end(), [&](int64_t p) { return p == positions[0]; });
  if (!level && !ragged()) return Error{"sequences of one step hold as many tokens"};
  if (own_counts_) sizes.fix(*own_counts_, counts);
  const auto rows = static_cast<int64_t>(positions.size());
  const int64_t most = *std::max_element(counts.begin(), counts.end());
  if (auto failure = sizes.take_shape("tokens", plan_->values[input_].shape, {rows, most}))
    return Error{*failure};
  sizes.take_phase(phase);
  auto binding = sizes.binding();
  if (!binding) return binding.error();
  if (auto failure = check_ranges(*plan_, phase.name, *binding)) return Error{*failure};
  return binding;
}

Result<Step> TokenSteps::step(int64_t count, const std::vector<int64_t>& positions) const {
  return step(std::vector<int64_t>(positions.size(), count), positions);
}

Result<Step> TokenSteps::step(const std::vector<int64_t>& counts,
                              const std::vector<int64_t>& positions) const {
  // `decode` is tried first, but where nothing admits the step the reason of a phase for many tokens says
  // more.
  Error refusal;
  for (const Plan::Phase* phase : phases_) {
    auto binding = sizes(*phase, counts, positions);
    if (binding) return Step{phase->name, std::move(*binding), 0};
    if (refusal.message.empty() || phase->name != "decode") refusal = binding.error();
  }
  return refusal;
}

Result<Step> TokenSteps::largest(int64_t count, const std::vector<int64_t>& positions, int64_t* taken) const {
  *taken = count;
  if (auto whole = step(count, positions)) return whole;
  auto best = step(1, positions);
  if (!best) return best;
  int64_t admitted = 1, refused = count;
  while (refused - admitted > 1) {
    const int64_t middle = admitted + (refused - admitted) / 2;
    auto found = step(middle, positions);
    (found ? admitted : refused) = middle;
    if (found) best = std::move(found);
  }
  *taken = admitted;
  return best;
}

}  // namespace irplan::run
