// Records and what they point at: kinds, segments, owners, writers, phases, outputs.
#include <algorithm>
#include <set>

#include "kernels/kernel.h"
#include "plan/proof/proof.h"

namespace irplan::proof {

using Kind = Plan::Kind;
using Segment = Plan::Segment;

bool Proof::structure() {
  check_made();
  check_phases();
  check_dims();
  if (!clean()) return false;
  for (uint32_t i = 0; i < plan_.buffers.size() && !full(); ++i) check_buffer(i);
  for (uint32_t i = 0; i < plan_.values.size() && !full(); ++i) check_value(i);
  check_circles();
  if (!clean() || circular_) return false;
  std::vector<uint32_t> scratch_of(plan_.buffers.size(), kAbsent);
  for (uint32_t i = 0; i < plan_.ops.size() && !full(); ++i) {
    check_writes(i);
    check_scratch(i, scratch_of);
    check_packing(i);
  }
  for (uint32_t i = 0; i < plan_.buffers.size() && !full(); ++i) {
    check_owner(i);
    if (values_in_[i].empty() && scratch_of[i] == kAbsent)
      refuse(Rule::Scratch, where_buffer(i), "no value lies in it, and it is no op's scratch");
  }
  check_outputs();
  return clean();
}

// First of all, so that an op that is missing is told by its result and not by the ops that moved up.
void Proof::check_made() {
  std::vector<uint8_t> made(plan_.values.size(), 0);
  for (const Plan::Op& op : plan_.ops) {
    for (const uint32_t v : op.out) {
      if (v != kAbsent) made[v] = 1;
    }
  }
  for (uint32_t i = 0; i < plan_.values.size() && !full(); ++i) {
    const Plan::Value& v = plan_.values[i];
    if ((v.kind == Kind::Temp || v.kind == Kind::Folded) && v.of.empty() && !made[i])
      refuse(Rule::Unwritten, where_value(i), "nothing writes it");
  }
}

void Proof::check_phases() {
  uint32_t at = 0;
  while (at < plan_.ops.size() && plan_.ops[at].phase == "load") ++at;
  if (plan_.phases.empty()) refuse(Rule::Phases, "phases", "there is none");
  for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
    const Plan::Phase& phase = plan_.phases[p];
    const std::string where = "phases " + phase.name;
    if (phase.name == "load") refuse(Rule::Phases, where, "is no phase of its own");
    if (phase.ops_begin != at || phase.ops_end > plan_.ops.size()) {
      refuse(Rule::Phases, where, "its ops do not follow on op " + std::to_string(at));
      return;
    }
    for (; at < phase.ops_end; ++at) {
      op_phase_[at] = p;
      if (plan_.ops[at].phase != phase.name)
        refuse(Rule::Phases, where_op(at),
               "phase " + plan_.ops[at].phase + " among the ops of " + phase.name);
    }
  }
  if (at != plan_.ops.size())
    refuse(Rule::Phases, "phases",
           "cover " + std::to_string(at) + " of " + std::to_string(plan_.ops.size()) + " ops");
  for (const Plan::Guard& guard : plan_.guards) {
    if (!guard.phase.empty() && phase_index(guard.phase) == kAnyPhase)
      refuse(Rule::GuardPhase, "guards", "no phase " + guard.phase);
  }
}

void Proof::check_dims() {
  for (const Plan::Dim& dim : plan_.dims) {
    if (dim.per.empty()) continue;
    const auto of = plan_.pool->find(dim.per);
    if (!of || *of >= plan_.dims.size() || dim.per == dim.name || !plan_.dims[*of].per.empty())
      refuse(Rule::DimPer, "dims " + dim.name,
             "has a value for each row of " + dim.per + ", which is no plain dim");
  }
}

void Proof::check_buffer(uint32_t index) {
  const Plan::Buffer& buffer = plan_.buffers[index];
  if (!values_in_[index].empty() && plan_.values[values_in_[index][0]].id != buffer.id)
    refuse(Rule::BufferName, where_buffer(index),
           "the first value in it is " + plan_.values[values_in_[index][0]].id);
  if (buffer.segment != Segment::Arena) return;
  if (phase_index(buffer.phase) == kAnyPhase)
    refuse(Rule::BufferPhase, where_buffer(index), "no phase " + buffer.phase);
  std::set<uint32_t> below;
  for (const uint32_t u : buffer.above) {
    const Plan::Buffer& other = plan_.buffers[u];
    if (other.segment != Segment::Arena || other.phase != buffer.phase)
      refuse(Rule::AbovePhase, where_buffer(index),
             "stands above " + other.id + ", which is no arena buffer of its phase");
    if (!below.insert(u).second)
      refuse(Rule::AbovePhase, where_buffer(index), "stands above " + other.id + " twice");
  }
}

void Proof::check_value(uint32_t index) {
  const Plan::Value& v = plan_.values[index];
  const Segment home = segment(index);
  const bool fits = v.kind == Kind::Input   ? home == Segment::Inputs
                    : v.kind == Kind::State ? home == Segment::State
                    : v.kind == Kind::Temp ? home == Segment::Arena || !v.of.empty() || home == Segment::State
                                           : home == Segment::Weights;
  if (!fits)
    refuse(Rule::Segment, where_value(index),
           "lies in the wrong segment, in buffer " + plan_.buffers[v.buffer].id);
  const bool stored = v.kind == Kind::Param || v.kind == Kind::State;
  if (stored && v.source.empty()) refuse(Rule::Source, where_value(index), "has no source");
  const bool state = v.kind == Kind::State;
  if ((!stored && !v.source.empty()) ||
      (!state && (v.capacity || (v.layout != Plan::Layout::None && !v.packed()))) ||
      ((stored || v.kind == Kind::Input) && !v.of.empty()) || (v.kind != Kind::Temp && !v.phase.empty()))
    refuse(Rule::Fields, where_value(index),
           "has a source, layout, capacity, phase or `of` that its kind has not");
  const bool packs = v.kind == Kind::Folded && v.of.empty() && !v.strides && !v.offset;
  if (v.packed() && (!packs || !v.packed()->holds({v.dtype, v.shape})))
    refuse(Rule::Packed, where_value(index), std::string("cannot lie as ") + v.packed()->name);
  if (!v.phase.empty() && phase_index(v.phase) == kAnyPhase)
    refuse(Rule::ValuePhase, where_value(index), "no phase " + v.phase);
  if (state) {
    const bool rows = v.shape.size() >= 2 && v.capacity && v.layout != Plan::Layout::None && !v.packed();
    if (!rows) {
      refuse(Rule::State, where_value(index), "is no state with rows, a layout and a capacity");
    } else if (v.layout == Plan::Layout::Contiguous && !(*v.capacity == v.shape[1])) {
      refuse(Rule::State, where_value(index),
             "capacity " + v.capacity->text() + ", and " + v.shape[1].text() + " rows");
    } else if (v.layout == Plan::Layout::Ring && (!v.shape[1].is_constant() || v.shape[1].constant() < 1)) {
      refuse(Rule::State, where_value(index), "is a ring of " + v.shape[1].text() + " rows");
    } else if (v.layout == Plan::Layout::Ring && !facts(kAnyPhase).at_most(v.shape[1], *v.capacity)) {
      refuse(Rule::State, where_value(index),
             "is a ring of " + v.shape[1].text() + " rows for " + v.capacity->text());
    }
  }
  for (const uint32_t o : v.of) {
    if (plan_.values[o].buffer != v.buffer || plan_.values[o].dtype != v.dtype)
      refuse(Rule::OfBuffer, where_value(index),
             "shows " + plan_.values[o].id + ", which has another buffer or dtype");
  }
}

// Of inputs, weights and state: one value that is no window, and in a state what appends make of it.
void Proof::check_owner(uint32_t index) {
  const Plan::Buffer& buffer = plan_.buffers[index];
  if (buffer.segment == Segment::Arena || values_in_[index].empty()) return;
  uint32_t owner = kAbsent;
  for (const uint32_t v : values_in_[index]) {
    const Plan::Value& value = plan_.values[v];
    if (!value.of.empty() || value.kind == Kind::Temp) continue;
    if (owner != kAbsent) {
      refuse(Rule::Owner, where_value(v), "lies in the buffer of " + plan_.values[owner].id);
      return;
    }
    owner = v;
  }
}

// A window may not show itself through others.
void Proof::check_circles() {
  enum : uint8_t { New, Open, Done };
  std::vector<uint8_t> state(plan_.values.size(), New);
  std::vector<std::pair<uint32_t, size_t>> stack;
  for (uint32_t first = 0; first < plan_.values.size(); ++first) {
    if (state[first] != New) continue;
    stack.assign(1, {first, 0});
    state[first] = Open;
    while (!stack.empty()) {
      auto& [value, next] = stack.back();
      if (next == plan_.values[value].of.size()) {
        state[value] = Done;
        stack.pop_back();
        continue;
      }
      const uint32_t o = plan_.values[value].of[next++];
      if (state[o] == Open) {
        refuse(Rule::OfCircle, where_value(value), "is a window on itself");
        circular_ = true;  // what follows could not end
        return;
      }
      if (state[o] == New) state[o] = Open, stack.emplace_back(o, 0);
    }
  }
}

void Proof::check_writes(uint32_t index) {
  const Plan::Op& op = plan_.ops[index];
  if (is_append(op) && (op.in.empty() || op.in[0] == kAbsent || plan_.values[op.in[0]].kind != Kind::State)) {
    refuse(Rule::Append, where_op(index), "appends to what is no state");
    return;
  }
  for (const uint32_t v : op.out) {
    if (v == kAbsent)
      refuse(Rule::Written, where_op(index), "has an absent result");
    else
      check_write(index, v);
  }
  if (op.phase != "load") return;
  for (const uint32_t v : op.in) {
    if (v == kAbsent) continue;
    const Kind kind = plan_.values[v].kind;
    if (kind != Kind::Param && kind != Kind::Folded)
      refuse(Rule::LoadReads, where_op(index),
             "reads " + plan_.values[v].id + ", which is not there when weights load");
  }
}

void Proof::check_write(uint32_t index, uint32_t value) {
  const Plan::Op& op = plan_.ops[index];
  const Plan::Value& v = plan_.values[value];
  if (written(value) || !v.of.empty()) {
    refuse(Rule::Written, where_op(index),
           "writes " + v.id + ", which is " + (v.of.empty() ? "written twice" : "a window"));
    return;
  }
  writer_[value] = index;
  const bool load = op.phase == "load";
  const Segment home = segment(value);
  const bool may = load            ? v.kind == Kind::Folded
                   : is_append(op) ? v.kind == Kind::Temp && v.buffer == plan_.values[op.in[0]].buffer
                                   : v.kind == Kind::Temp && home == Segment::Arena;
  if (!may)
    refuse(Rule::Written, where_op(index),
           "writes " + v.id + " where it may not, in buffer " + plan_.buffers[v.buffer].id);
  if (load) return;
  const std::string prefix = op.phase + "/";
  const bool named = plan_.phases.size() == 1 || v.id.compare(0, prefix.size(), prefix) == 0;
  const bool here = home != Segment::Arena || plan_.buffers[v.buffer].phase == op.phase;
  if (!named || !here || (!v.phase.empty() && v.phase != op.phase))
    refuse(Rule::ValuePhase, where_op(index), "its result " + v.id + " is not of phase " + op.phase);
}

void Proof::check_scratch(uint32_t index, std::vector<uint32_t>& scratch_of) {
  const Plan::Op& op = plan_.ops[index];
  for (const uint32_t s : op.scratch) {
    const Plan::Buffer& buffer = plan_.buffers[s];
    if (buffer.segment != Segment::Arena || !values_in_[s].empty() || buffer.phase != op.phase ||
        scratch_of[s] != kAbsent)
      refuse(Rule::Scratch, where_op(index), "scratch " + buffer.id + " is no arena buffer of its own");
    else if (!facts(phase_of_op(index)).at_least_zero(buffer.bytes))
      refuse(Rule::Scratch, where_buffer(s), "its bytes may be negative: " + buffer.bytes.text());
    scratch_of[s] = index;
  }
}

// A layout that is not row by row is made by `pack`, and read by the kernels whose row asks for it.
void Proof::check_packing(uint32_t index) {
  const Plan::Op& op = plan_.ops[index];
  const auto said = [](const WeightLayout* layout) {
    return layout ? std::string("as ") + layout->name : std::string("row by row");
  };
  const bool packs = op.row == &pack_op();
  for (const uint32_t v : op.out) {
    const WeightLayout* layout = v == kAbsent ? nullptr : plan_.values[v].packed();
    if (packs != (layout != nullptr) || (packs && op.attrs["layout"].word() != layout->name))
      refuse(Rule::Packed, where_op(index), "its result lies " + said(layout) + ", not as the op makes it");
  }
  const KernelRow* kernel = kernel_of(plan_, op, plan_.target);
  if (!kernel && !packs) return;  // a kernel that this build does not know may read what it likes
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] == kAbsent) continue;
    const Plan::Value& value = plan_.values[op.in[i]];
    const WeightLayout* wanted =
        kernel && kernel->packed == static_cast<int>(i) ? kernel->weight_layout() : nullptr;
    if (value.packed() != wanted)
      refuse(Rule::Packed, where_op(index),
             "reads " + value.id + ", which lies " + said(value.packed()) + "; " + op.kernel + " reads it " +
                 said(wanted));
  }
}

void Proof::check_outputs() {
  std::set<std::pair<std::string, std::string>> names;
  for (const Plan::Output& output : plan_.outputs) {
    const uint32_t phase = phase_index(output.phase), of = phase_of_value(output.value);
    if (phase == kAnyPhase || (of != kAnyPhase && of != phase))
      refuse(Rule::Output, "outputs " + output.name,
             plan_.values[output.value].id + " is not of phase " + output.phase);
    if (!names.emplace(output.phase, output.name).second)
      refuse(Rule::Output, "outputs " + output.name, "stands twice in phase " + output.phase);
  }
}

}  // namespace irplan::proof
