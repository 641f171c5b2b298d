#include "cli/advice.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace irplan::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kWorthTelling = 100;  // what saves less than this part of the memory is no advice

std::string left(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

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

// " with S = 68, T = 4": the values of the other dims that a budget depends on.
std::string others_text(const Plan& plan, const Plan::Budget& b, const std::string& name) {
  std::string out;
  for (const Plan::Dim& dim : plan.dims) {
    const bool other = dim.name != name && std::any_of(b.max.begin(), b.max.end(),
                                                       [&](const auto& m) { return m.first == dim.name; });
    if (other) out += (out.empty() ? " with " : ", ") + dim.name + " = " + std::to_string(dim.value);
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
  if (change.ok) return "fits all declared sizes";
  if (change.max.empty()) return "fits the smallest sizes";
  return "admits " + change.max[0].first + " <= " + std::to_string(change.max[0].second);
}

std::string limits_text(const Plan& plan, const Plan::Budget& b) {
  std::string out;
  for (const auto& [name, n] : b.max) {
    out += "    " + name + " <= " + std::to_string(n) + " fits" + others_text(plan, b, name);
    for (const auto& [other, least] : b.beyond) {
      if (other != name) continue;
      out += least == n + 1 ? ", and no placement of this order of ops fits more"
                            : "; " + name + " >= " + std::to_string(least) +
                                  " fits under no placement of this order of ops";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

// ---- tokens

std::string tokens_text(const Plan& plan, const PhaseReport& phase) {
  const TokenReport tokens = token_report(plan, phase.binding);
  if (tokens.a_step <= 0) return "";
  return "  tokens    " + std::to_string(tokens.a_step) +
         " a step: " + bytes_text(phase.phase->peak_bytes / tokens.a_step) + " of arena each\n";
}

std::string state_tokens_text(const Plan& plan, const Binding& binding) {
  const TokenReport tokens = token_report(plan, binding);
  std::string out;
  if (tokens.state_bytes > 0) {
    out += "    " + bytes_text(tokens.state_bytes) + " for each token that a sequence may keep; " +
           std::to_string(tokens.sequences) + (tokens.sequences == 1 ? " sequence of " : " sequences of ") +
           std::to_string(tokens.rows) + "\n";
  }
  if (tokens.ring_bytes > 0)
    out += "    " + bytes_text(tokens.ring_bytes) + " for each sequence in rings, however long it gets\n";
  return out;
}

Json tokens_json(const Plan& plan, const PhaseReport& phase) {
  const TokenReport tokens = token_report(plan, phase.binding);
  return {{"a_step", tokens.a_step},
          {"arena_bytes_each", tokens.a_step > 0 ? phase.phase->peak_bytes / tokens.a_step : 0},
          {"state_bytes_each", tokens.state_bytes},
          {"ring_bytes_each_sequence", tokens.ring_bytes}};
}

// ---- what would lower the memory

std::vector<Lighter> all_lighter(const Plan& plan, std::vector<Lighter> others) {
  const int64_t before = total(plan);
  for (const Plan::Dim& dim : plan.dims) {
    int64_t value = dim.value;
    if (value / 2 < std::max<int64_t>(1, dim.min)) continue;
    const int64_t half = memory_bytes(plan, dim.name, value / 2);
    others.push_back({"--dim " + dim.name + "=" + std::to_string(value / 2), "half of " + dim.name, half});
  }
  std::erase_if(others, [&](const Lighter& l) {
    return before - l.bytes < std::max<int64_t>(1, before / kWorthTelling);
  });
  std::stable_sort(others.begin(), others.end(),
                   [](const Lighter& a, const Lighter& b) { return a.bytes < b.bytes; });
  return others;
}

std::string lighter_text(const Plan& plan, const std::vector<Lighter>& changes, bool program_is_there) {
  if (changes.empty() && program_is_there) return "";
  const std::string sizes = pinned(plan);
  std::string out = "to lower it";
  if (!sizes.empty() && !changes.empty())
    out += ", at these sizes (dims may grow into the room that is won; " + sizes + " pins them)";
  out += "\n";
  for (const Lighter& change : changes) {
    out += "  " + left(change.change, 24) + right(bytes_text(change.bytes), 11) + "  (" +
           bytes_text(total(plan) - change.bytes) + " less)  " + change.what + "\n";
  }
  if (!program_is_there)
    out += "  explain the program itself for other dtypes and shorter caches, which a plan cannot tell\n";
  return out + "\n";
}

Json lighter_json(const std::vector<Lighter>& changes) {
  Json out = Json::array();
  for (const Lighter& change : changes)
    out.push_back({{"change", change.change}, {"what", change.what}, {"bytes", change.bytes}});
  return out;
}

// ---- budgets

std::string budgets_text(const Plan& plan) {
  if (plan.budget.empty()) return "";
  std::string out = "budgets\n";
  for (const Plan::Budget& b : plan.budget) {
    out += "  line " + left(std::to_string(b.line), 4) + " " + left(b.expr, 28) +
           (b.ok ? " holds at all sizes" : " narrows the sizes");
    if (b.used_bytes && b.limit_bytes)
      out += "; uses " + bytes_text(*b.used_bytes) + " of " + bytes_text(*b.limit_bytes);
    out += "\n" + limits_text(plan, b);
    for (const Plan::Frontier& f : b.frontier) out += frontier_text(f);
    for (const Plan::Change& change : b.changes)
      out += "    " + left(change.change, 28) + " " + change_text(change) + "\n";
  }
  return out + "\n";
}

Json budgets_json(const Plan& plan) {
  Json out = Json::array();
  for (const Plan::Budget& b : plan.budget) {
    Json row = {{"expr", b.expr}, {"line", b.line}, {"ok", b.ok}, {"max", sizes_json(b.max)}};
    if (b.used_bytes) row["used_bytes"] = *b.used_bytes;
    if (b.limit_bytes) row["limit_bytes"] = *b.limit_bytes;
    row["beyond"] = sizes_json(b.beyond);
    row["frontier"] = Json::array();
    for (const Plan::Frontier& f : b.frontier)
      row["frontier"].push_back({{"dims", {f.first, f.second}}, {"points", f.points}});
    row["changes"] = Json::array();
    for (const Plan::Change& c : b.changes)
      row["changes"].push_back({{"change", c.change}, {"ok", c.ok}, {"max", sizes_json(c.max)}});
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace irplan::cli
