#include "report/report.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "base/sort.h"
#include "irplan/dtype.h"

namespace irplan::report {
namespace {

const std::vector<std::pair<std::string, Machine>>& machines() {
  static const std::vector<std::pair<std::string, Machine>> table = {
      {"sm_80", {"A100 80 GB", 312e12, 2.04e12}}, {"sm_86", {"RTX A6000", 155e12, 0.768e12}},
      {"sm_89", {"L40S", 362e12, 0.864e12}},      {"sm_90", {"H100 SXM", 989e12, 3.35e12}},
      {"sm_100", {"B200", 2250e12, 8.0e12}},
  };
  return table;
}

Binding binding_of(const Plan& plan, const Plan::Phase& phase) {
  Binding binding;
  for (const Plan::Dim& d : plan.dims) binding.push_back(d.value);
  for (const Plan::PhaseDim& d : phase.dims) {
    const auto index = plan.pool->find(d.name);
    if (index && *index < binding.size()) binding[*index] = d.value;
  }
  return binding;
}

std::string top_scope(const Plan::Op& op) { return op.scope.substr(0, op.scope.find('/')); }

bool same_work(const Plan& plan, const Section& a, const Section& b) {
  if (a.end - a.begin != b.end - b.begin || a.scope.empty() || b.scope.empty()) return false;
  for (uint32_t i = 0; i < a.end - a.begin; ++i) {
    const Plan::Op &x = plan.ops[a.begin + i], &y = plan.ops[b.begin + i];
    if (x.row != y.row || x.line != y.line) return false;
  }
  return true;
}

std::vector<Section> sections_of(const Plan& plan, const Plan::Phase& phase, uint32_t peak) {
  std::vector<Section> out;
  for (uint32_t i = phase.ops_begin; i < phase.ops_end;) {
    Section s{top_scope(plan.ops[i]), i, i, 1};
    while (s.end < phase.ops_end && top_scope(plan.ops[s.end]) == s.scope) ++s.end;
    i = s.end;
    if (out.empty() || !same_work(plan, out.back(), s)) {
      out.push_back(s);
      continue;
    }
    ++out.back().count;
    // Of identical layers the one with the peak is shown.
    if (s.begin <= peak && peak < s.end) {
      s.count = out.back().count;
      out.back() = s;
    }
  }
  return out;
}

// The most bytes alive at once, each buffer rounded up to `align`, and the first step where they are.
std::pair<int64_t, uint32_t> most_alive(const std::vector<Rectangle>& arena, int64_t align) {
  std::vector<std::pair<uint32_t, int64_t>> changes;
  for (const Rectangle& r : arena) {
    const int64_t bytes = align_up(r.bytes, align);
    changes.emplace_back(r.begin, bytes);
    changes.emplace_back(r.end, -bytes);
  }
  sort_range(changes.begin(), changes.end());  // at one step what dies comes before what is born
  std::pair<int64_t, uint32_t> most{0, kAbsent};
  int64_t live = 0;
  for (size_t i = 0; i < changes.size();) {
    const uint32_t step = changes[i].first;
    for (; i < changes.size() && changes[i].first == step; ++i) live += changes[i].second;
    if (live > most.first) most = {live, step};
  }
  return most;
}

PhaseReport phase_report(const Plan& plan, const Plan::Phase& phase) {
  PhaseReport out;
  out.phase = &phase;
  out.binding = binding_of(plan, phase);
  Evaluator evaluate(*plan.pool, out.binding);
  const auto arena = bind_arena(plan, phase.name, out.binding);
  for (uint32_t i = 0; arena && i < plan.buffers.size(); ++i) {
    const Plan::Buffer& b = plan.buffers[i];
    if (b.segment != Plan::Segment::Arena || b.phase != phase.name) continue;
    out.arena.push_back({i, b.live_begin, b.live_end, arena->offsets[i], evaluate(b.bytes).value_or(0)});
  }
  sort_range(out.arena.begin(), out.arena.end(),
             [](const Rectangle& a, const Rectangle& b) { return a.begin < b.begin; });
  std::tie(out.live_bytes, out.peak_step) = most_alive(out.arena, std::max<int64_t>(1, plan.align));
  out.bound_bytes = most_alive(out.arena, 1).first;
  out.sections = sections_of(plan, phase, out.peak_step);
  out.flops = evaluate(phase.flops).value_or(0);
  out.bytes = evaluate(phase.bytes).value_or(0);
  return out;
}

}  // namespace

Report make_report(const Plan& plan) {
  Report out;
  out.plan = &plan;
  for (const Plan::Phase& p : plan.phases) out.phases.push_back(phase_report(plan, p));
  for (const auto& [arch, machine] : machines()) {
    if (plan.arch == arch) out.machine = &machine;
  }
  return out;
}

std::vector<Rectangle> alive(const PhaseReport& phase, uint32_t step) {
  std::vector<Rectangle> out;
  for (const Rectangle& r : phase.arena) {
    if (r.begin <= step && step < r.end) out.push_back(r);
  }
  sort_range(out.begin(), out.end(),
             [](const Rectangle& a, const Rectangle& b) { return a.offset > b.offset; });
  return out;
}

std::string count_text(double n, const char* unit) {
  constexpr const char* kPrefix[] = {"", "k", "M", "G", "T", "P", "E"};
  int i = 0;
  for (; n >= 1000 && i < 6; ++i) n /= 1000;
  char text[48];
  std::snprintf(text, sizeof text, i == 0 ? "%.0f %s%s" : "%.2f %s%s", n, kPrefix[i], unit);
  return text;
}

std::string type_text(const Plan::Value& value) {
  std::string out = std::string(name(value.dtype)) + "[";
  for (size_t i = 0; i < value.shape.size(); ++i) out += (i ? ", " : "") + value.shape[i].text();
  return out + "]";
}

int64_t value_bytes(const Plan&, const Plan::Value& value, Evaluator& evaluate) {
  int64_t elements = 1;
  for (const Expr& e : value.shape) {
    const auto n = evaluate(e);
    if (!n || __builtin_mul_overflow(elements, *n, &elements)) return 0;
  }
  const DTypeInfo& t = info(value.dtype);
  return elements / t.elements * t.bytes;
}

}  // namespace irplan::report
