// Source and config to plan.json, in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "irplan/diagnostic.h"
#include "irplan/pack.h"
#include "irplan/version.h"

namespace irplan {

struct CompileOptions {
  std::string config_name = "config.json";
  std::optional<std::string> config;                         // the text of a config.json
  std::vector<std::pair<std::string, std::string>> lets;     // --let NAME=VALUE
  std::vector<std::pair<std::string, int64_t>> dims;         // --dim D=N
  std::vector<std::pair<std::string, std::string>> retypes;  // --retype state=f8e4m3, weights=q8_0
  std::vector<std::string> budgets;   // --budget "memory <= 24GiB", beside the program's
  std::string target = "cuda:sm_90";  // cpu | cuda[:sm_90]
  bool deny_warnings = false;
  std::vector<std::string> allow, deny;  // codes of warnings: "W0203"; left out, or errors
  bool keep_order = false;               // run ops in program order instead of the order with the lowest peak
  // Of the placement: portfolio; limited: where that leaves a gap to the bound, a search as well; exact:
  // without a limit, however long it takes.
  std::string strength = "portfolio";
  std::function<bool(const PackProgress&)> progress;  // of such a search, as in PackOptions
  bool advise = true;  // where a budget is missed, plan under other choices, to say what would make it fit
  bool write = true;   // false: diagnostics alone are wanted, there is no plan
  bool text = true;    // false: the plan is wanted as a record alone, its text stays empty
  bool emit = true;  // false: the graph alone is wanted, with its memory planned; there is no plan, nor `ok`
  bool bindings = false;                // what each name of the program is bound to is wanted, for an editor
  std::vector<std::string> dump_after;  // names of passes whose result is wanted as text
  std::function<void(const char*)> on_pass;  // called with the name of each pass when it is done, for timings
};

class Bindings;
struct Graph;
struct Plan;

struct Compilation {
  SourceText source;
  Diagnostics diagnostics;
  bool ok = false;        // no errors: there is a plan
  std::string plan_json;  // empty unless ok and written
  // What plan_json says, as a record; null unless written. Where nothing but budgets over bytes is wrong it
  // is there as well, at the sizes nearest to them, so that what takes the bytes can be seen; it is then no
  // plan to run.
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<const Graph> graph;        // what the passes made, as far as they came; may be null
  std::shared_ptr<const Bindings> bindings;  // where wanted; with types, even if a later pass found errors
  std::vector<std::pair<std::string, std::string>> dumps;  // pass -> text
  std::vector<std::string> unread_config_keys;             // "rope_scaling.factor"
};

Compilation compile(SourceText source, const CompileOptions& options);

// The passes in their order, each with the first sentence of its contract; for `irplan passes`.
struct PassInfo {
  const char* name;
  const char* contract;
};
const std::vector<PassInfo>& passes();

}  // namespace irplan
