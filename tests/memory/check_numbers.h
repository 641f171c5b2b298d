// A phase of a plan executed at one small size, with a look at every operand before it is read: it must still
// hold what its op wrote, whatever was written over it, beside it, or into the state that it shows meanwhile.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "memory/random_program.h"
#include "reference/executor.h"

namespace irplan::memory_test {

class Execution {
 public:
  Execution(const Plan& plan, std::string phase, const StepBinding& step)
      : plan_(plan), phase_(std::move(phase)), step_(step), held_(plan.values.size()) {
    Evaluator size(*plan.pool, step.dims);
    const auto arena = bind_arena(plan, phase_, step.dims);
    if (!arena) return;
    arena_.assign(static_cast<size_t>(arena->bytes), std::byte{0xA5});
    others_.resize(plan.buffers.size());
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      const bool in_arena = plan.buffers[i].segment == Plan::Segment::Arena;
      const bool shared = in_arena && plan.buffers[i].phase == phase_;
      if (!in_arena)
        others_[i].assign(static_cast<size_t>(size(plan.buffers[i].bytes).value_or(0)), std::byte{0});
      memory_.buffers.push_back(shared ? arena_.data() + arena->offsets[i] : others_[i].data());
    }
  }

  // What is wrong, empty where nothing is.
  std::string run() {
    if (memory_.buffers.empty()) return "the arena has no size";
    for (uint32_t v = 0; v < plan_.values.size(); ++v) {
      const Plan::Kind kind = plan_.values[v].kind;
      if (!plan_.values[v].of.empty() || kind == Plan::Kind::Temp || kind == Plan::Kind::Folded) continue;
      fill(v);
      held_[v] = read(v);
    }
    for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
      if (plan_.ops[i].phase != phase_ && plan_.ops[i].phase != "load") continue;
      if (std::string wrong = windows(); !wrong.empty()) return wrong;
      for (const uint32_t v : plan_.ops[i].in) {
        if (v == kAbsent) continue;
        if (!held_[v]) return plan_.ops[i].id + " reads " + plan_.values[v].id + ", which nothing wrote";
        if (!same(*held_[v], read(v)))
          return plan_.ops[i].id + " reads " + plan_.values[v].id + ", which was written over";
      }
      if (const auto fault = run_op(plan_, i, memory_, step_)) return *fault;
      for (const uint32_t v : plan_.ops[i].out) held_[v] = read(v);
    }
    if (std::string wrong = windows(); !wrong.empty()) return wrong;
    for (const Plan::Output& out : plan_.outputs) {
      if (out.phase != phase_) continue;
      if (!held_[out.value] || !same(*held_[out.value], read(out.value)))
        return "the output " + out.name + " was written over";
    }
    return "";
  }

  std::map<std::string, HostArray> outputs() const {
    std::map<std::string, HostArray> out;
    for (const Plan::Output& o : plan_.outputs) {
      if (o.phase == phase_) out[o.name] = read(o.value);
    }
    return out;
  }

  static bool same(const HostArray& a, const HostArray& b) {
    if (a.shape != b.shape || a.i != b.i || a.f.size() != b.f.size()) return false;
    for (size_t k = 0; k < a.f.size(); ++k) {
      if (a.f[k] != b.f[k] && !(std::isnan(a.f[k]) && std::isnan(b.f[k]))) return false;
    }
    return true;
  }

 private:
  // Whether a value is there in another phase alone.
  bool elsewhere(uint32_t v) const {
    const Plan::Value& value = plan_.values[v];
    return !value.phase.empty() && value.phase != phase_ && value.kind == Plan::Kind::Temp;
  }

  HostArray read(uint32_t v) const { return read_value(plan_, v, memory_, step_); }

  // Numbers that depend on the value's name alone, so that two plans of a program have the same.
  void fill(uint32_t v) {
    HostArray array = read(v);
    uint64_t seed = 7;
    for (const char c : plan_.values[v].id) seed = seed * 131 + static_cast<unsigned char>(c);
    Random random(seed);
    for (float& x : array.f) x = static_cast<float>(random.below(2001) - 1000) / 4096.0F;
    write_value(plan_, v, array, memory_, step_);
  }

  // What windows show, as soon as all that they show is there, and while it still is.
  std::string windows() {
    for (bool more = true; more;) {
      more = false;
      for (uint32_t v = 0; v < plan_.values.size(); ++v) {
        const auto& of = plan_.values[v].of;
        if (held_[v] || of.empty() || elsewhere(v)) continue;
        if (!std::all_of(of.begin(), of.end(), [&](uint32_t from) { return held_[from].has_value(); }))
          continue;
        for (const uint32_t from : of) {
          if (!same(*held_[from], read(from)))
            return plan_.values[v].id + " shows " + plan_.values[from].id + ", which was written over";
        }
        held_[v] = read(v);
        more = true;
      }
    }
    return "";
  }

  const Plan& plan_;
  const std::string phase_;
  const StepBinding& step_;
  std::vector<std::optional<HostArray>> held_;  // by value: what was written
  std::vector<std::byte> arena_;
  std::vector<std::vector<std::byte>> others_;
  PlanMemory memory_;
};

// A step of few rows: a program's ops are many, and the executor is slow.
inline StepBinding small_step(const Plan& plan, const Plan::Phase& phase, Random& random) {
  StepBinding step;
  for (const auto& [low, high] : ranges_in(plan, phase))
    step.dims.push_back(std::min(low + random.below(4), high));
  step.rows.resize(plan.dims.size());
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    if (plan.dims[d].per.empty()) continue;
    int64_t rows = 0;
    for (size_t k = 0; k < plan.dims.size(); ++k) {
      if (plan.dims[k].name == plan.dims[d].per) rows = step.dims[k];
    }
    for (int64_t b = 0; b < rows; ++b)
      step.rows[d].push_back(b == 0 ? step.dims[d] : random.below(step.dims[d] + 1));
  }
  return step;
}

// The same numbers by both plans of a program in a phase, and no operand written over.
inline std::string check_numbers(const Plan& one, const Plan& other, const std::string& phase,
                                 const StepBinding& step) {
  Execution a(one, phase, step), b(other, phase, step);
  for (Execution* execution : {&a, &b}) {
    if (std::string wrong = execution->run(); !wrong.empty()) return wrong;
  }
  const auto first = a.outputs(), second = b.outputs();
  for (const auto& [name, array] : first) {
    const auto same = second.find(name);
    if (same == second.end() || !Execution::same(array, same->second))
      return "the orders disagree about " + name;
  }
  return "";
}

}  // namespace irplan::memory_test
