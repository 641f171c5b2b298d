// Ways to break a true plan, each by name and each meant for one rule of its proof. A change is made in one
// record, or in the few that have to change for only that rule to see it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "memory/random_program.h"
#include "plan/plan.h"
#include "plan/proof/proof.h"

namespace irplan::plans_test {

using memory_test::Random;
using proof::Rule;

// A plan that is being broken, and the dice.
class Victim {
 public:
  Victim(Plan& plan, Random& random) : plan(plan), random(random) {}

  Plan& plan;
  Random& random;

  Expr number(int64_t n) const { return plan.pool->constant(n); }
  Expr dim(const std::string& name) const { return plan.pool->dim(name); }

  // One of the records that are so, or null.
  template <class List, class So>
  auto* any(List& list, const So& so) {
    std::vector<size_t> found;
    for (size_t i = 0; i < list.size(); ++i) {
      if (so(list[i])) found.push_back(i);
    }
    return found.empty()
               ? nullptr
               : &list[found[static_cast<size_t>(random.below(static_cast<int64_t>(found.size())))]];
  }
  template <class List>
  auto* any(List& list) {
    return any(list, [](const auto&) { return true; });
  }
  uint32_t index(const Plan::Value* v) const { return static_cast<uint32_t>(v - plan.values.data()); }
  uint32_t index(const Plan::Buffer* b) const { return static_cast<uint32_t>(b - plan.buffers.data()); }
  bool is(const Plan::Op& op, const char* name) const { return std::string_view(op.row->name) == name; }
  Plan::Op* op(const char* name) {
    return any(plan.ops, [&](const Plan::Op& o) { return is(o, name); });
  }
  Plan::Op* writer(uint32_t value) {
    for (Plan::Op& o : plan.ops) {
      if (std::find(o.out.begin(), o.out.end(), value) != o.out.end()) return &o;
    }
    return nullptr;
  }
  // Of the rows that an append writes: how many, and from which on where a dim says so.
  std::vector<DimIndex> dims_of_step(const Plan::Op& append) const {
    const Expr rows = plan.values[append.in[1]].shape[1];
    const Expr* at = append.attrs["at"].get<Expr>();
    return dims_of(at ? rows + *at : rows);
  }
  Plan::Segment home(const Plan::Value& v) const { return plan.buffers[v.buffer].segment; }
  bool written_temp(const Plan::Value& v) const {
    return v.kind == Plan::Kind::Temp && v.of.empty() && home(v) == Plan::Segment::Arena;
  }
  Plan::Value* value(Plan::Kind kind) {
    return any(plan.values, [&](const Plan::Value& v) { return v.kind == kind; });
  }
  Plan::Value* window() {
    return any(plan.values, [](const Plan::Value& v) { return v.of.size() == 1; });
  }
  Plan::Buffer* arena() {
    return any(plan.buffers, [](const Plan::Buffer& b) {
      return b.segment == Plan::Segment::Arena && b.live_end > b.live_begin;
    });
  }
  Shape strides_of(const Plan::Value& v) const {
    if (v.strides) return *v.strides;
    Shape out(v.shape.size());
    Expr step = number(1);
    for (size_t i = v.shape.size(); i-- > 0;) out[i] = step, step = step * v.shape[i];
    return out;
  }
  Plan::Op* ring_append() {
    return any(plan.ops, [&](const Plan::Op& x) {
      return is(x, "append") && plan.values[x.in[0]].layout == Plan::Layout::Ring;
    });
  }
  // One more op behind all of the last phase, with a result in a buffer of its own.
  bool append_op(Plan::Op op, uint32_t in, Plan::Value made) {
    Plan::Phase& last = plan.phases.back();
    if (op.phase != last.name) return false;
    made.id = op.id = op.phase + "/more." + std::to_string(plan.ops.size());
    made.kind = Plan::Kind::Temp, made.offset.reset(), made.strides.reset(), made.of = {};
    made.buffer = static_cast<uint32_t>(plan.buffers.size());
    Plan::Buffer buffer;
    buffer.id = made.id, buffer.segment = Plan::Segment::Arena, buffer.phase = op.phase,
    buffer.bytes = number(4);
    for (const Expr e : made.shape) buffer.bytes = buffer.bytes * e;
    op.in = {in}, op.out = {static_cast<uint32_t>(plan.values.size())};
    Expr elements = number(1);
    for (const Expr e : made.shape) elements = elements * e;
    op.flops = elements, op.bytes = elements * (2 * info(made.dtype).bytes);
    last.flops = last.flops + op.flops, last.bytes = last.bytes + op.bytes;
    plan.buffers.push_back(std::move(buffer));
    plan.values.push_back(std::move(made));
    plan.ops.push_back(std::move(op));
    ++last.ops_end;
    return true;
  }
  // Puts a value into another's buffer; its own goes if nothing is left in it.
  void move(Plan::Value& value, uint32_t buffer) {
    const uint32_t old = value.buffer;
    for (Plan::Value& v : plan.values) {
      if (&v == &value || (v.buffer == old && !v.of.empty())) v.buffer = buffer;
    }
    const auto inside = [&](const Plan::Value& v) { return v.buffer == old; };
    if (std::any_of(plan.values.begin(), plan.values.end(), inside)) return;
    plan.buffers.erase(plan.buffers.begin() + old);
    const auto moved = [&](uint32_t b) { return b - (b > old); };
    for (Plan::Value& v : plan.values) v.buffer = moved(v.buffer);
    for (Plan::Op& o : plan.ops) {
      for (uint32_t& s : o.scratch) s = moved(s);
    }
    for (Plan::Buffer& b : plan.buffers) {
      Plan::Ids rest;
      for (const uint32_t u : b.above) {
        if (u != old) rest.push_back(moved(u));
      }
      b.above = rest;
    }
  }
  // Two arena buffers of one phase that are alive together, the first above the second.
  std::pair<Plan::Buffer*, uint32_t> stacked() {
    Plan::Buffer* upper = any(plan.buffers, [&](const Plan::Buffer& b) { return !b.above.empty(); });
    if (!upper) return {nullptr, kAbsent};
    return {upper,
            upper->above[static_cast<size_t>(random.below(static_cast<int64_t>(upper->above.size())))]};
  }
  Plan::Budget* budget(bool bytes) {
    return any(plan.budget, [&](const Plan::Budget& b) { return b.limit.has_value() == bytes; });
  }
};

struct Mutation {
  const char* name;
  Rule rule;  // that must see it, if it is the only change
  bool (*apply)(Victim&);
  bool last = false;  // what it leaves no other change can be made to
};

}  // namespace irplan::plans_test
