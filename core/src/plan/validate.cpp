// Structure, shapes and lifetimes of a plan; the order in which all is checked.
#include "plan/validate.h"

#include <algorithm>
#include <set>

#include "kernels/kernel.h"

namespace irplan {
namespace {

constexpr size_t kMaxExactOrder = 16384;  // buffers of one phase for which reachability is kept whole
constexpr size_t kMaxTold = 5;            // findings that one message lists

std::string layout_text(const WeightLayout* layout) {
  return layout ? std::string("as ") + layout->name : "row by row";
}

int64_t top_of(const std::optional<int64_t>& max) { return max.value_or(Interval::kUnbounded); }

}  // namespace

Validator::Validator(const Plan& plan)
    : plan_(plan),
      writer_(plan.values.size(), kAbsent),
      values_in_(plan.buffers.size()),
      constraints_(plan.ops.size()) {
  for (uint32_t i = 0; i < plan.values.size(); ++i) values_in_[plan.values[i].buffer].push_back(i);
}

bool Validator::add(const std::string& where, const std::string& what) {
  if (findings_.size() < kMaxFindings) findings_.push_back(where + ": " + what);
  return false;
}

const Plan::Phase* Validator::phase(const std::string& name) const {
  for (const Plan::Phase& p : plan_.phases) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

bool Validator::is_append(const Plan::Op& op) const { return op.row->updates_state; }

bool Validator::is_ring(uint32_t value) const {
  const auto& inside = values_in_[plan_.values[value].buffer];
  return std::any_of(inside.begin(), inside.end(),
                     [&](uint32_t v) { return plan_.values[v].layout == Plan::Layout::Ring; });
}

// ------------------------------------------------------------------------------------------------ structure

bool Validator::structure() {
  check_values();
  if (clean()) check_ops();
  if (clean()) check_phases();
  return clean();
}

bool Validator::check_values() {
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (!values_in_[i].empty() && plan_.values[values_in_[i][0]].id != buffer.id) {
      add(where_buffer(i), "the first value in it is " + plan_.values[values_in_[i][0]].id);
    }
    if (buffer.segment == Plan::Segment::Arena && !phase(buffer.phase))
      add(where_buffer(i), "no phase " + buffer.phase);
    std::set<uint32_t> below;
    for (const uint32_t u : buffer.above) {
      if (plan_.buffers[u].segment != Plan::Segment::Arena || plan_.buffers[u].phase != buffer.phase) {
        add(where_buffer(i),
            "stands above " + plan_.buffers[u].id + ", which is no arena buffer of its phase");
      }
      if (!below.insert(u).second) add(where_buffer(i), "stands above " + plan_.buffers[u].id + " twice");
    }
  }
  for (uint32_t i = 0; i < plan_.values.size(); ++i) {
    const Plan::Value& value = plan_.values[i];
    const Plan::Segment home = segment(i);
    const bool fits = value.kind == Plan::Kind::Input   ? home == Plan::Segment::Inputs
                      : value.kind == Plan::Kind::State ? home == Plan::Segment::State
                      : value.kind == Plan::Kind::Temp  ? true
                                                        : home == Plan::Segment::Weights;
    if (!fits) add(where_value(i), "lies in the wrong segment, in buffer " + plan_.buffers[value.buffer].id);
    if ((value.kind == Plan::Kind::Param || value.kind == Plan::Kind::State) && value.source.empty())
      add(where_value(i), "has no source");
    if (value.packed() && (value.kind != Plan::Kind::Folded || value.strides || value.offset ||
                           !value.of.empty() || !value.packed()->holds(type_of(i))))
      add(where_value(i), std::string("cannot lie as ") + value.packed()->name);
    if (value.kind == Plan::Kind::State && (value.layout == Plan::Layout::None || value.shape.size() < 2))
      add(where_value(i), "is no state with rows");
    for (const uint32_t o : value.of) {
      if (plan_.values[o].buffer != value.buffer || plan_.values[o].dtype != value.dtype) {
        add(where_value(i), "shows " + plan_.values[o].id + ", which has another buffer or dtype");
      }
    }
  }
  // A window may not show itself through others.
  std::vector<uint8_t> state(plan_.values.size(), 0);
  for (uint32_t first = 0; first < plan_.values.size() && clean(); ++first) {
    std::vector<std::pair<uint32_t, size_t>> stack;
    if (state[first] == 0) stack.emplace_back(first, 0), state[first] = 1;
    while (!stack.empty()) {
      auto& [value, next] = stack.back();
      if (next == plan_.values[value].of.size()) {
        state[value] = 2;
        stack.pop_back();
        continue;
      }
      const uint32_t o = plan_.values[value].of[next++];
      if (state[o] == 1) return add(where_value(value), "is a window on itself");
      if (state[o] == 0) state[o] = 1, stack.emplace_back(o, 0);
    }
  }
  return clean();
}

bool Validator::check_phases() {
  uint32_t at = 0;
  while (at < plan_.ops.size() && plan_.ops[at].phase == "load") ++at;
  for (const Plan::Phase& p : plan_.phases) {
    if (p.name == "load") return add("phases load", "is no phase of its own");
    if (p.ops_begin != at || p.ops_end > plan_.ops.size())
      return add("phases " + p.name, "its ops do not follow on op " + std::to_string(at));
    for (; at < p.ops_end; ++at) {
      if (plan_.ops[at].phase != p.name)
        return add(where_op(at), "phase " + plan_.ops[at].phase + " among the ops of " + p.name);
    }
  }
  if (plan_.phases.empty()) return add("phases", "there is none");
  if (at != plan_.ops.size())
    return add("phases", "cover " + std::to_string(at) + " of " + std::to_string(plan_.ops.size()) + " ops");
  for (const Plan::Guard& guard : plan_.guards) {
    if (!guard.phase.empty() && !phase(guard.phase)) add("guards", "no phase " + guard.phase);
  }
  for (const Plan::Dim& dim : plan_.dims) {
    const auto same = [&](const Plan::Dim& d) { return d.name == dim.per; };
    if (!dim.per.empty() &&
        (dim.per == dim.name || std::none_of(plan_.dims.begin(), plan_.dims.end(), same))) {
      add("dims " + dim.name, "has a value for each row of no dim " + dim.per);
    }
  }
  return clean();
}

// The values whose writers fill a window: itself, or what it shows. A plan that someone else wrote may have
// windows on windows in any number.
void Validator::producers(uint32_t value, std::vector<uint32_t>& out) {
  if (plan_.values[value].of.empty()) return out.push_back(value);
  seen_.resize(plan_.values.size(), 0);
  ++round_;
  std::vector<uint32_t> left{value};
  while (!left.empty()) {
    const uint32_t at = left.back();
    left.pop_back();
    if (seen_[at] == round_) continue;
    seen_[at] = round_;
    const Plan::Ids& of = plan_.values[at].of;
    if (of.empty()) out.push_back(at);
    for (size_t i = of.size(); i-- > 0;) left.push_back(of[i]);
  }
}

bool Validator::check_writes(uint32_t index, uint32_t value) {
  const Plan::Op& op = plan_.ops[index];
  const Plan::Value& v = plan_.values[value];
  if (writer_[value] != kAbsent || !v.of.empty())
    return add(where_op(index),
               "writes " + v.id + ", which is " + (v.of.empty() ? "written twice" : "a window"));
  writer_[value] = index;
  const bool load = op.phase == "load";
  if (v.kind != (load ? Plan::Kind::Folded : Plan::Kind::Temp))
    return add(where_op(index), "writes " + v.id + ", which ops of its phase do not write");
  const Plan::Segment home = segment(value);
  const bool good = load ? home == Plan::Segment::Weights
                         : home == Plan::Segment::Arena || (home == Plan::Segment::State && is_append(op));
  if (!good)
    return add(where_op(index),
               "writes " + v.id + " where it may not, in buffer " + plan_.buffers[v.buffer].id);
  if (home == Plan::Segment::State && plan_.values[op.in[0]].buffer != v.buffer)
    return add(where_op(index), "its result " + v.id + " does not lie in its state");
  if (home == Plan::Segment::Arena && plan_.buffers[v.buffer].phase != op.phase)
    return add(where_op(index), "writes " + v.id + " in another phase's buffer");
  const std::string prefix = op.phase + "/";
  if (home == Plan::Segment::Arena && plan_.phases.size() > 1 &&
      v.id.compare(0, prefix.size(), prefix) != 0) {
    return add(where_op(index), "result " + v.id + " does not begin with " + prefix);
  }
  return true;
}

bool Validator::check_reads(uint32_t index, uint32_t value) {
  const Plan::Op& op = plan_.ops[index];
  std::vector<uint32_t> from;
  producers(value, from);
  for (const uint32_t p : from) {
    const Plan::Kind kind = plan_.values[p].kind;
    const bool made = kind == Plan::Kind::Temp || kind == Plan::Kind::Folded;
    if (made && writer_[p] == kAbsent)
      return add(where_op(index),
                 "reads " + plan_.values[value].id + " before " + plan_.values[p].id + " is written");
    if (writer_[p] != kAbsent && plan_.ops[writer_[p]].phase != op.phase &&
        plan_.ops[writer_[p]].phase != "load") {
      return add(where_op(index), "reads " + plan_.values[value].id + " of another phase");
    }
    if (op.phase == "load" && kind != Plan::Kind::Param && kind != Plan::Kind::Folded) {
      return add(where_op(index),
                 "reads " + plan_.values[value].id + ", which is not there when weights load");
    }
  }
  return true;
}

// A layout that is not row by row is made by `pack`, and read by the kernels whose row asks for it.
bool Validator::check_packing(uint32_t index) {
  const Plan::Op& op = plan_.ops[index];
  const bool packs = op.row == &pack_op();
  for (const uint32_t v : op.out) {
    const WeightLayout* layout = plan_.values[v].packed();
    if (packs != (layout != nullptr) || (packs && op.attrs["layout"].word() != layout->name))
      return add(where_op(index), "its result " + plan_.values[v].id + " lies " + layout_text(layout) +
                                      (packs ? ", not as its attribute says" : ""));
  }
  const KernelRow* kernel = kernel_of(plan_, op, plan_.target);
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] == kAbsent) continue;
    const Plan::Value& value = plan_.values[op.in[i]];
    const bool wanted = kernel && kernel->packed == static_cast<int>(i);
    // A kernel that this build does not know may read what it likes.
    if ((!kernel && !packs) || value.packed() == (wanted ? kernel->weight_layout() : nullptr)) continue;
    return add(where_op(index), "reads " + value.id + ", which lies " + layout_text(value.packed()) + "; " +
                                    op.kernel + " reads it " +
                                    layout_text(wanted ? kernel->weight_layout() : nullptr));
  }
  return true;
}

// What the kernel's row asks for is there, and no more.
bool Validator::check_scratch(uint32_t index, const OpCall& call) {
  const Plan::Op& op = plan_.ops[index];
  const KernelRow* kernel = kernel_of(plan_, op, plan_.target);
  if (!kernel) return true;
  const size_t wanted = kernel->scratch ? 1 : 0;
  if (op.scratch.size() != wanted)
    return add(where_op(index), "lists " + std::to_string(op.scratch.size()) + " scratch buffers; " +
                                    op.kernel + " takes " + std::to_string(wanted));
  if (wanted == 0) return true;
  const Expr have = plan_.buffers[op.scratch[0]].bytes, want = kernel->scratch(call);
  return have == want || add(where_op(index), "has " + have.text() + " bytes of scratch; " + op.kernel +
                                                  " takes " + want.text());
}

bool Validator::check_ops() {
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    const Plan::Op& op = plan_.ops[i];
    for (const uint32_t v : op.in) {
      if (v != kAbsent) check_reads(i, v);
    }
    if (is_append(op) &&
        (op.in.empty() || op.in[0] == kAbsent || plan_.values[op.in[0]].kind != Plan::Kind::State)) {
      return add(where_op(i), "appends to what is no state");
    }
    for (const uint32_t v : op.out) {
      if (v == kAbsent) return add(where_op(i), "has an absent result");
      check_writes(i, v);
    }
    check_packing(i);
    for (const uint32_t s : op.scratch) {
      if (plan_.buffers[s].segment != Plan::Segment::Arena || !values_in_[s].empty())
        add(where_op(i), "scratch " + plan_.buffers[s].id + " is no arena buffer of its own");
    }
    if (!clean()) return false;
  }
  for (uint32_t i = 0; i < plan_.values.size(); ++i) {
    const Plan::Value& v = plan_.values[i];
    if ((v.kind == Plan::Kind::Temp || v.kind == Plan::Kind::Folded) && v.of.empty() && writer_[i] == kAbsent)
      add(where_value(i), "nothing writes it");
  }
  for (const Plan::Output& output : plan_.outputs) {
    std::vector<uint32_t> from;
    producers(output.value, from);
    for (const uint32_t p : from) {
      if (writer_[p] != kAbsent && plan_.ops[writer_[p]].phase != output.phase &&
          plan_.ops[writer_[p]].phase != "load") {
        add("outputs " + output.name, plan_.values[output.value].id + " is not of phase " + output.phase);
      }
    }
  }
  return clean();
}

// ------------------------------------------------------------------------------------------------ shapes

Ranges Validator::ranges_of(const std::string& name) const {
  Ranges out;
  for (const Plan::Dim& dim : plan_.dims) out.push_back({dim.min, top_of(dim.max)});
  if (const Plan::Phase* p = phase(name)) {
    for (const Plan::PhaseDim& dim : p->dims) {
      if (const auto index = plan_.pool->find(dim.name)) out[*index] = {dim.min, top_of(dim.max)};
    }
  }
  return out;
}

// Dims that a phase's declaration fixes: none of its costs speaks of them. Where a budget alone leaves one
// size, they still do.
std::vector<std::pair<DimIndex, Expr>> Validator::fixed_in(const std::string& name) const {
  std::vector<std::pair<DimIndex, Expr>> out;
  const Plan::Phase* p = phase(name);
  if (!p) return out;
  const auto spoken_of = [&](DimIndex dim) {
    for (const Expr cost : {p->flops, p->bytes}) {
      const auto dims = dims_of(cost);
      if (std::find(dims.begin(), dims.end(), dim) != dims.end()) return true;
    }
    return false;
  };
  for (const Plan::PhaseDim& dim : p->dims) {
    const auto index = plan_.pool->find(dim.name);
    if (index && dim.max == dim.min && !spoken_of(*index))
      out.emplace_back(*index, plan_.pool->constant(dim.min));
  }
  return out;
}

// A value's type as the phase in question sees it: dims that it fixes are numbers there.
TensorType Validator::type_of(uint32_t value) const {
  TensorType type{plan_.values[value].dtype, plan_.values[value].shape};
  for (const auto& [dim, size] : fixed_) {
    for (Expr& e : type.shape) {
      if (!e.is_constant()) e = plan_.pool->substitute(e, dim, size);
    }
  }
  return type;
}

bool Validator::check_shape(uint32_t index, const Ranges& ranges) {
  const Plan::Op& op = plan_.ops[index];
  OpCall call(*op.row, *plan_.pool, ranges);
  size_t needed = 0;
  for (size_t i = 0; i < op.row->operands.size(); ++i) {
    if (!op.row->operands[i].optional) needed = i + 1;
  }
  if (op.in.size() < needed || (!op.row->variadic && op.in.size() > op.row->operands.size())) {
    return add(where_op(index), std::to_string(op.in.size()) + " operands");
  }
  for (size_t i = 0; i < op.in.size(); ++i) {
    const uint32_t v = op.in[i];
    if (v == kAbsent) {
      if (i < op.row->operands.size() && !op.row->operands[i].optional)
        return add(where_op(index), std::string("lacks its operand ") + op.row->operands[i].name);
      call.in.emplace_back();
    } else {
      call.in.emplace_back(type_of(v));
    }
  }
  for (const AttrSpec& spec : op.row->attributes) {
    if (!spec.fallback && op.attrs[spec.name].is_none())
      return add(where_op(index), std::string("lacks its attribute ") + spec.name);
  }
  call.attrs = op.attrs;
  const bool ring = is_append(op) && plan_.values[op.in[0]].layout == Plan::Layout::Ring;
  if (ring) call.ring_rows = plan_.values[op.in[0]].shape[1];
  if (!op.row->shape(call)) {
    std::string what = call.fault ? info(call.fault->code).text : "its rule does not hold";
    for (size_t i = 0; call.fault && i < call.fault->arguments.size(); ++i) {
      const std::string slot = "{" + std::to_string(i) + "}";
      if (const size_t at = what.find(slot); at != std::string::npos)
        what.replace(at, slot.size(), call.fault->arguments[i]);
    }
    return add(where_op(index),
               what + (call.fault && !call.fault->rule.empty() ? " (" + call.fault->rule + ")" : ""));
  }
  if (call.out.size() != op.out.size())
    return add(where_op(index),
               std::to_string(op.out.size()) + " results where there are " + std::to_string(call.out.size()));
  if (!check_scratch(index, call)) return false;
  for (size_t i = 0; i < op.out.size(); ++i) {
    const TensorType have{plan_.values[op.out[i]].dtype, plan_.values[op.out[i]].shape};
    if (!(have == call.out[i]))
      return add(where_op(index), "its result " + plan_.values[op.out[i]].id + " is " + text(have) +
                                      ", and should be " + text(call.out[i]));
  }
  if (ring && plan_.values[op.in[0]].capacity) {
    const Expr rows =
        op.attrs["at"].expr() ? op.attrs["at"].expr() + call.in[1]->shape[1] : call.in[1]->shape[1];
    call.require(rows, Relation::LessEqual, *plan_.values[op.in[0]].capacity);
  }
  if (!(op.row->flops(call) == op.flops))
    return add(where_op(index),
               "flops " + op.flops.text() + ", its shapes give " + op.row->flops(call).text());
  if (!(cost_bytes(call) == op.bytes))
    return add(where_op(index), "bytes " + op.bytes.text() + ", its shapes give " + cost_bytes(call).text());
  constraints_[index] = std::move(call.constraints);
  return true;
}

bool Validator::shapes() {
  std::string current;
  Ranges ranges = ranges_of(current);
  for (uint32_t i = 0; i < plan_.ops.size() && findings_.size() < kMaxFindings; ++i) {
    if (plan_.ops[i].phase != current) {
      current = plan_.ops[i].phase;
      ranges = ranges_of(current);
      fixed_ = fixed_in(current);
    }
    check_shape(i, ranges);
  }
  for (const Plan::Phase& p : plan_.phases) {
    Expr flops = plan_.pool->constant(0), bytes = flops;
    for (uint32_t i = p.ops_begin; i < p.ops_end; ++i)
      flops = flops + plan_.ops[i].flops, bytes = bytes + plan_.ops[i].bytes;
    if (!(flops == p.flops))
      add("phases " + p.name,
          "flops " + p.flops.text().substr(0, 80) + ", the ops sum to " + flops.text().substr(0, 80));
    if (!(bytes == p.bytes))
      add("phases " + p.name,
          "bytes " + p.bytes.text().substr(0, 80) + ", the ops sum to " + bytes.text().substr(0, 80));
  }
  return clean();
}

// ------------------------------------------------------------------------------------------------ lifetimes

bool Validator::lifetimes() {
  std::vector<std::pair<uint32_t, uint32_t>> live(plan_.buffers.size(), {UINT32_MAX, 0});
  const auto touch = [&](uint32_t buffer, uint32_t at) {
    live[buffer].first = std::min(live[buffer].first, at);
    live[buffer].second = std::max(live[buffer].second, at + 1);
  };
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    const Plan::Op& op = plan_.ops[i];
    for (const uint32_t v : op.in) {
      if (v != kAbsent) touch(plan_.values[v].buffer, i);
    }
    for (const uint32_t v : op.out) touch(plan_.values[v].buffer, i);
    for (const uint32_t s : op.scratch) touch(s, i);
  }
  for (const Plan::Output& output : plan_.outputs) {
    const uint32_t buffer = plan_.values[output.value].buffer;
    if (live[buffer].second > 0) touch(buffer, phase(output.phase)->ops_end - 1);
  }
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& b = plan_.buffers[i];
    if (b.segment != Plan::Segment::Arena) continue;
    const auto [begin, end] = live[i].second > 0 ? live[i] : std::pair<uint32_t, uint32_t>{0, 0};
    if (b.live_begin != begin || b.live_end != end) {
      add(where_buffer(i), "live [" + std::to_string(b.live_begin) + ", " + std::to_string(b.live_end) +
                               "), the ops say [" + std::to_string(begin) + ", " + std::to_string(end) + ")");
    }
  }
  return clean() && ordered();
}

// `above` has no cycle, and orders every two buffers of a phase that are alive together.
bool Validator::ordered() {
  for (const Plan::Phase& p : plan_.phases) {
    std::vector<uint32_t> arena, index(plan_.buffers.size(), kAbsent);
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      if (plan_.buffers[i].segment == Plan::Segment::Arena && plan_.buffers[i].phase == p.name)
        index[i] = static_cast<uint32_t>(arena.size()), arena.push_back(i);
    }
    const size_t n = arena.size(), words = (n + 63) / 64;
    const bool exact = n <= kMaxExactOrder;
    std::vector<uint64_t> below(exact ? n * words : 0);
    std::vector<uint8_t> state(n, 0);
    for (uint32_t root = 0; root < n; ++root) {
      std::vector<std::pair<uint32_t, size_t>> stack;
      if (state[root] == 0) stack.emplace_back(root, 0), state[root] = 1;
      while (!stack.empty()) {
        auto& [b, next] = stack.back();
        const auto& above = plan_.buffers[arena[b]].above;
        if (next == above.size()) {
          for (const uint32_t u : above) {
            if (!exact) continue;
            const uint32_t i = index[u];
            for (size_t w = 0; w < words; ++w) below[b * words + w] |= below[i * words + w];
            below[b * words + i / 64] |= uint64_t{1} << (i % 64);
          }
          state[b] = 2;
          stack.pop_back();
          continue;
        }
        const uint32_t u = index[above[next++]];
        if (state[u] == 1) {
          std::string circle;  // the stack from `u` up is the circle
          auto member =
              std::find_if(stack.begin(), stack.end(), [&](const auto& entry) { return entry.first == u; });
          for (; member != stack.end(); ++member) circle += plan_.buffers[arena[member->first]].id + " -> ";
          return add(where_buffer(arena[stack.back().first]),
                     "`above` runs in a circle: " + circle + plan_.buffers[arena[u]].id);
        }
        if (state[u] == 0) state[u] = 1, stack.emplace_back(u, 0);
      }
    }
    if (!exact) continue;  // too many for the table: overlaps at sizes are looked at all the same
    std::vector<uint32_t> order(n), alive;
    for (uint32_t i = 0; i < n; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return plan_.buffers[arena[a]].live_begin < plan_.buffers[arena[b]].live_begin;
    });
    for (const uint32_t b : order) {
      const Plan::Buffer& buffer = plan_.buffers[arena[b]];
      if (buffer.live_end <= buffer.live_begin) continue;
      std::erase_if(alive, [&](uint32_t a) { return plan_.buffers[arena[a]].live_end <= buffer.live_begin; });
      for (const uint32_t a : alive) {
        const bool known =
            (below[b * words + a / 64] >> (a % 64) & 1) || (below[a * words + b / 64] >> (b % 64) & 1);
        if (!known)
          add(where_buffer(arena[b]),
              "alive together with " + plan_.buffers[arena[a]].id + ", and `above` orders neither");
      }
      alive.push_back(b);
    }
  }
  return clean();
}

// ------------------------------------------------------------------------------------------------ all

std::vector<std::string> validate_plan(const Plan& plan) {
  Validator v(plan);
  if (!v.structure() || !v.shapes() || !v.lifetimes()) return v.take();
  for (const Plan::Phase& phase : plan.phases) {
    const auto bindings = v.bindings(phase.name);
    for (size_t i = 0; i < bindings.size(); ++i) {
      if (!v.numbers(phase.name, bindings[i], i == 0)) return v.take();
    }
  }
  if (!v.totals()) return v.take();
  for (const Plan::Phase& phase : plan.phases) {
    const auto bindings = v.bindings(phase.name);
    if (bindings.size() > 1 && !v.bytes(phase.name, bindings[1])) return v.take();
  }
  return v.take();
}

std::string listed(const std::vector<std::string>& findings) {
  std::string out;
  for (size_t i = 0; i < findings.size() && i < kMaxTold; ++i) out += (i ? "\n  " : "") + findings[i];
  if (findings.size() > kMaxTold) out += "\n  and " + std::to_string(findings.size() - kMaxTold) + " more";
  return out;
}

std::optional<Plan> read_true_plan(std::string_view text, std::string* why) {
  auto plan = read_plan(text, why);
  if (!plan) return std::nullopt;
  const auto findings = validate_plan(*plan);
  if (findings.empty()) return plan;
  *why = "the plan contradicts itself: " + listed(findings);
  return std::nullopt;
}

std::vector<std::string> validate_binding(const Plan& plan, const std::string& phase,
                                          const Binding& binding) {
  Validator v(plan);
  if (v.structure() && v.shapes()) v.numbers(phase, binding, false);
  return v.take();
}

}  // namespace irplan
