#include "report/advice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/sort.h"
#include "report/columns.h"

namespace irplan::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kWorthTelling = 100;  // what saves less than this part of the memory is no advice

int64_t total(const Plan& plan) {
  const Plan::Segments& s = plan.memory.segments;
  return s.weights + s.state + s.inputs + s.arena;
}

// "--dim B=9 --dim S=68": the sizes of the numbers, of dims that bytes depend on and a program leaves open.
std::string pinned(const Plan& plan) {
  std::vector<bool> sized(plan.dims.size());
  for (const Plan::Buffer& b : plan.buffers) {
    for (const DimIndex dim : dims_of(b.bytes)) {
      if (dim < sized.size()) sized[dim] = true;
    }
  }
  std::string out;
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const Plan::Dim& dim = plan.dims[i];
    if (!sized[i] || dim.max == dim.min) continue;
    out += (out.empty() ? "--dim " : " --dim ") + dim.name + "=" + std::to_string(dim.value);
  }
  return out;
}

// " with S = 68, T = 4": the values of the other dims that a budget depends on, in its phase.
std::string others_text(const Plan& plan, const Plan::Answer& answer, const std::string& name) {
  std::string out;
  for (const Plan::Dim& dim : plan.dims) {
    const auto is_it = [&](const auto& m) { return m.first == dim.name; };
    if (dim.name == name || std::none_of(answer.max.begin(), answer.max.end(), is_it)) continue;
    int64_t value = dim.value;
    for (const Plan::Phase& phase : plan.phases) {
      for (const Plan::PhaseDim& own : phase.dims) {
        if (phase.name == answer.phase && own.name == dim.name) value = own.value;
      }
    }
    out += (out.empty() ? " with " : ", ") + dim.name + " = " + std::to_string(value);
  }
  return out;
}

Json sizes_json(const Plan::Sizes& sizes) {
  Json out = Json::object();
  for (const auto& [name, n] : sizes) out[name] = n;
  return out;
}

std::string frontier_text(const Plan::Frontier& f) {
  std::string first = left(f.first, f.second.size()), second = left(f.second, f.first.size());
  for (const auto& [a, b] : f.points) {
    const std::string x = std::to_string(a), y = std::to_string(b);
    const size_t width = std::max(x.size(), y.size());
    first += "  " + right(x, width);
    second += "  " + right(y, width);
  }
  return "    at most   " + first + "\n        with  " + second + "\n";
}

std::string change_text(const Plan::Change& change) {
  if (change.ok)
    return "fits all declared sizes" + (change.bytes > 0 ? ", with " + bytes_text(change.bytes) : "");
  if (change.max.empty()) return "fits the smallest sizes";
  return "allows " + change.max[0].first + " <= " + std::to_string(change.max[0].second);
}

std::string limits_text(const Plan& plan, const Plan::Answer& answer) {
  std::string out;
  for (const auto& [name, n] : answer.max) {
    out += "    " + name + " <= " + std::to_string(n) + " fits" + others_text(plan, answer, name);
    for (const auto& [other, least] : answer.beyond) {
      if (other != name) continue;
      out += least == n + 1 ? ", and no placement of this order of ops fits more"
                            : "; " + name + " >= " + std::to_string(least) +
                                  " fits under no placement of this order of ops";
    }
    out += "\n";
  }
  return out;
}

// "    decode     uses 1.15 GiB; B <= 4096 fits with T = 1": what one phase by itself admits.
std::string phase_text(const Plan& plan, const Plan::Answer& answer) {
  std::string out = "    " + left(answer.phase, 10);
  if (answer.used_bytes) out += " uses " + bytes_text(*answer.used_bytes);
  for (const auto& [name, n] : answer.max)
    out += "; " + name + " <= " + std::to_string(n) + " fits" + others_text(plan, answer, name);
  return out + "\n";
}

Json answer_json(const Plan::Answer& answer) {
  Json row = Json::object();
  if (!answer.phase.empty()) row["phase"] = answer.phase;
  row["ok"] = answer.ok;
  row["max"] = sizes_json(answer.max);
  if (answer.used_bytes) row["used_bytes"] = *answer.used_bytes;
  row["beyond"] = sizes_json(answer.beyond);
  row["frontier"] = Json::array();
  for (const Plan::Frontier& f : answer.frontier)
    row["frontier"].push_back({{"dims", {f.first, f.second}}, {"points", f.points}});
  return row;
}

}  // namespace

// ---- tokens

// A step's rows are tokens where the input holds their ids, and rows of it elsewhere.
std::string tokens_text(const Plan& plan, const Plan::Tokens& tokens) {
  if (tokens.a_step <= 0) return "";
  const auto counted = [](const Plan::Value& v) {
    return v.kind == Plan::Kind::Input && v.shape.size() >= 2;
  };
  const auto input = std::find_if(plan.values.begin(), plan.values.end(), counted);
  if (input != plan.values.end() && is_float(input->dtype))
    return "  rows      " + std::to_string(tokens.a_step) + " of " + input->id +
           " a step: " + bytes_text(tokens.arena_bytes_each) + " of arena each\n";
  return "  tokens    " + std::to_string(tokens.a_step) + " a step: " + bytes_text(tokens.arena_bytes_each) +
         " of arena each\n";
}

std::string state_tokens_text(const Plan& plan, const Binding& binding) {
  const Plan::Tokens& tokens = plan.phases.front().tokens;
  std::string out;
  const auto grows = [](const Plan::Value& v) {
    return v.kind == Plan::Kind::State && v.layout != Plan::Layout::Ring;
  };
  const auto state = std::find_if(plan.values.begin(), plan.values.end(), grows);
  if (tokens.state_bytes_each > 0 && state != plan.values.end()) {
    Evaluator evaluate(*plan.pool, binding);
    const int64_t sequences = evaluate(state->shape[0]).value_or(0),
                  rows = evaluate(state->shape[1]).value_or(0);
    out += "    " + bytes_text(tokens.state_bytes_each) + " for each token that a sequence may keep; " +
           std::to_string(sequences) + (sequences == 1 ? " sequence of " : " sequences of ") +
           std::to_string(rows) + "\n";
  }
  if (tokens.ring_bytes_each_sequence > 0)
    out += "    " + bytes_text(tokens.ring_bytes_each_sequence) +
           " for each sequence in rings, however long it gets\n";
  return out;
}

Json tokens_json(const Plan::Tokens& tokens) {
  return {{"a_step", tokens.a_step},
          {"arena_bytes_each", tokens.arena_bytes_each},
          {"state_bytes_each", tokens.state_bytes_each},
          {"ring_bytes_each_sequence", tokens.ring_bytes_each_sequence}};
}

// ---- what would lower the memory

std::vector<Plan::Lighter> all_lighter(const Plan& plan, const std::vector<Plan::Lighter>& of_program) {
  std::vector<Plan::Lighter> out = plan.memory.lighter;
  for (const Plan::Lighter& change : of_program) {
    if (total(plan) - change.bytes >= std::max<int64_t>(1, total(plan) / kWorthTelling))
      out.push_back(change);
  }
  sort_range(out.begin(), out.end(),
             [](const Plan::Lighter& a, const Plan::Lighter& b) { return a.bytes < b.bytes; });
  return out;
}

std::string lighter_text(const Plan& plan, const std::vector<Plan::Lighter>& changes, bool program_is_there) {
  if (changes.empty() && program_is_there) return "";
  const std::string sizes = pinned(plan);
  std::string out = "ways to lower it";
  if (!sizes.empty() && !changes.empty())
    out += " at these sizes (add " + sizes + " to keep the other sizes fixed)";
  out += "\n";
  for (const Plan::Lighter& change : changes) {
    out += "  " + left(change.change, 24) + right(bytes_text(change.bytes), 11) + "  (" +
           bytes_text(total(plan) - change.bytes) + " less)  " + change.what + "\n";
  }
  if (!program_is_there)
    out += "  run `irplan explain` on the .irplan file to see what a shorter cache saves\n";
  return out + "\n";
}

Json lighter_json(const std::vector<Plan::Lighter>& changes) {
  Json out = Json::array();
  for (const Plan::Lighter& change : changes)
    out.push_back({{"change", change.change}, {"what", change.what}, {"bytes", change.bytes}});
  return out;
}

// ---- budgets

std::string budgets_text(const Plan& plan) {
  if (plan.budget.empty()) return "";
  std::string out = "budgets\n";
  for (const Plan::Budget& b : plan.budget) {
    out += (b.line == 0 ? "  --budget " : "  line " + left(std::to_string(b.line), 4) + " ") +
           left(b.expr, 28) + (b.ok ? " holds at all sizes" : " narrows the sizes");
    if (b.used_bytes && b.limit_bytes)
      out += "; uses " + bytes_text(*b.used_bytes) + " of " + bytes_text(*b.limit_bytes);
    out += "\n" + limits_text(plan, b);
    for (const Plan::Frontier& f : b.frontier) out += frontier_text(f);
    for (const Plan::Answer& phase : b.phases) out += phase_text(plan, phase);
    for (const Plan::Change& change : b.changes)
      out += "    " + left(change.change, 28) + " " + change_text(change) + "\n";
  }
  return out + "\n";
}

Json budgets_json(const Plan& plan) {
  Json out = Json::array();
  for (const Plan::Budget& b : plan.budget) {
    Json row = {{"expr", b.expr}, {"line", b.line}};
    row.update(answer_json(b));
    if (b.limit_bytes) row["limit_bytes"] = *b.limit_bytes;
    row["phases"] = Json::array();
    for (const Plan::Answer& phase : b.phases) row["phases"].push_back(answer_json(phase));
    row["changes"] = Json::array();
    for (const Plan::Change& c : b.changes)
      row["changes"].push_back(
          {{"change", c.change}, {"ok", c.ok}, {"bytes", c.bytes}, {"max", sizes_json(c.max)}});
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace irplan::report
