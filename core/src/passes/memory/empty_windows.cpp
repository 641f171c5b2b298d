#include "passes/memory/empty_windows.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace irplan {
namespace {

class EmptyWindows {
 public:
  EmptyWindows(const Graph& graph, Diagnostics& diagnostics)
      : graph_(graph), dims_(*graph.dims), diagnostics_(diagnostics) {
    for (const Value& whole : graph.values) {
      if (whole.of.size() < 2) continue;  // a concat whose operands are made in place
      for (const ValueId part : whole.of)
        whole_of_[part] = static_cast<ValueId>(&whole - graph.values.data());
    }
  }

  void run() {
    const bool any = std::any_of(graph_.values.begin(), graph_.values.end(),
                                 [](const Value& v) { return v.offset && !v.offset.is(0); });
    if (!any) return;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) ranges_.push_back(graph_.ranges(p));
    ranges_.push_back(graph_.ranges());
    for (ValueId id = 0; id < graph_.values.size(); ++id) {
      if (!outside(id)) continue;
      tell(id);
      return;
    }
  }

 private:
  const Ranges& ranges_of(const Value& v) const {
    return v.phase < graph_.phases.size() ? ranges_[v.phase] : ranges_.back();
  }

  // The first of a value's extents that may be 0; none where it always has elements.
  const Expr* open_extent(const Value& v) const {
    const auto at = std::find_if(v.type.shape.begin(), v.type.shape.end(),
                                 [&](Expr e) { return bounds(e, ranges_of(v)).lo <= 0; });
    return at == v.type.shape.end() ? nullptr : at;
  }

  bool outside(ValueId id) {
    const Value& v = graph_.values[id];
    if (v.poisoned || !v.offset || v.offset.is(0) || !open_extent(v)) return false;
    const auto [known, fresh] = known_.try_emplace({v.offset.index(), v.buffer, v.phase}, false);
    if (fresh) known->second = !begins_inside(v) && !parent_holds(id);
    return known->second;
  }

  // What it is a part of has elements always, or begins where it does.
  bool parent_holds(ValueId id) {
    const Value& v = graph_.values[id];
    const auto whole = whole_of_.find(id);
    const ValueId parent = whole != whole_of_.end() ? whole->second : v.of.size() == 1 ? v.of[0] : kNone;
    if (parent == kNone) return false;
    const Value& p = graph_.values[parent];
    if (!open_extent(p)) return true;
    return p.offset == v.offset && !outside(parent);
  }

  // Whether the offset is at most the buffer's bytes: over the ranges, by a guard, or with each extent at 0.
  bool begins_inside(const Value& v) {
    const Expr room = graph_.buffers[v.buffer].bytes - v.offset, zero = dims_.constant(0);
    const Ranges& ranges = ranges_of(v);
    const auto holds = [&](Expr e) { return decide(zero, Relation::LessEqual, e, ranges) == Truth::Yes; };
    if (holds(room)) return true;
    for (const Guard& guard : graph_.guards) {
      if (guard.constraint.relation != Relation::LessEqual ||
          (guard.phase != kNoPhase && guard.phase != v.phase))
        continue;
      for (const Term& term : room.node().terms) {
        const int64_t times = std::max(term.coefficient, -term.coefficient);
        if (holds(room - (guard.constraint.right - guard.constraint.left) * times)) return true;
      }
    }
    return std::all_of(v.type.shape.begin(), v.type.shape.end(), [&](Expr extent) {
      if (bounds(extent, ranges).lo > 0) return true;
      const auto dims = dims_of(extent);
      return dims.size() == 1 && extent == dims_.dim(dims_.dim_name(dims[0])) &&
             holds(dims_.substitute(room, dims[0], zero));
    });
  }

  void tell(ValueId id) {
    const Value& v = graph_.values[id];
    const Value& root = *std::find_if(graph_.values.begin(), graph_.values.end(),
                                      [&](const Value& r) { return r.buffer == v.buffer; });
    const auto dims = dims_of(*open_extent(v));
    const Dim* dim = nullptr;
    for (const Dim& d : graph_.dim_list) {
      if (std::find(dims.begin(), dims.end(), d.index) != dims.end() && ranges_of(v)[d.index].lo == 0 && !dim)
        dim = &d;
    }
    const std::string where = dim ? "`" + dim->name + "` is 0" : "`" + open_extent(v)->text() + "` is 0";
    Diagnostic& d = diagnostics_.report(Code::PartOutside, v.span, {v.id, root.id, where});
    d.at("begins at byte " + v.offset.text() + " of " + graph_.buffers[v.buffer].bytes.text());
    d.rule("a part of a tensor begins inside of it at every size");
    if (!dim) return;
    const Interval range = dim->range;
    const std::string end = range.hi == Interval::kUnbounded ? "" : std::to_string(range.hi);
    d.also(dim->span, "may be 0");
    d.help("let it begin at 1: dim " + dim->name + " in 1.." + end);
  }

  const Graph& graph_;
  Dims& dims_;
  Diagnostics& diagnostics_;
  std::vector<Ranges> ranges_;  // by phase, and of what phases share
  std::unordered_map<ValueId, ValueId> whole_of_;
  std::map<std::tuple<uint32_t, BufferId, uint32_t>, bool> known_;  // by offset, buffer and phase
};

}  // namespace

void refuse_empty_windows(const Graph& graph, Diagnostics& diagnostics) {
  EmptyWindows(graph, diagnostics).run();
}

}  // namespace irplan
