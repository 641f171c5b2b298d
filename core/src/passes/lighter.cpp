#include "passes/lighter.h"

#include <algorithm>

#include "base/sort.h"
#include "passes/measure.h"
#include "passes/retype.h"

namespace irplan {
namespace {

constexpr int64_t kWorthTelling = 100;  // what saves less than this part of the memory is no advice

class Lightening {
 public:
  explicit Lightening(const Graph& graph) : graph_(graph), meter_(graph) {
    for (uint32_t p = 0; p < graph.phases.size(); ++p) values_.push_back(graph.values_at(p));
  }

  std::vector<Plan::Lighter> run() {
    const int64_t before = meter_.most_at_values();
    for (const Dim& dim : graph_.dim_list) try_half(dim);
    for (const OfferedRetype& retype : kOfferedRetypes) {
      out_.push_back({std::string("--retype ") + retype.part + "=" + name(retype.dtype), retype.what,
                      most([&](uint32_t p) { return total(p, values_[p]) - saved(p, retype); })});
    }
    std::erase_if(out_, [&](const Plan::Lighter& l) {
      return before - l.bytes < std::max<int64_t>(1, before / kWorthTelling);
    });
    sort_range(out_.begin(), out_.end(),
               [](const Plan::Lighter& a, const Plan::Lighter& b) { return a.bytes < b.bytes; });
    return std::move(out_);
  }

 private:
  template <class Bytes>
  int64_t most(Bytes bytes) const {
    int64_t out = 0;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) out = std::max(out, bytes(p));
    return out;
  }

  int64_t total(uint32_t phase, const Binding& binding) const {
    const auto bytes = meter_.bytes(phase, binding);
    return bytes ? bytes->sum() : 0;
  }

  void try_half(const Dim& dim) {
    const int64_t half = dim.value / 2;
    if (half < std::max<int64_t>(1, dim.range.lo)) return;
    bool admitted = true;
    const int64_t bytes = most([&](uint32_t p) {
      Binding binding = values_[p];
      binding[dim.index] = std::min(binding[dim.index], half);
      binding = binding_in(graph_, p, std::move(binding));
      for (const Guard& guard : graph_.guards)
        admitted &= (guard.phase != kNoPhase && guard.phase != p) || holds(guard.constraint, binding);
      return total(p, binding);
    });
    if (admitted)
      out_.push_back({"--dim " + dim.name + "=" + std::to_string(half), "half of " + dim.name, bytes});
  }

  // Bytes by which the leaves shrink.
  int64_t saved(uint32_t phase, const OfferedRetype& retype) const {
    Evaluator value(*graph_.dims, values_[phase]);
    __int128 sum = 0;
    for (const Value& leaf : graph_.values) {
      const bool packed_weight = leaf.packed && retype.kind == ValueKind::Param;
      if (!leaf.retypable || (leaf.kind != retype.kind && !packed_weight) || !meter_.counts(leaf.buffer))
        continue;
      const int64_t now = value(graph_.buffers[leaf.buffer].bytes).value_or(0);
      const DTypeInfo &from = info(leaf.type.dtype), &to = info(retype.dtype);
      const auto then =
          static_cast<int64_t>(static_cast<__int128>(now) / from.bytes * to.bytes / to.elements);
      sum += meter_.padded(now) - meter_.padded(then);
    }
    return static_cast<int64_t>(std::min<__int128>(sum, INT64_MAX));
  }

  const Graph& graph_;
  const Meter meter_;
  std::vector<Binding> values_;  // by phase
  std::vector<Plan::Lighter> out_;
};

}  // namespace

std::vector<Plan::Lighter> lighter(const Graph& graph) { return Lightening(graph).run(); }

}  // namespace irplan
