#include "service/language/facts.h"

#include <algorithm>
#include <unordered_map>

#include "plan/plan.h"

namespace irplan::language {
namespace {

std::string at_sizes(const TensorType& type, const Binding& sizes,
                     int64_t& elements) {  // elements: -1 where a size is not known
  std::string out = std::string(name(type.dtype)) + "[";
  elements = 1;
  for (size_t i = 0; i < type.shape.size(); ++i) {
    const auto n = evaluate(type.shape[i], sizes);
    if (!n) return elements = -1, "";
    if (__builtin_mul_overflow(elements, *n, &elements)) return elements = -1, "";
    out += (i > 0 ? ", " : "") + std::to_string(*n);
  }
  return out + "]";
}

const char* segment_text(Plan::Segment segment) {
  switch (segment) {
    case Plan::Segment::Inputs: return "inputs";
    case Plan::Segment::Weights: return "weights";
    case Plan::Segment::State: return "state";
    case Plan::Segment::Arena: return "the arena";
  }
  return "";
}

// "buffer `n`, 16.0 MiB at +0 of the arena; made by `cuda_rmsnorm_v1`"
std::string home_of(const Plan& plan, const std::string& id) {
  const auto is = [&](const auto& one) { return one.id == id; };
  const auto value = std::find_if(plan.values.begin(), plan.values.end(), is);
  if (value == plan.values.end()) {
    for (const Plan::Op& op : plan.ops) {
      if (std::find(op.parts.begin(), op.parts.end(), id) != op.parts.end())
        return "no bytes: a part of `" + op.id + "`, `" + op.kernel + "`";
    }
    return "no bytes: computed at compile or load time, or read by nothing";
  }
  std::string out;
  if (value->buffer != kAbsent) {
    const Plan::Buffer& buffer = plan.buffers[value->buffer];
    out = "buffer `" + buffer.id + "`";
    if (buffer.segment == Plan::Segment::Arena)
      out += " at +" + std::to_string(buffer.offset) + " of the arena";
    else
      out += std::string(" of ") + segment_text(buffer.segment);
  }
  const auto index = static_cast<uint32_t>(value - plan.values.begin());
  for (const Plan::Op& op : plan.ops) {
    if (std::find(op.out.begin(), op.out.end(), index) == op.out.end()) continue;
    out += (out.empty() ? "" : "; ") + std::string("made by `") + op.kernel + "`";
    break;
  }
  if (!value->source.empty()) out += (out.empty() ? "" : "; ") + std::string("named `") + value->source + "`";
  return out;
}

Fact fact_of(const Compilation& compilation, const Bound& bound, uint32_t phase, bool homes) {
  Fact fact;
  fact.times = bound.times;
  fact.text = bound.text;
  fact.types = bound.typed.size();
  if (bound.typed.empty()) return fact;
  const Bound::Typed& typed = bound.typed.front();
  fact.type = text(typed.type);
  if (!compilation.plan || !compilation.graph) return fact;
  int64_t elements = -1;
  fact.at_sizes = at_sizes(typed.type, compilation.graph->values_at(phase), elements);
  if (fact.at_sizes == fact.type) fact.at_sizes.clear();
  const DTypeInfo& dtype = info(typed.type.dtype);
  int64_t bytes = 0;
  if (elements >= 0 && !__builtin_mul_overflow(elements / dtype.elements, int64_t{dtype.bytes}, &bytes))
    fact.bytes = bytes;
  if (homes) fact.home = home_of(*compilation.plan, typed.id);
  return fact;
}

bool same(const Fact& a, const Fact& b) {
  return a.type == b.type && a.at_sizes == b.at_sizes && a.text == b.text && a.bytes == b.bytes;
}

}  // namespace

std::vector<Fact> facts_at(Document& document, Span name, bool homes) {
  std::vector<Fact> out;
  const Compilation* compilation = document.compilation();
  const auto then = document.then(name);
  if (!compilation || !compilation->bindings || !compilation->graph || !then) return out;
  const auto& phases = compilation->graph->phases;
  for (uint32_t phase = 0; phase < phases.size(); ++phase) {
    const Bound* bound = compilation->bindings->find(then->begin, phase);
    if (!bound) continue;
    Fact fact = fact_of(*compilation, *bound, phase, homes);
    if (fact.type.empty() && fact.text.empty()) continue;
    fact.phase = phases[phase].span.end > 0 ? phases[phase].name : "";
    out.push_back(std::move(fact));
  }
  if (out.size() == phases.size() &&
      std::all_of(out.begin(), out.end(), [&](const Fact& f) { return same(f, out[0]); })) {
    out.resize(1);
    out[0].phase.clear();
  }
  return out;
}

}  // namespace irplan::language
