// Random budgets of a random program, with limits from its plan without them, and what a plan's formulas say
// of them: each segment's bytes at any size, by code that shares nothing with the compiler's.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "memory/random_program.h"

namespace irplan::memory_test {

// How often bytes of weights, state, inputs and arena count; or the product of dims.
struct Limit {
  std::string phase;  // empty: all
  std::array<int64_t, 4> of = {};
  std::vector<std::string> dims;
  int64_t most = 0;
  int writing = 0;  // a <= n, n >= a, a < n + 1
  bool bytes() const { return dims.empty(); }

  std::string text() const {
    const std::string dot = phase.empty() ? "" : phase + ".";
    std::string sum;
    const std::array<const char*, 4> names = {"weights", "state", "inputs", "arena"};
    const auto term = [&](int64_t n, const std::string& name) {
      if (n > 0) sum += (sum.empty() ? "" : " + ") + (n > 1 ? std::to_string(n) + " * " : "") + dot + name;
    };
    const bool all = bytes() && of[0] > 0 && of == std::array{of[0], of[0], of[0], of[0]};
    if (all) term(of[0], "memory");
    for (size_t i = 0; i < 4 && !all; ++i) term(of[i], names[i]);
    for (const std::string& dim : dims) sum += (sum.empty() ? "" : " * ") + dot + dim;
    const std::string n = std::to_string(most);
    return writing == 0   ? sum + " <= " + n
           : writing == 1 ? n + " >= " + sum
                          : sum + " < " + std::to_string(most + 1);
  }
};

class Formulas {
 public:
  explicit Formulas(const Plan& plan) : plan_(plan), counts_(plan.buffers.size(), 1) {
    // Weights that only folding reads are freed after it.
    std::vector<uint8_t> folded(plan.buffers.size(), 0), kept(plan.buffers.size(), 0);
    for (const Plan::Op& op : plan.ops) {
      for (const uint32_t v : op.in) {
        if (v != kAbsent) (op.phase == "load" ? folded : kept)[plan.values[v].buffer] = 1;
      }
    }
    for (size_t i = 0; i < counts_.size(); ++i)
      counts_[i] = plan.buffers[i].segment != Plan::Segment::Weights || !folded[i] || kept[i];
  }

  // Of weights, state, inputs and arena in a phase at sizes of its own; `alive`: instead of the arena what is
  // alive at once.
  std::array<int64_t, 4> bytes(const Plan::Phase& phase, const Binding& at, bool alive = false) const {
    std::array<int64_t, 4> out = {};
    std::vector<int64_t> sums(phase.ops_end + 1, 0);
    Evaluator size(*plan_.pool, at);
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      const Plan::Buffer& b = plan_.buffers[i];
      const bool arena = b.segment == Plan::Segment::Arena;
      if (!counts_[i] || (arena && (b.phase != phase.name || !alive))) continue;
      const int64_t n = *size(b.bytes);
      for (uint32_t s = b.live_begin; arena && s < b.live_end; ++s) sums[s] += n;
      if (arena) continue;
      const size_t place = b.segment == Plan::Segment::Weights ? 0
                           : b.segment == Plan::Segment::State ? 1
                                                               : 2;
      out[place] += (n + plan_.align - 1) / plan_.align * plan_.align;
    }
    if (alive)
      out[3] = *std::max_element(sums.begin(), sums.end());
    else
      out[3] = phase.peak ? *size(*phase.peak) : bind_arena(plan_, phase.name, at)->bytes;
    return out;
  }

  // What a limit is of, in a phase at sizes of its own.
  int64_t used(const Limit& limit, const Plan::Phase& phase, const Binding& at, bool alive = false) const {
    int64_t sum = 0;
    if (limit.bytes()) {
      const auto all = bytes(phase, at, alive);
      for (size_t i = 0; i < 4; ++i) sum += limit.of[i] * all[i];
      return sum;
    }
    sum = 1;
    for (const std::string& dim : limit.dims) sum *= at[*plan_.pool->find(dim)];
    return sum;
  }

  // Global sizes as a phase has them.
  Binding brought_into(const Plan::Phase& phase, Binding at) const {
    const Ranges ranges = ranges_in(plan_, phase);
    for (size_t d = 0; d < at.size(); ++d) at[d] = std::clamp(at[d], ranges[d].lo, ranges[d].hi);
    return at;
  }

  // A phase's sizes that no dim alone can exceed: in random order each as large as `ranges` and guards let it
  // be, now and then after one was fixed.
  Binding random_corner(const Plan::Phase& phase, const Ranges& ranges, Random& random) const {
    Binding at;
    for (const Interval& range : ranges) at.push_back(range.lo);
    std::vector<size_t> order;
    for (size_t d = 0; d < at.size(); ++d)
      order.insert(order.begin() + random.below(static_cast<int64_t>(d) + 1), d);
    if (random.chance(70)) {
      const size_t d = order.back();
      Binding fixed = at;
      fixed[d] += random.below(ranges[d].hi - ranges[d].lo + 1);
      if (admitted(plan_, phase, fixed)) at = fixed, order.pop_back();
    }
    for (const size_t d : order) at = enlarged(plan_, phase, std::move(at), d, ranges[d].hi);
    return at;
  }

 private:
  const Plan& plan_;
  std::vector<uint8_t> counts_;  // by buffer
};

// A limit between what the least and the largest sizes take, mostly.
inline Limit random_limit(const Plan& plan, Random& random) {
  const Formulas formulas(plan);
  static constexpr std::array<std::array<int64_t, 4>, 8> kSums = {{{0, 0, 0, 1},
                                                                   {1, 1, 1, 1},
                                                                   {0, 0, 0, 1},
                                                                   {1, 1, 1, 1},
                                                                   {0, 1, 0, 1},
                                                                   {0, 0, 1, 2},
                                                                   {1, 0, 1, 0},
                                                                   {0, 1, 0, 0}}};
  static constexpr std::array<std::array<const char*, 2>, 5> kDims = {
      {{"B", "S"}, {"S", "P"}, {"B", "T"}, {"S", nullptr}, {"T", nullptr}}};
  Limit out;
  if (plan.phases.size() > 1 && random.chance(50))
    out.phase = plan.phases[static_cast<size_t>(random.below(2))].name;
  if (random.chance(25)) {
    for (const char* dim : kDims[static_cast<size_t>(random.below(5))]) {
      if (dim) out.dims.emplace_back(dim);
    }
  } else {
    out.of = kSums[static_cast<size_t>(random.below(8))];
  }
  out.writing = static_cast<int>(random.below(3));
  int64_t least = 0, most = 0;
  for (const Plan::Phase& phase : plan.phases) {
    if (!out.phase.empty() && phase.name != out.phase) continue;
    const Ranges ranges = ranges_in(plan, phase);
    Binding at;
    for (const Interval& range : ranges) at.push_back(range.lo);
    least = std::max(least, formulas.used(out, phase, at));
    for (int i = 0; i < 4; ++i)
      most = std::max(most, formulas.used(out, phase, formulas.random_corner(phase, ranges, random)));
  }
  // The smaller sizes are the more, and limits a little under the most are the ones with a gap.
  const int64_t part = random.chance(50) ? 1 + random.below(33) : random.chance(50) ? 1 : 31;
  const int64_t room = std::max<int64_t>(0, most - least);
  out.most = std::max<int64_t>(1, least) + room / 32 * part + random.below(room / 32 + 1);
  return out;
}

}  // namespace irplan::memory_test
