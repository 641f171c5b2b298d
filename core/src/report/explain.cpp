#include "report/explain.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/printable.h"
#include "base/sort.h"
#include "plan/layer_class.h"
#include "report/advice.h"
#include "report/columns.h"
#include "report/timeline.h"

namespace irplan::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kFormulaWidth = 100;  // columns of a line of a formula
constexpr size_t kMostAtPeak = 16;     // buffers listed at the peak
constexpr size_t kMostResident = 24;   // rows of weights, states and inputs

// A formula, on as many lines as it takes: broken behind a comma, or before a sign.
std::string wrapped(const std::string& head, const std::string& formula) {
  std::string out, line = head;
  for (size_t at = 0; at < formula.size();) {
    size_t end = at + 1;
    while (end < formula.size() &&
           !(formula[end] == ' ' &&
             (formula[end - 1] == ',' || formula[end + 1] == '+' || formula[end + 1] == '-')))
      ++end;
    if (line.size() + end - at > kFormulaWidth && line.size() > head.size()) {
      out += line + "\n";
      line = std::string(head.size(), ' ');
      at += formula[at] == ' ';
    }
    line += formula.substr(at, end - at);
    at = end;
  }
  return out + line + "\n";
}

std::string range_text(int64_t min, const std::optional<int64_t>& max) {
  return std::to_string(min) + ".." + (max ? std::to_string(*max) : "");
}

// ---- sizes

std::string sizes(const Plan& plan) {
  if (plan.dims.empty()) return "";
  std::string out = "sizes\n";
  for (const Plan::Dim& d : plan.dims) {
    out += "  " + left(d.name + (d.per.empty() ? "" : "[" + d.per + "]"), 8) + " " +
           left("in " + range_text(d.min, d.max), 22) + " evaluated at " + std::to_string(d.value) +
           (d.assumed ? " (assumed)" : "") + "\n";
  }
  for (const Plan::Guard& g : plan.guards) {
    out += "  guard    " + g.left.text() + " " + symbol(g.relation) + " " + g.right.text() +
           (g.line == 0 ? "   (--budget" : "   (line " + std::to_string(g.line)) +
           (g.phase.empty() ? "" : ", phase " + g.phase) + ")\n";
  }
  return out + "\n";
}

// ---- memory

struct Resident {
  std::string name, type;
  int64_t count = 0, bytes = 0;
};

// Weights, states or inputs, alike ones together, the largest first.
std::vector<Resident> residents(const Plan& plan, Plan::Segment segment, const Binding& binding) {
  Evaluator evaluate(*plan.pool, binding);
  std::vector<Resident> rows;
  std::map<std::string, size_t> row_of;
  std::vector<bool> seen(plan.buffers.size());
  for (const Plan::Value& v : plan.values) {
    if (v.buffer >= plan.buffers.size() || plan.buffers[v.buffer].segment != segment || !v.of.empty() ||
        seen[v.buffer])
      continue;
    seen[v.buffer] = true;
    const std::string type = type_text(v) + (v.layout == Plan::Layout::Ring ? " ring" : "");
    const std::string name = layer_class(v.id);
    const auto [at, fresh] = row_of.try_emplace(name + " " + type, rows.size());
    if (fresh) rows.push_back({name, type, 0, 0});
    ++rows[at->second].count;
    rows[at->second].bytes += evaluate(plan.buffers[v.buffer].bytes).value_or(0);
  }
  sort_range(rows.begin(), rows.end(),
             [](const Resident& a, const Resident& b) { return a.bytes > b.bytes; });
  return rows;
}

std::string resident_table(const Plan& plan, Plan::Segment segment, const Binding& binding) {
  std::string out;
  const auto rows = residents(plan, segment, binding);
  for (size_t i = 0; i < rows.size() && i < kMostResident; ++i) {
    const Resident& r = rows[i];
    out += "    " + right(bytes_text(r.bytes), 10) + "  " +
           left(r.count > 1 ? std::to_string(r.count) + " x" : "", 6) + left(r.name, 44) + " " + r.type +
           "\n";
  }
  if (rows.size() > kMostResident)
    out += "    and " + std::to_string(rows.size() - kMostResident) + " smaller\n";
  return out;
}

// The sizes of the phase that takes the most inputs: what the plan counts as such.
Binding sizes_of_inputs(const Report& report) {
  const Plan& plan = *report.plan;
  const PhaseReport* most = nullptr;
  int64_t bytes = -1;
  for (const PhaseReport& phase : report.phases) {
    int64_t sum = 0;
    for (const Resident& r : residents(plan, Plan::Segment::Inputs, phase.binding)) sum += r.bytes;
    if (sum > bytes) bytes = sum, most = &phase;
  }
  return most ? most->binding : Binding();
}

// Plans of irplan 0.1.0 do not.
bool tells_as_written(const Plan::Memory& m) { return m.as_written_bytes > 0 || m.segments.arena == 0; }

std::string memory(const Report& report) {
  const Plan& plan = *report.plan;
  const Plan::Memory& m = plan.memory;
  const Plan::Segments& s = m.segments;
  Binding binding;
  for (const Plan::Dim& d : plan.dims) binding.push_back(d.value);
  std::string out = "memory " + bytes_text(s.weights + s.state + s.inputs + s.arena) + "\n";
  const auto row = [&](const char* name, int64_t bytes) {
    out += "  " + left(name, 10) + right(bytes_text(bytes), 10) + "\n";
  };
  row("weights", s.weights);
  out += resident_table(plan, Plan::Segment::Weights, binding);
  row("state", s.state);
  out += resident_table(plan, Plan::Segment::State, binding) + state_tokens_text(plan, binding);
  row("inputs", s.inputs);
  out += resident_table(plan, Plan::Segment::Inputs, sizes_of_inputs(report));
  row("arena", s.arena);
  out += "    lower bound " + bytes_text(m.lower_bound_bytes) + (m.optimal ? ": optimal\n" : ": not met\n") +
         "    " + gain_text(plan) + "\n";
  char ratio[96];
  std::snprintf(ratio, sizeof ratio,
                "    at every size: peak <= %.3f x lower bound (alignment padding not counted), %s\n\n",
                m.range.worst_ratio, m.range.proven ? "proven" : "sampled");
  return out + ratio;
}

// ---- a phase

std::string work(const Report& report, const PhaseReport& phase) {
  const auto flops = static_cast<double>(phase.flops), bytes = static_cast<double>(phase.bytes);
  std::string out = "  work      " + count_text(flops, "flop") + ", " + count_text(bytes, "B") + " moved";
  if (phase.bytes <= 0) return out + "\n";
  char text[64];
  std::snprintf(text, sizeof text, ", %.1f flop/B", flops / bytes);
  out += text;
  if (!report.machine) return out + "\n";
  const double compute = flops / report.machine->flops, move = bytes / report.machine->bandwidth;
  out += std::string(": ") + (compute > move ? "compute" : "memory") + "-bound on " + report.machine->name +
         " (" + report.plan->arch + "); at least " + time_text(std::max(compute, move));
  return out + "\n";
}

std::string at_peak(const Plan& plan, const PhaseReport& phase, const Letters& letters) {
  if (phase.peak_step == kAbsent) return "";
  const Plan::Op& op = plan.ops[phase.peak_step];
  std::string out = "  peak      " + bytes_text(phase.phase->peak_bytes);
  const std::string formula = phase.phase->peak ? phase.phase->peak->text() : "";
  const std::string where =
      ", at " + op.id + " (" + op.row->name + ", line " + std::to_string(op.line) + ")\n";
  const bool fits = out.size() + 3 + formula.size() + where.size() <= kFormulaWidth;
  out += (formula.empty() || !fits ? "" : " = " + formula) + where;
  if (!fits && !formula.empty()) out += wrapped("    = ", formula);
  const auto stack = alive(phase, phase.peak_step);
  for (size_t i = 0; i < stack.size() && i < kMostAtPeak; ++i) {
    const Rectangle& r = stack[i];
    const Plan::Buffer& b = plan.buffers[r.buffer];
    const auto letter = letters.find(r.buffer);
    out += std::string("    ") + (letter == letters.end() ? ' ' : letter->second) +
           right(bytes_text(r.bytes), 11) + "  at " + left(bytes_text(r.offset), 10) + " " + left(b.id, 28) +
           " line " + left(std::to_string(plan.ops[r.begin].line), 4) + " " + b.bytes.text() + "\n";
  }
  if (stack.size() > kMostAtPeak) out += "    and " + std::to_string(stack.size() - kMostAtPeak) + " more\n";
  return out;
}

std::string place(const Plan& plan, const Plan::Op& op, const Plan::Value& v, const Letters& letters) {
  const auto letter = letters.find(v.buffer);
  if (letter == letters.end()) return v.buffer < plan.buffers.size() ? plan.buffers[v.buffer].id : "";
  std::string out(1, letter->second);
  for (const uint32_t in : op.in) {
    if (in != kAbsent && in < plan.values.size() && plan.values[in].buffer == v.buffer && v.of.empty()) {
      return out + ", in place";
    }
  }
  return out;
}

// "decode/i.1/q" in the layer i.1 -> "q": what a value is called in every layer.
std::string in_layer(const std::string& id, const std::string& phase, const std::string& scope) {
  std::string rest = id.rfind(phase + "/", 0) == 0 ? id.substr(phase.size() + 1) : id;
  if (!scope.empty() && rest.rfind(scope + "/", 0) == 0) rest = rest.substr(scope.size() + 1);
  return rest;
}

// What a step is in every layer like it.
std::string likeness(const Plan& plan, uint32_t step, const Section& s) {
  const Plan::Op& op = plan.ops[step];
  std::string out = op.row->name;
  for (const uint32_t v : op.out)
    out +=
        " " + layer_class(in_layer(plan.values[v].id, op.phase, s.scope)) + " " + type_text(plan.values[v]);
  return out;
}

// The layer that is drawn for many, of which one alone has all but few steps; none otherwise.
const Section* resembled(const Plan& plan, const PhaseReport& phase, const Section& s,
                         std::set<std::string>* steps) {
  if (s.count > 1 || s.scope.empty()) return nullptr;
  for (const Section& other : phase.sections) {
    if (other.count < 2) continue;
    steps->clear();
    for (uint32_t i = other.begin; i < other.end; ++i) steps->insert(likeness(plan, i, other));
    uint32_t same = 0;
    for (uint32_t i = s.begin; i < s.end; ++i) same += steps->count(likeness(plan, i, s)) > 0;
    if (same * 2 > s.end - s.begin && same * 2 > other.end - other.begin) return &other;
  }
  return nullptr;
}

std::string steps(const Plan& plan, const PhaseReport& phase, const Letters& letters) {
  Evaluator evaluate(*plan.pool, phase.binding);
  std::string out = "  steps\n";
  for (const Section& s : phase.sections) {
    std::set<std::string> known;
    const Section* like = resembled(plan, phase, s, &known);
    if (s.count > 1)
      out += "    " + s.scope + " and " + std::to_string(s.count - 1) + " more like it (x" +
             std::to_string(s.count) + "):\n";
    else if (like)
      out += "    " + s.scope + ", as " + like->scope + " but for:\n";
    else if (!s.scope.empty())
      out += "    " + s.scope + ":\n";
    for (uint32_t i = s.begin; i < s.end; ++i) {
      const Plan::Op& op = plan.ops[i];
      if (like && known.count(likeness(plan, i, s))) continue;
      for (size_t k = 0; k < op.out.size(); ++k) {
        const Plan::Value& v = plan.values[op.out[k]];
        out += right(k ? "" : std::to_string(i), 8) + "  " + left(in_layer(v.id, op.phase, s.scope), 24) +
               " " + left(k ? "" : op.row->name, 14) + " " + left(type_text(v), 26) +
               right(bytes_text(value_bytes(plan, v, evaluate)), 10) + "  " + place(plan, op, v, letters) +
               "\n";
      }
    }
  }
  return out;
}

std::string phase_text(const Report& report, const PhaseReport& phase, TextStyle style) {
  const Plan& plan = *report.plan;
  const Plan::Phase& p = *phase.phase;
  std::string out = "phase " + p.name;
  for (size_t i = 0; i < plan.dims.size() && i < phase.binding.size(); ++i) {
    out += (i ? ", " : ": ") + plan.dims[i].name + " = " + std::to_string(phase.binding[i]);
  }
  out += ", " + std::to_string(p.ops_end - p.ops_begin) + " ops\n";
  const Letters letters = letters_of(phase);
  out += work(report, phase) + tokens_text(plan, phase.phase->tokens) + at_peak(plan, phase, letters) + "\n";
  out += terminal_timeline(report, phase, letters, style.width, style.color) + "\n";
  return out + steps(plan, phase, letters) + "\n";
}

// ---- the rest

std::string unread(const std::vector<std::string>& keys) {
  if (keys.empty()) return "";
  std::string out = "keys of the config that nothing read\n ";
  size_t column = 1;
  for (const std::string& key : keys) {
    if (column + key.size() > 96) out += "\n ", column = 1;
    out += " " + key;
    column += key.size() + 1;
  }
  return out + "\n";
}

}  // namespace

std::string gain_text(const Plan& plan) {
  const std::string apart = "without reuse " + bytes_text(plan.memory.no_reuse_bytes);
  const Plan::Memory& m = plan.memory;
  if (!tells_as_written(m)) return apart;
  return "as written " + bytes_text(m.as_written_bytes) + ", as run " + bytes_text(m.segments.arena) + "; " +
         apart;
}

std::string explain_text(const Report& report, const FromProgram& program, const std::string& only,
                         TextStyle style) {
  const Plan& plan = *report.plan;
  std::string out = plan.source_file + " for " + plan.target +
                    (plan.arch == "generic" ? "" : " " + plan.arch) + ", by " + plan.producer + "\n\n" +
                    sizes(plan) + memory(report) +
                    lighter_text(plan, all_lighter(plan, program.lighter), program.is_there);
  for (const PhaseReport& p : report.phases) {
    if (only.empty() || p.phase->name == only) out += phase_text(report, p, style);
  }
  out += budgets_text(plan) + unread(program.unread_config_keys);
  return printable(out, style.color ? Lines::Coloured : Lines::Many);
}

std::string explain_json(const Report& report, const FromProgram& program, const std::string& only) {
  const Plan& plan = *report.plan;
  Json phases = Json::array();
  for (const PhaseReport& p : report.phases) {
    if (!only.empty() && p.phase->name != only) continue;
    Json stack = Json::array(), sections = Json::array(), dims = Json::object();
    if (p.peak_step != kAbsent) {
      for (const Rectangle& r : alive(p, p.peak_step)) {
        stack.push_back({{"buffer", plan.buffers[r.buffer].id},
                         {"bytes", r.bytes},
                         {"formula", plan.buffers[r.buffer].bytes.text()},
                         {"offset", r.offset},
                         {"line", plan.ops[r.begin].line}});
      }
    }
    for (const Section& s : p.sections) {
      sections.push_back({{"scope", s.scope}, {"ops", {s.begin, s.end}}, {"count", s.count}});
    }
    for (size_t i = 0; i < plan.dims.size(); ++i) dims[plan.dims[i].name] = p.binding[i];
    Json row = {{"name", p.phase->name},
                {"dims", dims},
                {"peak_bytes", p.phase->peak_bytes},
                {"peak_op", p.peak_step == kAbsent ? Json() : Json(plan.ops[p.peak_step].id)},
                {"at_peak", stack},
                {"tokens", tokens_json(p.phase->tokens)},
                {"flops", p.flops},
                {"bytes", p.bytes},
                {"sections", sections}};
    if (report.machine && p.bytes > 0) {
      const double compute = static_cast<double>(p.flops) / report.machine->flops;
      const double move = static_cast<double>(p.bytes) / report.machine->bandwidth;
      row["bound"] = compute > move ? "compute" : "memory";
      row["machine"] = report.machine->name;
    }
    phases.push_back(std::move(row));
  }
  const Plan::Segments& s = plan.memory.segments;
  const Json out = {
      {"source", plan.source_file},
      {"target", plan.target},
      {"memory", {{"weights", s.weights}, {"state", s.state}, {"inputs", s.inputs}, {"arena", s.arena}}},
      {"arena",
       {{"as_run", s.arena},
        {"as_written", tells_as_written(plan.memory) ? Json(plan.memory.as_written_bytes) : Json()},
        {"without_reuse", plan.memory.no_reuse_bytes},
        {"lower_bound", plan.memory.lower_bound_bytes}}},
      {"lighter", lighter_json(all_lighter(plan, program.lighter))},
      {"phases", phases},
      {"budgets", budgets_json(plan)},
      {"unread_config_keys", program.unread_config_keys}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace irplan::report
