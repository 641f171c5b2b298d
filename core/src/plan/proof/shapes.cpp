// Types: what every operator's row derives again from operands and attributes, in the ranges of its phase.
#include <algorithm>

#include "kernels/kernel.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

constexpr size_t kMostSaid = 80;  // bytes of an expression in a finding

std::string said(Expr e) { return e.text().substr(0, kMostSaid); }

std::string said(const Fault& fault) {
  std::string what = info(fault.code).text;
  for (size_t i = 0; i < fault.arguments.size(); ++i) {
    const std::string slot = "{" + std::to_string(i) + "}";
    if (const size_t at = what.find(slot); at != std::string::npos)
      what.replace(at, slot.size(), fault.arguments[i]);
  }
  return what + (fault.rule.empty() ? "" : " (" + fault.rule + ")");
}

bool depends_on_dim(const Attr& attr) {
  if (const Expr e = attr.expr()) return !e.is_constant();
  return std::any_of(attr.list().begin(), attr.list().end(), depends_on_dim);
}

bool has_value(const Attr& attr, Evaluator& at) {
  if (const Expr e = attr.expr()) return at(e).has_value();
  return std::all_of(attr.list().begin(), attr.list().end(),
                     [&](const Attr& item) { return has_value(item, at); });
}

void add_dims(Expr e, std::vector<uint8_t>& out) {
  for (const DimIndex dim : dims_of(e)) out[dim] = 1;
}

// A kernel that reads a layout of its own is chosen by types, attributes and what is known when weights load.
bool takes(const KernelRow& kernel, const Plan& plan, const Plan::Op& op, const OpCall& call) {
  if (kernel.packed < 0 || !kernel.admits) return true;
  KernelSite site{call, plan.arch};
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] == kAbsent) continue;
    const Plan::Kind kind = plan.values[op.in[i]].kind;
    if (kind == Plan::Kind::Param || kind == Plan::Kind::Folded) site.weights |= 1u << i;
  }
  return kernel.admits(site);
}

}  // namespace

bool Proof::shapes() {
  check_extents();
  check_steps();
  if (!clean()) return false;
  std::optional<Evaluator> at;
  uint32_t current = kAnyPhase;
  for (uint32_t i = 0; i < plan_.ops.size() && !full(); ++i) {
    const uint32_t phase = phase_of_op(i);
    if (!at || phase != current) current = phase, at.emplace(*plan_.pool, values_in(phase));
    check_op(i) && check_attributes(i, *at);
  }
  if (!clean()) return false;
  check_rings();
  check_phase_costs();
  return clean();
}

void Proof::check_extents() {
  for (uint32_t i = 0; i < plan_.values.size() && !full(); ++i) {
    for (const Expr e : plan_.values[i].shape) {
      if (facts(phase_of_value(i)).at_least_zero(e)) continue;
      refuse(Rule::Extent, where_value(i), "the extent " + said(e) + " may be negative");
    }
  }
}

// Weights and states are laid out once for all steps of a run: their sizes may not follow what differs from
// step to step, which is where rows are appended and how many, for how many sequences, and the tokens that a
// plan with appends is given.
void Proof::check_steps() {
  std::vector<uint8_t> differs(plan_.dims.size(), 0);
  for (size_t d = 0; d < plan_.dims.size(); ++d) differs[d] = !plan_.dims[d].per.empty();
  const auto add_rows = [&](const Shape& shape) {
    for (size_t axis = 0; axis < 2 && axis < shape.size(); ++axis) add_dims(shape[axis], differs);
  };
  bool steps = false;
  for (const Plan::Op& op : plan_.ops) {
    if (!is_append(op) || op.in.size() < 2 || op.in[1] == kAbsent) continue;
    steps = true;
    if (const Expr at = op.attrs["at"].expr()) add_dims(at, differs);
    add_rows(plan_.values[op.in[1]].shape);
  }
  for (const Plan::Value& v : plan_.values) {
    if (steps && v.kind == Plan::Kind::Input && !is_float(v.dtype)) add_rows(v.shape);
  }
  const auto check = [&](Rule rule, uint32_t value, size_t first) {
    const Plan::Value& v = plan_.values[value];
    for (size_t axis = first; axis < v.shape.size(); ++axis) {
      for (const DimIndex dim : dims_of(v.shape[axis])) {
        if (differs[dim])
          refuse(rule, where_value(value),
                 "its size follows " + plan_.dims[dim].name + ", which differs from step to step");
      }
    }
  };
  for (uint32_t i = 0; i < plan_.values.size() && !full(); ++i) {
    const Plan::Kind kind = plan_.values[i].kind;
    if (kind == Plan::Kind::Param || kind == Plan::Kind::Folded) check(Rule::WeightSize, i, 0);
    if (kind == Plan::Kind::State) check(Rule::StateSize, i, 1);
  }
}

bool Proof::gather_operands(uint32_t index, OpCall& call) {
  const Plan::Op& op = plan_.ops[index];
  size_t needed = 0;
  for (size_t i = 0; i < op.row->operands.size(); ++i) {
    if (!op.row->operands[i].optional) needed = i + 1;
  }
  if (op.in.size() < needed || (!op.row->variadic && op.in.size() > op.row->operands.size()))
    return refuse(Rule::Operands, where_op(index), "has " + std::to_string(op.in.size()) + " operands"),
           false;
  for (size_t i = 0; i < op.in.size(); ++i) {
    if (op.in[i] != kAbsent) {
      const Plan::Value& v = plan_.values[op.in[i]];
      call.in.emplace_back(TensorType{v.dtype, facts(phase_of_op(index)).in(v.shape)});
      continue;
    }
    if (i >= op.row->operands.size() || !op.row->operands[i].optional) {
      const auto& names = op.row->operands;
      refuse(Rule::Operands, where_op(index),
             std::string("lacks its operand ") + names[std::min(i, names.size() - 1)].name);
      return false;
    }
    call.in.emplace_back();
  }
  return true;
}

bool Proof::check_op(uint32_t index) {
  const Plan::Op& op = plan_.ops[index];
  Facts& known = facts(phase_of_op(index));
  OpCall call(*op.row, *plan_.pool, known.ranges());
  if (!gather_operands(index, call)) return false;
  for (const AttrSpec& spec : op.row->attributes) {
    if (!spec.fallback && op.attrs[spec.name].is_none())
      return refuse(Rule::Attribute, where_op(index), std::string("lacks its attribute ") + spec.name), false;
    if (op.phase == "load" && depends_on_dim(op.attrs[spec.name]))
      return refuse(Rule::Fold, where_op(index),
                    std::string("its attribute ") + spec.name + " depends on a dim");
  }
  call.attrs = op.attrs;
  const bool ring = is_append(op) && plan_.values[op.in[0]].layout == Plan::Layout::Ring;
  if (ring) call.ring_rows = plan_.values[op.in[0]].shape[1];
  if (!op.row->shape(call)) {
    const std::string why = call.fault ? said(*call.fault) : "its rule does not hold";
    return refuse(Rule::Shape, where_op(index), why), false;
  }
  if (ring) {
    const Expr end = op.attrs["at"].expr() + call.in[1]->shape[1];
    call.require(end, Relation::LessEqual, *plan_.values[op.in[0]].capacity);
  }
  for (const AttrSpec& spec : op.row->attributes) {
    // What the rule fills in, a plan tells: kernels read it there.
    if (op.attrs[spec.name].is_none() && !call.attrs[spec.name].is_none())
      return refuse(Rule::Attribute, where_op(index),
                    std::string("does not tell its attribute ") + spec.name),
             false;
  }
  const KernelRow* kernel = kernel_of(plan_, op, plan_.target);
  if (kernel && !takes(*kernel, plan_, op, call))
    return refuse(Rule::Packed, where_op(index),
                  "is of " + op.kernel + ", which takes: " + kernel->admits_text),
           false;
  return check_results(index, call) && check_kernel_scratch(index, call) && check_constraints(index, call);
}

bool Proof::check_kernel_scratch(uint32_t index, const OpCall& call) {
  const Plan::Op& op = plan_.ops[index];
  const KernelRow* kernel = kernel_of(plan_, op, plan_.target);
  if (!kernel) return true;
  const size_t wanted = kernel->scratch ? 1 : 0;
  if (op.scratch.size() != wanted)
    return refuse(Rule::KernelScratch, where_op(index),
                  "lists " + std::to_string(op.scratch.size()) + " scratch buffers; " + op.kernel +
                      " takes " + std::to_string(wanted));
  if (wanted == 0) return true;
  Facts& known = facts(phase_of_op(index));
  const Expr have = plan_.buffers[op.scratch[0]].bytes, want = kernel->scratch(call);
  return known.in(have) == known.in(want) ||
         refuse(Rule::KernelScratch, where_op(index),
                "has " + said(have) + " bytes of scratch; " + op.kernel + " takes " + said(want));
}

bool Proof::check_results(uint32_t index, OpCall& call) {
  const Plan::Op& op = plan_.ops[index];
  Facts& known = facts(phase_of_op(index));
  if (call.out.size() != op.out.size()) {
    refuse(Rule::Shape, where_op(index),
           std::to_string(op.out.size()) + " results where there are " + std::to_string(call.out.size()));
    return false;
  }
  bool good = true;
  for (size_t i = 0; i < op.out.size(); ++i) {
    const TensorType have{plan_.values[op.out[i]].dtype, known.in(plan_.values[op.out[i]].shape)};
    const TensorType want{call.out[i].dtype, known.in(call.out[i].shape)};
    if (!(have == want))
      good = refuse(
          Rule::Shape, where_op(index),
          "its result " + plan_.values[op.out[i]].id + " is " + text(have) + ", and should be " + text(want));
  }
  const Expr flops = op.row->flops(call), bytes = cost_bytes(call);
  if (!(known.in(flops) == known.in(op.flops)))
    good =
        refuse(Rule::Cost, where_op(index), "flops " + said(op.flops) + ", its shapes give " + said(flops));
  if (!(known.in(bytes) == known.in(op.bytes)))
    good =
        refuse(Rule::Cost, where_op(index), "bytes " + said(op.bytes) + ", its shapes give " + said(bytes));
  return good;
}

bool Proof::check_constraints(uint32_t index, const OpCall& call) {
  bool good = true;
  for (const Constraint& c : call.constraints) {
    if (facts(phase_of_op(index)).holds(c.left, c.relation, c.right)) continue;
    good = refuse(Rule::Constraint, where_op(index),
                  "needs " + text(c).substr(0, 2 * kMostSaid) + ", which no range and no guard says");
  }
  return good;
}

bool Proof::check_attributes(uint32_t index, Evaluator& at) {
  const Plan::Op& op = plan_.ops[index];
  for (const AttrSpec& spec : op.row->attributes) {
    if (!has_value(op.attrs[spec.name], at))
      return refuse(Rule::Attribute, where_op(index),
                    std::string("its attribute ") + spec.name + " exceeds 64 bits at the plan's sizes");
  }
  return true;
}

// A ring holds the last rows of a sequence in turn. Attention with a window finds the rows that each new
// token may see if the ring has window - 1 + new rows; nothing else knows how to read it.
void Proof::check_rings() {
  std::vector<uint8_t> ring(plan_.values.size(), 0);  // a state, or what an append made of it
  bool any = false;
  for (uint32_t i = 0; i < plan_.values.size(); ++i) {
    ring[i] = plan_.values[i].layout == Plan::Layout::Ring;
    any = any || ring[i];
  }
  if (!any) return;
  const auto strange = [&](uint32_t value, const std::string& reader) {
    refuse(Rule::Ring, where_value(value), "lies in a ring, and is read by " + reader);
  };
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    const Plan::Op& op = plan_.ops[i];
    for (size_t k = 0; k < op.in.size(); ++k) {
      const uint32_t v = op.in[k];
      if (v == kAbsent || !ring[v]) continue;
      if (is_append(op) && k == 0) {
        ring[op.out[0]] = 1;
        continue;
      }
      const Expr window = op.attrs["window"].expr();
      const auto& specs = op.row->operands;
      const bool by_position = specs[std::min(k, specs.size() - 1)].as_rows == Reading::Free;
      if (!by_position || !window || !written(v)) {
        strange(v, op.id + ", which is no attention with a window");
        continue;
      }
      const Plan::Op& append = plan_.ops[writer_[v]];
      const Expr rows = plan_.values[append.in[0]].shape[1], fresh = plan_.values[append.in[1]].shape[1];
      if (!facts(phase_of_op(i)).at_most(window + fresh - 1, rows))
        refuse(Rule::Ring, where_op(i),
               "may look back over " + said(window + fresh - 1) + " rows of " + plan_.values[v].id +
                   ", which keeps " + said(rows));
    }
  }
  for (uint32_t i = 0; i < plan_.values.size(); ++i) {
    for (const uint32_t of : plan_.values[i].of) {
      if (ring[of]) strange(of, "the window " + plan_.values[i].id);
    }
  }
  for (const Plan::Output& output : plan_.outputs) {
    if (ring[output.value]) strange(output.value, "the output " + output.name);
  }
}

void Proof::check_phase_costs() {
  for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
    const Plan::Phase& phase = plan_.phases[p];
    // Layers cost the same: equal expressions are counted, then summed once.
    std::unordered_map<uint32_t, std::pair<Expr, int64_t>> flops, bytes;
    for (uint32_t i = phase.ops_begin; i < phase.ops_end; ++i) {
      const auto count = [](auto& sums, Expr e) { ++sums.try_emplace(e.index(), e, 0).first->second.second; };
      count(flops, plan_.ops[i].flops), count(bytes, plan_.ops[i].bytes);
    }
    const auto check = [&](const char* what, Expr told, const auto& sums) {
      Expr sum = plan_.pool->constant(0);
      for (const auto& [index, entry] : sums) sum = sum + entry.first * entry.second;
      if (!(facts(p).in(sum) == facts(p).in(told)))
        refuse(Rule::PhaseCost, "phases " + phase.name, what + said(told) + ", the ops sum to " + said(sum));
    };
    check("flops ", phase.flops, flops);
    check("bytes ", phase.bytes, bytes);
  }
}

}  // namespace irplan::proof
