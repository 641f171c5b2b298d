#include "plan/proof/proof.h"

#include <algorithm>

namespace irplan::proof {
namespace {

struct RuleText {
  const char* word;
  const char* sentence;
};
constexpr RuleText kRules[] = {
#define IRPLAN_PLAN_RULE(name, word, sentence) {word, sentence},
#include "plan/proof/rules.def"
#undef IRPLAN_PLAN_RULE
};

Interval interval(int64_t min, const std::optional<int64_t>& max) {
  return {min, max.value_or(Interval::kUnbounded)};
}

}  // namespace

const char* word(Rule rule) { return kRules[static_cast<size_t>(rule)].word; }
const char* sentence(Rule rule) { return kRules[static_cast<size_t>(rule)].sentence; }

Instrument& instrument() {
  static thread_local Instrument instrument;
  return instrument;
}

Proof::Proof(const Plan& plan)
    : plan_(plan),
      values_in_(plan.buffers.size()),
      arena_(plan.phases.size()),
      writer_(plan.values.size(), kAbsent),
      op_phase_(plan.ops.size(), kAnyPhase) {
  for (uint32_t i = 0; i < plan.values.size(); ++i) values_in_[plan.values[i].buffer].push_back(i);
  for (uint32_t p = 0; p < plan.phases.size(); ++p) phase_index_.emplace(plan.phases[p].name, p);
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan.buffers[i];
    const uint32_t phase = phase_index(buffer.phase);
    if (buffer.segment == Plan::Segment::Arena && phase != kAnyPhase) arena_[phase].push_back(i);
  }
  Ranges declared;
  for (const Plan::Dim& dim : plan.dims) declared.push_back(interval(dim.min, dim.max));
  for (const Plan::Phase& phase : plan.phases) {
    Ranges own = declared;
    for (const Plan::PhaseDim& dim : phase.dims) own[*plan.pool->find(dim.name)] = interval(dim.min, dim.max);
    Facts& facts = facts_.emplace_back(*plan.pool, std::move(own));
    for (const Plan::PhaseDim& dim : phase.dims) {
      if (dim.max == dim.min) facts.fix(*plan.pool->find(dim.name), dim.min);
    }
  }
  facts_.emplace_back(*plan.pool, std::move(declared));
  for (const Plan::Guard& guard : plan.guards) {
    const Expr more = guard.right - guard.left, less = guard.left - guard.right;
    for (size_t p = 0; p < facts_.size(); ++p) {
      const bool here = guard.phase.empty() || (p < plan.phases.size() && plan.phases[p].name == guard.phase);
      if (here && guard.relation != Relation::GreaterEqual) facts_[p].assume(more);
      if (here && guard.relation != Relation::LessEqual) facts_[p].assume(less);
    }
  }
}

bool Proof::refuse(Rule rule, const std::string& where, const std::string& what, Site site) {
  const Instrument& test = instrument();
  const bool off =
      test.site.line == site.line && test.site.file && std::string_view(test.site.file) == site.file;
  if (off || test.rule == rule) return true;
  if (test.refusals) test.refusals->emplace_back(rule, site);
  if (!full()) findings_.push_back(where + ": " + what + " (rule " + word(rule) + ")");
  return false;
}

uint32_t Proof::phase_index(const std::string& name) const {
  const auto found = phase_index_.find(name);
  return found == phase_index_.end() ? kAnyPhase : found->second;
}

// The phase whose ops make or see the value; none of inputs, states, weights, and windows on weights.
uint32_t Proof::phase_of_value(uint32_t value) const {
  const Plan::Value& v = plan_.values[value];
  if (v.kind != Plan::Kind::Temp) return kAnyPhase;
  const Plan::Buffer& buffer = plan_.buffers[v.buffer];
  if (buffer.segment == Plan::Segment::Arena) return phase_index(buffer.phase);
  if (!v.phase.empty()) return phase_index(v.phase);
  return plan_.phases.size() == 1 ? 0 : kAnyPhase;
}

Expr Proof::bytes_of(DType dtype, const Shape& shape) const {
  return stored_bytes(*plan_.pool, {dtype, shape});
}

// Strides of elements that lie one behind the other; layers share shapes, so each is worked out once.
const Shape& Proof::row_major(const Shape& shape) {
  uint64_t hash = shape.size();
  for (const Expr e : shape) hash = hash * 0x9e3779b97f4a7c15ULL + e.index();
  auto& alike = dense_[hash];
  for (const auto& [known, strides] : alike) {
    if (known == shape) return strides;
  }
  Shape strides(shape.size());
  Expr step = plan_.pool->constant(1);
  for (size_t i = shape.size(); i-- > 0;) strides[i] = step, step = step * shape[i];
  return alike.emplace_back(shape, std::move(strides)).second;
}

Binding Proof::values_in(uint32_t phase) const {
  Binding out;
  for (const Plan::Dim& dim : plan_.dims) out.push_back(dim.value);
  if (phase == kAnyPhase) return out;
  for (const Plan::PhaseDim& dim : plan_.phases[phase].dims) out[*plan_.pool->find(dim.name)] = dim.value;
  return out;
}

}  // namespace irplan::proof
