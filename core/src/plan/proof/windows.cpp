// Windows: each value's place in its buffer, derived from what it lies in, lies over or shows.
//
//     whole     densely from the buffer's start to its end
//     view      the elements of another value, in the same order or with its axes in another
//     part      of another value along one axis
//     slot      of a concat that emits no op: the part that one of its operands fills
//     in place  exactly over an operand
//     append    its state
#include <algorithm>

#include "base/sort.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

// Axes that lie densely in each other are one: what remains tells elements and their order.
using Runs = std::vector<std::pair<Expr, Expr>>;  // extent, stride
Runs runs_of(const Frame& frame, bool merged) {
  Runs out;
  for (size_t i = frame.shape.size(); i-- > 0;) {
    const Expr extent = frame.shape[i], stride = frame.strides[i];
    if (extent.is(1)) continue;
    const bool joins = merged && !out.empty() && stride == out.back().second * out.back().first;
    if (joins)
      out.back().first = extent * out.back().first;
    else
      out.emplace_back(extent, stride);
  }
  return out;
}

bool is_empty(const Shape& shape) {
  return std::any_of(shape.begin(), shape.end(), [](Expr e) { return e.is(0); });
}

std::string said(const Frame& frame) {
  std::string out = "[";
  for (size_t i = 0; i < frame.strides.size(); ++i)
    out += (i ? ", " : "") + frame.strides[i].text().substr(0, 40);
  return "offset " + frame.offset.text().substr(0, 40) + ", strides " + out + "]";
}

}  // namespace

class Windows {
 public:
  explicit Windows(Proof& proof)
      : proof_(proof),
        plan_(proof.plan_),
        zero_(proof.plan_.pool->constant(0)),
        slot_of_(plan_.values.size(), kAbsent) {}

  bool run() {
    proof_.regions_.start(plan_.buffers.size());
    proof_.region_.assign(plan_.values.size(), Regions::kNone);
    proof_.frame_.resize(plan_.values.size());
    for (uint32_t i = 0; i < plan_.values.size(); ++i) {
      frame(i);
      if (plan_.values[i].of.size() < 2) continue;
      for (const uint32_t o : plan_.values[i].of) slot_of_[o] = i;
    }
    for (uint32_t i = 0; i < plan_.values.size() && !proof_.full(); ++i) derive(i);
    check_buffers();
    return proof_.clean();
  }

 private:
  const Plan::Value& value(uint32_t v) const { return plan_.values[v]; }
  const Frame& at(uint32_t v) const { return proof_.frame_[v]; }
  Facts& facts(uint32_t v) const { return proof_.facts(proof_.phase_of_value(v)); }
  bool refuse(Rule rule, uint32_t v, const std::string& what, Site site = Site::here()) const {
    return proof_.refuse(rule, proof_.where_value(v), what, site);
  }

  void frame(uint32_t v) {
    Facts& known = facts(v);
    Frame& out = proof_.frame_[v];
    out.offset = value(v).offset ? known.in(*value(v).offset) : zero_;
    out.shape = known.in(value(v).shape);
    out.strides = value(v).strides ? known.in(*value(v).strides) : proof_.row_major(out.shape);
  }

  // What has to be known first: what it shows, lies in or over.
  uint32_t lies_in(uint32_t v) const {
    if (!value(v).of.empty()) return value(v).of.size() == 1 ? value(v).of[0] : kAbsent;
    if (slot_of_[v] != kAbsent) return slot_of_[v];
    if (!proof_.written(v)) return kAbsent;
    const Plan::Op& op = plan_.ops[proof_.writer_[v]];
    if (proof_.is_append(op)) return op.in[0];
    if (is_whole(v)) return kAbsent;
    for (const uint32_t o : op.in) {
      if (o != kAbsent && value(o).buffer == value(v).buffer && same_window(o, v)) return o;
    }
    return kAbsent;
  }

  void derive(uint32_t first) {
    std::vector<uint32_t> stack{first};
    while (!stack.empty()) {
      const uint32_t v = stack.back();
      const uint32_t from = proof_.region_[v] == Regions::kNone ? lies_in(v) : kAbsent;
      if (from != kAbsent && proof_.region_[from] == Regions::kNone) {
        if (stack.size() > plan_.values.size()) {
          refuse(Rule::OfCircle, v, "lies in itself");
          proof_.region_[v] = whole(v);
          return;
        }
        stack.push_back(from);
        continue;
      }
      stack.pop_back();
      if (proof_.region_[v] != Regions::kNone) continue;
      proof_.region_[v] = place(v, from);
      check_blocks(v);
    }
  }

  uint32_t whole(uint32_t v) const { return value(v).buffer; }

  uint32_t place(uint32_t v, uint32_t from) {
    const Plan::Value& self = value(v);
    if (self.of.size() == 1) return show(v, from);
    if (self.of.size() > 1) return concat(v);
    if (slot_of_[v] != kAbsent) return slot(v, from);
    if (!proof_.written(v) || proof_.segment(v) == Plan::Segment::Weights) {
      if (!is_whole(v)) refuse(Rule::Whole, v, "does not fill its buffer densely: " + said(at(v)));
      return whole(v);
    }
    if (proof_.is_append(plan_.ops[proof_.writer_[v]])) {
      const Frame &mine = at(v), &state = at(from);
      if (!(mine.offset == state.offset) || !same_strides(mine, state))
        refuse(Rule::AppendWindow, v, said(mine) + "; its state has " + said(state));
      return proof_.region_[from];
    }
    if (from != kAbsent) return proof_.region_[from];
    if (!is_whole(v))
      refuse(Rule::InPlace, v, "neither fills its buffer nor lies over an operand: " + said(at(v)));
    return whole(v);
  }

  // Dense from the buffer's start, to its end.
  bool is_whole(uint32_t v) const {
    const Frame& mine = at(v);
    if (!mine.offset.is(0)) return false;
    const Shape& dense = proof_.row_major(mine.shape);
    for (size_t i = 0; i < dense.size(); ++i) {
      if (!mine.shape[i].is(1) && !(dense[i] == mine.strides[i])) return false;
    }
    const Expr bytes = value(v).packed() ? value(v).packed()->bytes(*plan_.pool, {value(v).dtype, mine.shape})
                                         : proof_.bytes_of(value(v).dtype, mine.shape);
    return facts(v).in(bytes) == facts(v).in(plan_.buffers[value(v).buffer].bytes);
  }

  // Of axes that have more than one element in the first.
  static bool same_strides(const Frame& a, const Frame& b, int but = -1) {
    if (a.strides.size() != b.strides.size()) return false;
    for (size_t i = 0; i < a.strides.size(); ++i) {
      if (static_cast<int>(i) != but && !a.shape[i].is(1) && !(a.strides[i] == b.strides[i])) return false;
    }
    return true;
  }

  bool same_window(uint32_t a, uint32_t b) const {
    return at(a).offset == at(b).offset && at(a).shape == at(b).shape && same_strides(at(a), at(b)) &&
           info(value(a).dtype).bytes == info(value(b).dtype).bytes &&
           info(value(a).dtype).elements == info(value(b).dtype).elements;
  }

  // ---- windows on one value
  uint32_t show(uint32_t v, uint32_t from) {
    if (is_empty(at(v).shape)) return proof_.region_[from];
    // The base as the window's phase sees it.
    Frame base{facts(v).in(at(from).offset), facts(v).in(at(from).shape), facts(v).in(at(from).strides)};
    if (base.offset == at(v).offset && shows_all(v, base)) return proof_.region_[from];
    return part(v, from, base);
  }

  bool shows_all(uint32_t v, const Frame& base) const {
    const Runs mine = runs_of(at(v), true), theirs = runs_of(base, true);
    if (mine.size() == theirs.size()) {
      bool same = true;
      for (size_t i = 0; i < mine.size() && same; ++i)
        same = mine[i].second == theirs[i].second &&
               (mine[i].first == theirs[i].first || facts(v).equal(mine[i].first, theirs[i].first));
      if (same) return true;
    }
    Runs turned = runs_of(at(v), false), axes = runs_of(base, false);
    const auto by_index = [](const auto& a, const auto& b) {
      return std::pair(a.first.index(), a.second.index()) < std::pair(b.first.index(), b.second.index());
    };
    sort_range(turned.begin(), turned.end(), by_index);
    sort_range(axes.begin(), axes.end(), by_index);
    return turned == axes;
  }

  uint32_t part(uint32_t v, uint32_t from, const Frame& base) {
    const Frame& mine = at(v);
    const bool axes_kept = mine.shape.size() == base.shape.size();
    int axis = -1;
    for (size_t i = 0; i < mine.shape.size() && axes_kept; ++i) {
      if (mine.shape[i] == base.shape[i]) continue;
      if (axis >= 0) return strange(Rule::View, v, from);
      axis = static_cast<int>(i);
    }
    if (axis < 0) return strange(Rule::View, v, from);
    const auto a = static_cast<size_t>(axis);
    const bool lies_so =
        same_strides(mine, base, axis) && (mine.shape[a].is(1) || mine.strides[a] == base.strides[a]);
    if (!lies_so) return strange(Rule::View, v, from);
    const DTypeInfo& type = info(value(v).dtype);
    const auto start = plan_.pool->divide_exactly(in_elements(mine.offset - base.offset, type.elements),
                                                  base.strides[a] * type.bytes);
    if (!start) return strange(Rule::Part, v, from);
    const Expr end = *start + mine.shape[a];
    if (!facts(v).at_least_zero(*start) || !facts(v).at_most(end, base.shape[a])) {
      refuse(Rule::Part, v,
             "shows [" + start->text().substr(0, 60) + ", " + end.text().substr(0, 60) + ") of an axis of " +
                 base.shape[a].text().substr(0, 60) + " of " + value(from).id);
      return proof_.region_[from];
    }
    if (type.elements > 1 && a + 1 == mine.shape.size() &&
        !plan_.pool->divide_exactly(*start, plan_.pool->constant(type.elements)))
      refuse(Rule::Blocks, v, "begins inside of a block, at element " + start->text().substr(0, 60));
    return proof_.regions_.part(proof_.region_[from], key(base), axis, *start, end);
  }

  // Bytes times the elements of a block, one quotient by (a part of) them undone: a part begins with a block,
  // so that nothing was lost in it.
  Expr in_elements(Expr bytes, int64_t block) const {
    if (block == 1) return bytes;
    Expr out = bytes * block;
    for (const Term& term : bytes.node().terms) {
      const auto& factors = term.monomial->factors;
      const Atom* atom = factors.size() == 1 && !factors[0]->dim ? factors[0] : nullptr;
      if (!atom || atom->function != Function::Floordiv || term.coefficient != 1) continue;
      const int64_t by = atom->b.is_constant() ? atom->b.constant() : 0;
      if (by <= 0 || block % by != 0) continue;
      const Expr quotient = plan_.pool->floordiv(atom->a, atom->b);
      return out - quotient * block + atom->a * (block / by);
    }
    return out;
  }

  uint32_t strange(Rule rule, uint32_t v, uint32_t from, Site site = Site::here()) {
    const std::string what = " is no window on " + value(from).id + ", which has " + said(at(from));
    refuse(rule, v, said(at(v)) + what, site);
    return proof_.region_[from];
  }

  static std::vector<uint32_t> key(const Frame& frame) {
    std::vector<uint32_t> out{frame.offset.index()};
    for (const Expr e : frame.shape) out.push_back(e.index());
    for (const Expr e : frame.strides) out.push_back(e.index());
    return out;
  }

  // ---- concats that emit no op
  uint32_t concat(uint32_t v) {
    const Plan::Ids& of = value(v).of;
    if (!is_whole(v)) {
      refuse(Rule::Concat, v, "does not fill its buffer densely: " + said(at(v)));
      return whole(v);
    }
    for (const uint32_t o : of) {
      if (!proof_.written(o) || slot_of_[o] != v) {
        refuse(Rule::Concat, v, value(o).id + " is no result of an op that lies in it alone");
        return whole(v);
      }
    }
    for (size_t axis = 0; axis < at(v).shape.size(); ++axis) {
      if (lays_out(v, axis)) return whole(v);
    }
    refuse(Rule::Concat, v, "its operands do not lie one behind the other in it on any axis");
    return whole(v);
  }

  // Whether the operands follow one another on the axis, and notes where each begins.
  bool lays_out(uint32_t v, size_t axis) {
    const Frame& mine = at(v);
    const DTypeInfo& type = info(value(v).dtype);
    Expr start = zero_;
    std::vector<std::pair<uint32_t, Expr>> starts;
    for (const uint32_t o : value(v).of) {
      const Frame& operand = at(o);
      if (operand.shape.size() != mine.shape.size() || !same_strides(operand, mine)) return false;
      for (size_t i = 0; i < mine.shape.size(); ++i) {
        if (i != axis && !(operand.shape[i] == mine.shape[i])) return false;
      }
      if (!(operand.offset * type.elements == start * mine.strides[axis] * type.bytes)) return false;
      if (starts_.contains(o)) return false;  // an operand twice
      starts.emplace_back(o, start);
      start = start + operand.shape[axis];
    }
    if (!(start == mine.shape[axis])) return false;
    for (const auto& [o, begin] : starts) {
      if (!starts_.emplace(o, Slot{static_cast<int>(axis), begin}).second) return false;
    }
    return true;
  }

  uint32_t slot(uint32_t v, uint32_t of) {
    const auto found = starts_.find(v);
    if (found == starts_.end()) return whole(v);  // the concat was refused
    const Expr end = found->second.start + at(v).shape[static_cast<size_t>(found->second.axis)];
    return proof_.regions_.part(proof_.region_[of], key(at(of)), found->second.axis, found->second.start,
                                end);
  }

  // ---- blocks, and the bytes of buffers
  void check_blocks(uint32_t v) {
    const int64_t elements = info(value(v).dtype).elements;
    if (elements == 1) return;
    const Frame& mine = at(v);
    const auto whole_blocks = [&](Expr e) {
      return plan_.pool->divide_exactly(e, plan_.pool->constant(elements)).has_value() ||
             facts(v).equal(plan_.pool->mod(e, plan_.pool->constant(elements)), zero_);
    };
    bool good = !mine.shape.empty() && whole_blocks(mine.shape.back()) && mine.strides.back().is(1);
    for (size_t i = 0; i + 1 < mine.strides.size() && good; ++i)
      good = mine.shape[i].is(1) || whole_blocks(mine.strides[i]);
    if (!good) refuse(Rule::Blocks, v, "does not lie in whole blocks: " + said(mine));
  }

  void check_buffers() {
    std::vector<uint8_t> filled(plan_.buffers.size(), 0);
    for (uint32_t i = 0; i < plan_.values.size(); ++i) {
      if (proof_.region_[i] == whole(i) && is_whole(i)) filled[value(i).buffer] = 1;
    }
    for (uint32_t b = 0; b < plan_.buffers.size() && !proof_.full(); ++b) {
      if (!filled[b] && !proof_.values_in_[b].empty())
        proof_.refuse(Rule::Whole, proof_.where_buffer(b),
                      plan_.buffers[b].bytes.text().substr(0, 60) + " bytes, and no value fills it");
    }
  }

  struct Slot {
    int axis = 0;
    Expr start;
  };
  Proof& proof_;
  const Plan& plan_;
  const Expr zero_;
  std::vector<uint32_t> slot_of_;              // by value: the concat that it is an operand of
  std::unordered_map<uint32_t, Slot> starts_;  // by operand of a concat
};

bool Proof::windows() { return Windows(*this).run(); }

}  // namespace irplan::proof
