#include "service/serve_parts.h"

#include <optional>

#include "irplan/fit.h"
#include "irplan/gpus.h"
#include "irplan/new_program.h"
#include "irplan/pack.h"
#include "plan/diff.h"
#include "report/explain.h"
#include "report/picture.h"

namespace irplan::serving {

namespace {

std::optional<int64_t> number_of(const json& object, const char* key) {
  const json* value = member(object, key);
  return value && value->is_number_integer() ? std::optional(value->get<int64_t>()) : std::nullopt;
}

// Why no phase is the one that is asked for; none where it is there, or all are asked.
std::optional<std::string> no_phase(const Plan& plan, const std::string& name) {
  std::string names;
  for (const Plan::Phase& phase : plan.phases) {
    if (name.empty() || phase.name == name) return std::nullopt;
    names += (names.empty() ? "" : ", ") + phase.name;
  }
  return "there is no phase `" + name + "`; there are " + names;
}

}  // namespace

std::string explain(const Plan& plan, const json& request) {
  const std::string phase = text_of(request, "phase");
  if (const auto why = no_phase(plan, phase)) return failure(*why);
  const report::Report made = report::make_report(plan);
  report::FromProgram program;
  program.is_there = false;
  const auto width = static_cast<size_t>(number_of(request, "width").value_or(100));
  const std::string text = report::explain_text(made, program, phase, {width, false});
  return "{\"text\":" + dump(text) + ",\"report\":" + report::explain_json(made, program, phase) + "}";
}

std::string picture(const Plan& plan, const json& request) {
  const std::string name = text_of(request, "phase");
  if (const auto why = no_phase(plan, name)) return failure(*why);
  const report::Report made = report::make_report(plan);
  const report::PhaseReport* drawn = nullptr;  // the one with the largest peak unless told
  for (const report::PhaseReport& p : made.phases) {
    const bool larger = !drawn || p.phase->peak_bytes > drawn->phase->peak_bytes;
    if (name.empty() ? larger : p.phase->name == name) drawn = &p;
  }
  if (!drawn) return failure("the plan has no phase to draw");
  return dump(json{{"svg", report::svg_timeline(made, *drawn)}, {"phase", drawn->phase->name}});
}

std::string diff(const json& request) {
  std::optional<Plan> plans[2];
  for (int i = 0; i < 2; ++i) {
    const char* key = i == 0 ? "before" : "after";
    auto plan = read_plan(text_of(request, key));
    if (!plan) return failure(std::string("`") + key + "` is not a plan: " + plan.message());
    plans[i] = *std::move(plan);
  }
  return "{\"changes\":" + diff_plans_json(*plans[0], *plans[1]) +
         ",\"text\":" + dump(diff_plans(*plans[0], *plans[1])) + "}";
}

std::string fit(const json& request) {
  FitOptions options;
  options.config_name = text_of(request, "config_name", options.config_name.c_str());
  options.config = text_of(request, "config");
  options.memory = number_of(request, "memory");
  const std::string memory = text_of(request, "memory"), gpu = text_of(request, "gpu");
  std::string assumed;
  if (!memory.empty() && !(options.memory = read_bytes(memory)))
    return failure("`memory` takes bytes with a unit, 24GiB or 23.58GiB, not `" + memory + "`");
  if (!gpu.empty()) {
    std::string nearby;
    const Gpu* known = find_gpu(gpu, &nearby);
    if (!known)
      return failure("the GPU `" + gpu + "` is not known" +
                     (nearby.empty() ? "" : "; did you mean `" + nearby + "`?"));
    options.memory = left_bytes(*known);
    assumed = left_text(*known);
  }
  options.context = number_of(request, "context");
  options.batch = number_of(request, "batch");
  options.step = number_of(request, "step").value_or(options.step);
  options.lets = texts_by_name(request, "lets");
  options.retypes = texts_by_name(request, "retypes");
  options.budgets = texts_of(request, "budgets");
  options.target = text_of(request, "target", options.target.c_str());
  auto found = irplan::fit(options);
  if (!found) return failure(found.message());
  if (!assumed.empty()) found->assumptions.push_back(assumed);
  return "{\"text\":" + dump(fit_text(*found)) + ",\"fit\":" + fit_json(*found) + "}";
}

std::string known_gpus() {
  json list = json::array();
  for (const Gpu& gpu : gpus())
    list.push_back({{"name", gpu.name},
                    {"title", gpu.title},
                    {"arch", gpu.arch},
                    {"bytes", gpu.mebibytes << 20},
                    {"left", left_bytes(gpu)}});
  return dump(json{{"gpus", std::move(list)}});
}

std::string new_program(const json& request) {
  const auto made = irplan::new_program(text_of(request, "config"));
  if (!made) return failure(made.message());
  return dump(json{{"text", made->text},
                   {"example", made->example},
                   {"fits", made->fits},
                   {"unread_config_keys", made->unread_keys},
                   {"errors", made->errors}});
}

std::string pack(const json& request) {
  const json* problem = member(request, "problem");
  auto table = problem ? read_pack_json(dump(*problem)) : read_pack_csv(text_of(request, "csv"));
  if (!table) return failure(table.message());
  PackOptions options;
  options.strength = find_strength(text_of(request, "strength", "limited")).value_or(Strength::Limited);
  options.capacity = number_of(request, "capacity");
  if (options.capacity) table->capacity = options.capacity;
  options.capacity = table->capacity;
  const PackResult result = irplan::pack(*table, options);
  json reply{{"verdict", name(verdict_of(result, options.capacity))},
             {"height", result.height},
             {"bound", result.bound},
             {"proven", result.proven},
             {"offsets", result.offsets}};
  if (problem)
    reply["problem"] = json::parse(write_pack_json(*table, result));
  else
    reply["csv"] = write_pack_csv(*table, result);
  if (result.clash) reply["conflict"] = {table->ids[result.clash->first], table->ids[result.clash->second]};
  if (!result.clash && options.capacity && result.height > *options.capacity && table->needs.empty()) {
    const PackConflict conflict = find_conflict(table->buffers, *options.capacity, result);
    json ids = json::array();
    for (const uint32_t i : conflict.buffers) ids.push_back(table->ids[i]);
    reply["conflict"] = std::move(ids);
    reply["irreducible"] = conflict.irreducible;
  }
  return dump(reply);
}

}  // namespace irplan::serving
