#include "passes/memory/windows.h"

#include <algorithm>
#include <unordered_map>

#include "passes/graph_edit.h"
#include "passes/select.h"

namespace irplan {
namespace {

bool joins(const Op& op) { return op.row->shows == Shows::Joined; }

int axis_of(const Op& op, size_t rank) {
  const Attr& attr = op.attrs["axis"];
  const int64_t axis = attr.expr() ? attr.expr().constant() : attr.integer();
  return static_cast<int>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

// Where a value's elements lie: strides in elements over a root value's storage, and the way there for
// telling windows apart.
struct Window {
  ValueId root = kNone;    // the value whose storage it is
  ValueId parent = kNone;  // the value that it is a part of, or lies over; none for a root
  Expr offset;             // elements from the root's first
  Shape strides;
  // Its part of the parent: [start, start + len) of an axis; axis -1: all of it.
  int axis = -1;
  Expr start, len;
};

class WindowPass {
 public:
  explicit WindowPass(Graph& graph) : graph_(graph), dims_(*graph.dims) {}

  void run() {
    windows_.resize(graph_.values.size());
    first_part_.assign(graph_.values.size(), kNone);
    next_part_.assign(graph_.values.size(), kNone);
    find_last_uses();
    plan_concats();
    std::vector<Op> ops = std::move(graph_.ops);
    graph_.ops.clear();
    graph_.ops.reserve(ops.size());
    size_t next = 0;
    const auto take = [&](uint32_t phase) {
      copies_.clear();
      for (; next < ops.size() && ops[next].phase == phase; ++next) {
        old_index_ = static_cast<OpId>(next);
        visit(std::move(ops[next]));
      }
    };
    take(kLoadPhase);
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      graph_.phases[p].ops_begin = static_cast<uint32_t>(graph_.ops.size());
      take(p);
      graph_.phases[p].ops_end = static_cast<uint32_t>(graph_.ops.size());
    }
    // Copies of weights that a later phase asked for run at load time too.
    add_load_ops(graph_, std::move(late_load_));
    for (ValueId id = 0; id < graph_.values.size(); ++id) settle(id);
    make_buffers();
  }

 private:
  // ---- what is needed when, in indices of the ops as they came
  void find_last_uses() {
    last_use_.assign(graph_.values.size(), 0);
    for (OpId i = 0; i < graph_.ops.size(); ++i) {
      for (const ValueId id : graph_.ops[i].in) {
        if (id != kNone) last_use_[id] = i + 1;
      }
    }
    for (const Output& output : graph_.outputs) last_use_[output.value] = UINT32_MAX;
  }

  void plan_concats() {
    slot_of_.assign(graph_.values.size(), kNone);
    for (const OpId i : placed_concats(graph_)) {
      const Op& op = graph_.ops[i];
      for (const ValueId id : op.in) slot_of_[id] = op.out[0];
      concats_[op.out[0]] = {op.in, axis_of(op, graph_.values[op.out[0]].type.shape.size())};
    }
  }

  // What follows from a shape alone; layers share shapes, so each is worked out once.
  struct Dense {
    Shape shape;
    Shape strides;  // row-major, in elements
    Expr elements;
  };

  const Dense& dense(const Shape& shape) const {
    uint64_t hash = shape.size();
    for (const Expr extent : shape) hash = hash * 0x9e3779b97f4a7c15ULL + extent.index();
    std::vector<Dense>& alike = dense_[hash];
    for (const Dense& known : alike) {
      if (known.shape == shape) return known;
    }
    Dense fresh{shape, Shape(shape.size()), dims_.constant(1)};
    for (size_t i = shape.size(); i-- > 0;) {
      fresh.strides[i] = fresh.elements;
      fresh.elements = fresh.elements * shape[i];
    }
    alike.push_back(std::move(fresh));
    return alike.back();
  }

  const Shape& row_major(const Shape& shape) const { return dense(shape).strides; }

  Expr bytes(const TensorType& type) const {
    if (info(type.dtype).elements == 1) return dense(type.shape).elements * info(type.dtype).bytes;
    return stored_bytes(dims_, type);
  }

  Window& root(ValueId id) {
    Window& w = windows_[id];
    w = Window{};
    w.root = id;
    w.offset = dims_.constant(0);
    w.strides = row_major(graph_.values[id].type.shape);
    return w;
  }

  Window& window(ValueId id) { return windows_[id].root == kNone ? root(id) : windows_[id]; }

  // ---- ops, in order
  void visit(Op op) {
    if (op.row->window && try_window(op)) return;
    if (op.row->window && op.row->shows == Shows::Reshaped) {
      op.row = &copy_op();
      op.kernel = copy_kernel(graph_, *op.row);
      const Attr shape = op.attrs["shape"];
      op.attrs = Attrs(*op.row);
      op.attrs.set("shape", shape);
      const TensorType& type = graph_.values[op.out[0]].type;
      op.flops = dims_.constant(0);
      op.bytes = bytes(type) * 2;
    }
    if (joins(op) && concats_.contains(op.out[0])) {
      Value& value = graph_.values[op.out[0]];
      value.of.assign(op.in.begin(), op.in.end());
      value.producer = kNone;
      return;
    }
    for (size_t i = 0; i < op.in.size(); ++i) {
      const auto spec = std::min(i, op.row->operands.size() - 1);
      // Rows of a state that are appended to it are read while it is written.
      const bool own_rows = op.row->updates_state && i == 1 && window(op.in[1]).root == window(op.in[0]).root;
      if (op.in[i] != kNone && (own_rows || (op.row->operands[spec].dense && !rows_dense(op.in[i]))))
        op.in[i] = copied(op, op.in[i]);
    }
    std::vector<ValueId> taken;
    for (const ValueId id : op.out) locate(op, id, taken);
    push(std::move(op));
  }

  void push(Op op) {
    const auto index = static_cast<OpId>(graph_.ops.size());
    for (const ValueId id : op.out) graph_.values[id].producer = index;
    graph_.ops.push_back(std::move(op));
  }

  bool rows_dense(ValueId id) {
    const Window& w = window(id);
    const auto& shape = graph_.values[id].type.shape;
    for (size_t i = shape.size(); i-- > 0;) {
      if (shape[i].is(1)) continue;
      return w.strides[i].is(1);
    }
    return true;
  }

  // A dense copy of a window that a kernel cannot read as it lies; one for all its readers in a phase.
  ValueId copied(const Op& reader, ValueId id) {
    const auto known = copies_.find(id);
    if (known != copies_.end())
      return last_use_[known->second] = std::max(last_use_[known->second], last_use_[id]), known->second;
    const Value source = graph_.values[id];
    const bool at_load = source.kind == ValueKind::Param || source.kind == ValueKind::Folded;
    if (at_load) {
      const auto folded = load_copies_.find(id);
      if (folded != load_copies_.end()) return folded->second;
    }
    Value copy = source;
    copy.packed = nullptr;
    copy.id = source.id + ".copy";
    copy.kind = at_load ? ValueKind::Folded : ValueKind::Temp;
    copy.phase = at_load ? source.phase : reader.phase;
    copy.source.clear();
    copy.of.clear();
    const auto copy_id = static_cast<ValueId>(graph_.values.size());
    Op op;
    op.row = &copy_op();
    op.kernel = copy_kernel(graph_, *op.row);
    op.in = {id};
    op.out = {copy_id};
    op.attrs = Attrs(*op.row);
    op.attrs.set("shape", Attr::of(source.type.shape));
    op.phase = at_load ? kLoadPhase : reader.phase;
    op.span = reader.span;
    op.operand_spans = {reader.span};
    op.scope = reader.scope;
    op.flops = dims_.constant(0);
    op.bytes = bytes(source.type) * 2;
    graph_.values.push_back(std::move(copy));
    windows_.emplace_back();
    last_use_.push_back(last_use_[id]);
    slot_of_.push_back(kNone);
    first_part_.push_back(kNone);
    next_part_.push_back(kNone);
    root(copy_id);
    if (at_load && reader.phase != kLoadPhase) {
      load_copies_[id] = copy_id;
      late_load_.push_back(std::move(op));
    } else {
      (at_load ? load_copies_ : copies_)[id] = copy_id;
      push(std::move(op));
    }
    return copy_id;
  }

  // ---- windows on operands
  bool try_window(const Op& op) {
    const ValueId from = op.in[0];
    const Window base = window(from);
    const auto& old_shape = graph_.values[from].type.shape;
    const Shows shows = op.row->shows;
    std::vector<Window> parts;
    if (shows == Shows::Reshaped) {
      auto strides = view_strides(old_shape, base.strides, graph_.values[op.out[0]].type.shape);
      if (!strides) return false;
      Window w = base;
      w.strides = std::move(*strides);
      parts.push_back(std::move(w));
    } else if (shows == Shows::Permuted) {
      Window w = base;
      const AttrList& perm = op.attrs["perm"].list();
      for (size_t i = 0; i < perm.size(); ++i) {
        const int64_t axis = perm[i].expr() ? perm[i].expr().constant() : perm[i].integer();
        w.strides[i] =
            base.strides[static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(perm.size()) : axis)];
      }
      parts.push_back(std::move(w));
    } else {
      const auto axis = static_cast<size_t>(axis_of(op, old_shape.size()));
      Expr start = shows == Shows::Part ? op.attrs["start"].expr() : dims_.constant(0);
      for (const ValueId id : op.out) {
        Window w = base;
        w.axis = static_cast<int>(axis);
        w.start = start;
        w.len = graph_.values[id].type.shape[axis];
        w.offset = base.offset + start * base.strides[axis];
        start = start + w.len;
        parts.push_back(std::move(w));
      }
    }
    for (size_t i = 0; i < op.out.size(); ++i) {
      Window& w = parts[i];
      w.parent = from;
      w.root = base.root;
      if (shows == Shows::Reshaped || shows == Shows::Permuted) w.axis = -1;
      add_part(w.root, op.out[i]);
      windows_[op.out[i]] = std::move(w);
      Value& value = graph_.values[op.out[i]];
      value.of = {from};
      value.producer = kNone;
      if (graph_.values[from].kind == ValueKind::Param || graph_.values[from].kind == ValueKind::Folded)
        value.kind = ValueKind::Folded;
    }
    return true;
  }

  // Strides of a reshape: axes are matched in groups of equal products; inside a group the old axes must lie
  // densely.
  std::optional<Shape> view_strides(const Shape& from, const Shape& strides, const Shape& to) const {
    if (strides == row_major(from)) return row_major(to);
    Shape out(to.size(), dims_.constant(1));
    size_t i = 0, j = 0;
    while (i < from.size() || j < to.size()) {
      const size_t first_old = i, first_new = j;
      Expr old_product = dims_.constant(1), new_product = dims_.constant(1);
      // At least one axis of each; then the side that is behind goes on, until the products agree.
      if (i < from.size()) old_product = from[i++];
      if (j < to.size()) new_product = to[j++];
      while (!(old_product == new_product)) {
        const bool old_divides = dims_.divide_exactly(new_product, old_product).has_value();
        if (old_divides && i < from.size()) {
          old_product = old_product * from[i++];
        } else if (j < to.size() && dims_.divide_exactly(old_product, new_product)) {
          new_product = new_product * to[j++];
        } else {
          return std::nullopt;
        }
      }
      Expr stride = dims_.constant(1);
      bool found = false;
      for (size_t k = i; k-- > first_old;) {  // innermost axis that is not 1 gives the group's stride
        if (from[k].is(1)) continue;
        if (!found) {
          stride = strides[k];
          found = true;
          continue;
        }
        size_t inner = k + 1;
        while (inner < i && from[inner].is(1)) ++inner;
        if (inner < i && !(strides[k] == strides[inner] * from[inner])) return std::nullopt;
      }
      for (size_t k = j; k-- > first_new;) {
        out[k] = stride;
        stride = stride * to[k];
      }
    }
    return out;
  }

  // ---- where a result goes: into a state, a concat's slot, over an operand, or into bytes of its own
  void locate(const Op& op, ValueId id, std::vector<ValueId>& taken) {
    if (op.phase == kLoadPhase) {
      root(id);
      return;
    }
    if (op.row->updates_state) {
      Window w = window(op.in[0]);
      w.parent = op.in[0];
      w.axis = -1;
      windows_[id] = std::move(w);
      return;
    }
    if (slot_of_[id] != kNone) return place_in_slot(id);
    if (op.row->in_place) {
      for (const ValueId operand : op.in) {
        if (operand == kNone || std::find(taken.begin(), taken.end(), operand) != taken.end()) continue;
        if (!may_overwrite(op, operand, id)) continue;
        Window w = window(operand);
        w.parent = operand;
        w.axis = -1;
        windows_[id] = std::move(w);
        taken.push_back(operand);
        add_part(windows_[id].root, id);
        return;
      }
    }
    root(id);
    add_part(id, id);
  }

  void place_in_slot(ValueId id) {
    const ValueId whole = slot_of_[id];
    if (windows_[whole].root == kNone) {
      root(whole);
      add_part(whole, whole);
    }
    const Window& base = windows_[whole];
    Window w = base;
    const auto& [operands, axis] = concats_.at(whole);
    Expr start = dims_.constant(0);
    for (const ValueId other : operands) {
      if (other == id) break;
      start = start + graph_.values[other].type.shape[static_cast<size_t>(axis)];
    }
    w.parent = whole;
    w.axis = axis;
    w.start = start;
    w.len = graph_.values[id].type.shape[static_cast<size_t>(axis)];
    w.offset = base.offset + start * base.strides[static_cast<size_t>(axis)];
    windows_[id] = std::move(w);
    add_part(whole, id);
  }

  // Whether the result may be written over the operand: same elements, nothing else there is needed any more.
  bool may_overwrite(const Op& op, ValueId operand, ValueId result) {
    const Value& a = graph_.values[operand];
    const Value& r = graph_.values[result];
    if (a.kind != ValueKind::Temp || a.type.shape != r.type.shape || is_block(a.type.dtype) ||
        is_block(r.type.dtype))
      return false;
    if (info(a.type.dtype).bytes != info(r.type.dtype).bytes) return false;
    const Window& w = window(operand);
    const Value& base = graph_.values[w.root];
    if (base.kind != ValueKind::Temp || info(base.type.dtype).bytes != info(r.type.dtype).bytes) return false;
    if (a.phase != op.phase) return false;
    for (const ValueId other : op.in) {
      if (other == kNone || other == operand || window(other).root != w.root) continue;
      if (overlap(other, operand) && !same_window(other, operand)) return false;
    }
    if (first_part_[w.root] == kNone) return false;  // a copy that later readers share
    // What no later op needs is left out of the chain for good, else a long chain of updates in place would
    // be walked for each.
    ValueId* link = &first_part_[w.root];
    while (*link != kNone) {
      const ValueId part = *link;
      if (last_use_[part] <= old_index_ + 1 && next_part_[part] != kNone) {
        *link = next_part_[part];
        continue;
      }
      if (last_use_[part] > old_index_ + 1 && overlap(part, operand)) return false;
      link = &next_part_[part];
    }
    return true;
  }

  // Notes a value as written in the root's bytes, or as a window on them.
  void add_part(ValueId root, ValueId id) {
    next_part_[id] = first_part_[root];
    first_part_[root] = id;
  }

  bool same_window(ValueId a, ValueId b) {
    const Window& x = window(a);
    const Window& y = window(b);
    return x.root == y.root && x.offset == y.offset && x.strides == y.strides &&
           graph_.values[a].type.shape == graph_.values[b].type.shape;
  }

  // Two windows on one root overlap unless the way down from their first common ancestor parts them along one
  // axis.
  bool overlap(ValueId a, ValueId b) {
    if (a == b) return true;
    std::vector<ValueId> up_a = ancestors(a), up_b = ancestors(b);
    while (!up_a.empty() && !up_b.empty() && up_a.back() == up_b.back()) up_a.pop_back(), up_b.pop_back();
    if (up_a.empty() || up_b.empty()) return true;
    const Window& x = windows_[up_a.back()];
    const Window& y = windows_[up_b.back()];
    if (x.parent != y.parent || x.axis < 0 || x.axis != y.axis) return true;
    if (any_size_.empty()) any_size_.assign(dims_.dim_count(), Interval{0, Interval::kUnbounded});
    return decide(x.start + x.len, Relation::LessEqual, y.start, any_size_) != Truth::Yes &&
           decide(y.start + y.len, Relation::LessEqual, x.start, any_size_) != Truth::Yes;
  }

  std::vector<ValueId> ancestors(ValueId id) {
    std::vector<ValueId> up;
    for (ValueId at = id; at != kNone; at = windows_[at].parent) up.push_back(at);
    return up;
  }

  // ---- what the graph keeps
  void settle(ValueId id) {
    Value& value = graph_.values[id];
    if (value.poisoned) return;
    const Window& w = window(id);
    const int64_t block = info(value.type.dtype).elements, size = info(value.type.dtype).bytes;
    value.offset = block == 1 ? w.offset * size : dims_.floordiv(w.offset * size, dims_.constant(block));
    if (w.strides == row_major(value.type.shape)) {
      value.strides.reset();
    } else {
      value.strides = w.strides;
    }
  }

  void make_buffers() {
    graph_.buffers.clear();
    std::vector<BufferId> of_root(graph_.values.size(), kNone);
    for (ValueId id = 0; id < graph_.values.size(); ++id) {
      Value& value = graph_.values[id];
      const ValueId base = windows_[id].root;
      if (of_root[base] == kNone) {
        of_root[base] = static_cast<BufferId>(graph_.buffers.size());
        Buffer buffer;
        buffer.id = value.id;
        const Value& root_value = graph_.values[base];
        switch (root_value.kind) {
          case ValueKind::Input: buffer.segment = Segment::Inputs; break;
          case ValueKind::State: buffer.segment = Segment::State; break;
          case ValueKind::Param:
          case ValueKind::Folded: buffer.segment = Segment::Weights; break;
          case ValueKind::Temp:
            buffer.segment = Segment::Arena;
            buffer.phase = root_value.phase;
            break;
        }
        buffer.bytes =
            root_value.packed ? root_value.packed->bytes(dims_, root_value.type) : bytes(root_value.type);
        buffer.live_begin = UINT32_MAX;
        graph_.buffers.push_back(std::move(buffer));
      }
      value.buffer = of_root[base];
    }
    for (OpId i = 0; i < graph_.ops.size(); ++i) {
      Op& op = graph_.ops[i];
      for (const ValueId id : op.in) {
        if (id != kNone) touch(graph_.values[id].buffer, i);
      }
      for (const ValueId id : op.out) touch(graph_.values[id].buffer, i);
      op.scratch_buffers.clear();
      for (const Expr bytes : op.scratch) {
        Buffer buffer;
        buffer.id = graph_.values[op.out[0]].id + ".scratch";
        buffer.phase = op.phase;
        buffer.bytes = bytes;
        buffer.live_begin = UINT32_MAX;
        op.scratch_buffers.push_back(static_cast<BufferId>(graph_.buffers.size()));
        graph_.buffers.push_back(std::move(buffer));
        touch(op.scratch_buffers.back(), i);
      }
    }
    for (const Output& output : graph_.outputs) {
      const BufferId buffer = graph_.values[output.value].buffer;
      if (graph_.buffers[buffer].live_begin != UINT32_MAX)
        touch(buffer, graph_.phases[output.phase].ops_end - 1);
    }
    for (Buffer& buffer : graph_.buffers) {
      if (buffer.live_begin == UINT32_MAX) buffer.live_begin = 0;
    }
  }

  void touch(BufferId id, OpId at) {
    Buffer& buffer = graph_.buffers[id];
    buffer.live_begin = std::min(buffer.live_begin, at);
    buffer.live_end = std::max(buffer.live_end, at + 1);
  }

  Graph& graph_;
  Dims& dims_;
  std::vector<Window> windows_;   // by value
  std::vector<OpId> last_use_;    // by value: one past the last op that reads it, in the ops as they came
  std::vector<ValueId> slot_of_;  // by value: the concat in whose result it is placed
  std::unordered_map<ValueId, std::pair<Ids, int>> concats_;  // placed ones: operands, axis
  std::vector<ValueId> first_part_, next_part_;  // by value: of a root, what lies in it, as a chain
  mutable std::unordered_map<uint64_t, std::vector<Dense>> dense_;  // by a hash of the shape
  Ranges any_size_;
  std::unordered_map<ValueId, ValueId> copies_, load_copies_;
  std::vector<Op> late_load_;
  OpId old_index_ = 0;
};

}  // namespace

void assign_windows(Graph& graph) { WindowPass(graph).run(); }

std::vector<OpId> placed_concats(const Graph& graph) {
  std::vector<OpId> out;
  std::unordered_map<ValueId, int> uses;
  for (const Op& op : graph.ops) {
    if (!joins(op)) continue;
    for (const ValueId id : op.in) ++uses[id];
  }
  for (OpId i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (!joins(op) || op.phase == kLoadPhase) continue;
    const TensorType& result = graph.values[op.out[0]].type;
    const int axis = axis_of(op, result.shape.size());
    const bool fits = std::all_of(op.in.begin(), op.in.end(), [&](ValueId id) {
      const Value& value = graph.values[id];
      if (value.kind != ValueKind::Temp || value.producer == kNone || uses[id] > 1 ||
          value.type.dtype != result.dtype)
        return false;
      const Op& producer = graph.ops[value.producer];
      if (producer.row->window || producer.row->updates_state || joins(producer) ||
          producer.phase != op.phase)
        return false;
      for (size_t k = 0; k < result.shape.size(); ++k) {
        if (static_cast<int>(k) != axis && !(value.type.shape[k] == result.shape[k])) return false;
      }
      return true;
    });
    if (fits) out.push_back(i);
  }
  return out;
}

}  // namespace irplan
