// One step of one phase: inputs in, outputs out.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/times.h"
#include "tools/irplan-run/bench.h"
#include "tools/irplan-run/profile.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/sizes.h"
#include "tools/irplan-run/tensors.h"

namespace irplan::run {
namespace {

struct Given {
  uint32_t value;
  InputSpec spec;
};

std::optional<std::vector<Given>> open_inputs(const Plan& plan, const Options& options) {
  std::vector<Given> out;
  for (const NamedText& input : options.inputs) {
    const auto value = find_input(plan, input.name);
    if (!value) {
      std::vector<std::string> names;
      for (const Plan::Value& v : plan.values) {
        if (v.kind == Plan::Kind::Input) names.push_back(v.id);
      }
      fail(kFailed, "--input " + input.name + ": the plan has no such input" +
                        command::did_you_mean(input.name, names));
      return std::nullopt;
    }
    auto spec = InputSpec::open(input.text);
    if (!spec) return fail(kFailed, "--input " + input.name + ": " + spec.message()), std::nullopt;
    if (auto failure = spec->unlike(plan.values[*value])) return fail(kFailed, *failure), std::nullopt;
    out.push_back({*value, std::move(*spec)});
  }
  for (uint32_t i = 0; options.bench && i < plan.values.size(); ++i) {
    const auto here = std::any_of(out.begin(), out.end(), [&](const Given& g) { return g.value == i; });
    if (plan.values[i].kind == Plan::Kind::Input && !here) out.push_back({i, *InputSpec::open("random:1")});
  }
  return out;
}

// Inputs that the phase reads, directly or through windows, and nobody gave.
std::string missing_inputs(const Plan& plan, const Plan::Phase& phase, const std::vector<Given>& given) {
  std::string names;
  for (const uint32_t input : inputs_of(plan, phase)) {
    const bool here =
        std::any_of(given.begin(), given.end(), [&](const Given& g) { return g.value == input; });
    if (!here) names += (names.empty() ? "" : ", ") + plan.values[input].id;
  }
  return names;
}

Result<StepBinding> sizes_in(const Plan& plan, const Plan::Phase& phase, const Options& options,
                             const std::vector<Given>& given) {
  const std::string missing = missing_inputs(plan, phase, given);
  if (!missing.empty())
    return Error{"no --input is given for " + missing + ", which phase " + phase.name + " reads"};
  Sizes sizes(plan);
  if (auto failure = sizes.give(options.dims)) return Error{*failure};
  sizes.take_phase(phase);
  for (const Given& g : given) {
    const Plan::Value& value = plan.values[g.value];
    if (!g.spec.stored()) continue;
    if (auto failure = sizes.take_shape("input " + value.id, value.shape, g.spec.stored()->shape))
      return Error{*failure};
  }
  auto binding = sizes.binding();
  if (!binding) return binding.error();
  if (auto failure = check_ranges(plan, phase.name, *binding)) return Error{*failure};
  return binding;
}

// --phase, the only phase, or the only one that admits the sizes.
std::optional<Step> choose(const Plan& plan, const Options& options, const std::vector<Given>& given) {
  std::vector<const Plan::Phase*> candidates;
  std::string names;
  for (const Plan::Phase& phase : plan.phases) {
    names += (names.empty() ? "" : ", ") + phase.name;
    if (options.phase.empty() || phase.name == options.phase) candidates.push_back(&phase);
  }
  if (candidates.empty()) return fail(kFailed, no_such_phase(plan, options.phase)), std::nullopt;
  std::vector<Step> admitted;
  Failure refusal;
  for (const Plan::Phase* phase : candidates) {
    auto sizes = sizes_in(plan, *phase, options, given);
    if (sizes)
      admitted.push_back({phase->name, std::move(*sizes), 0});
    else if (!refusal)
      refusal = sizes.message();
  }
  if (admitted.size() == 1) return admitted[0];
  if (admitted.empty()) return fail(kFailed, *refusal), std::nullopt;
  fail(kFailed, "several phases allow these sizes: say --phase, one of " + names);
  return std::nullopt;
}

}  // namespace

Exit run_once(const Plan& plan, Backend& backend, const Options& options) {
  Results results;
  if (!results.open(plan, options)) return kFailed;
  if (auto failure = cannot_write_reports(options)) return fail(kFailed, *failure), kFailed;
  const auto given = open_inputs(plan, options);
  if (!given) return kFailed;
  const auto step = choose(plan, options, *given);
  if (!step) return kFailed;
  for (const std::string& name : results.names()) {
    const bool asked = !options.outputs.empty() || !options.expects.empty();
    if (asked && !find_output(plan, name, step->phase))
      return fail(kFailed, name + " is not an output of phase " + step->phase), kFailed;
  }
  if (auto failure = check_step(plan, *step)) return fail(kFailed, *failure), kFailed;
  const auto source = weights_for(plan, options);
  if (!source) return kFailed;
  Session session(plan, backend);
  if (!prepare(session, {*step}, *source, backend, options)) return kFailed;
  if (auto failure = session.bind(*step)) return fail(kFailed, *failure), kFailed;
  if (options.states == "zeros") {
    if (auto failure = session.clear_states()) return fail(kFailed, *failure), kFailed;
  }
  ScheduleReport(options).show(plan, session, *step);
  std::vector<InputArray> arrays_in;
  for (const Given& g : *given) {
    const Plan::Value& value = plan.values[g.value];
    std::vector<int64_t> shape;
    for (const Expr extent : value.shape) shape.push_back(evaluate(extent, step->sizes.dims).value_or(0));
    std::string table;
    const int64_t rows = table_rows(plan, g.value, step->sizes.dims, kRandomBelow, &table);
    auto array = g.spec.array(value, shape, rows);
    if (!array) return fail(kFailed, array.message()), kFailed;
    if (auto failure = ids_outside(plan, g.value, *array, step->sizes.dims))
      return fail(kFailed, *failure), kFailed;
    if (auto failure = session.set_input(g.value, *array)) return fail(kFailed, *failure), kFailed;
    if (options.bench) arrays_in.push_back({g.value, std::move(*array)});
  }
  if (options.bench) return run_bench(plan, backend, options, session, *step, arrays_in);
  const auto begin = std::chrono::steady_clock::now();
  if (options.profiles()) {
    Profile profile(plan);
    if (auto failure = profile.run(*step, [&](OpRange only) { return session.run(only); }))
      return fail(kFailed, *failure), kFailed;
    if (const Exit code = profile.show(options); code != kDone) return code;
  } else if (auto failure = session.run()) {
    return fail(kFailed, *failure), kFailed;
  }
  if (options.verbose) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::fprintf(stderr, "ran phase %s: %s\n", step->phase.c_str(), time_text(seconds).c_str());
  }
  std::map<std::string, HostArray> arrays;
  std::map<std::string, DType> dtypes;
  for (const std::string& name : results.names()) {
    const Plan::Output* output = find_output(plan, name, step->phase);
    if (!output) continue;
    auto array = session.read(output->value);
    if (!array) return fail(kFailed, array.message()), kFailed;
    arrays[name] = std::move(*array);
    dtypes[name] = plan.values[output->value].dtype;
  }
  return results.finish(arrays, dtypes);
}

}  // namespace irplan::run
