// Windows on tensors (view, transpose, slice, split), concat, and what names a result.
#include <algorithm>

#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/semantics.h"
#include "ops/weight_layout.h"

namespace irplan {
namespace {

using namespace rules;

Shape extents_of(const Attr& list) {
  Shape out;
  out.reserve(list.list().size());
  for (const Attr& extent : list.list()) out.push_back(extent.expr());
  return out;
}

bool give_window(OpCall& call, Shape shape) {
  const DType dtype = call.operand(0).dtype;
  if (!whole_blocks(call, dtype, shape)) return false;
  call.result(dtype, std::move(shape));
  return true;
}

// ---- view

bool view_fault(OpCall& call, Taking<1> code, std::string rule) {
  Fault f = fault(call, code);
  f.operand = 0;
  f.found = text(call.operand(0)) + ": " + call.elements(call.operand(0)).text() + " elements";
  f.attribute = "shape";
  f.rule = std::move(rule);
  return call.fail(std::move(f));
}

bool fill_open_extent(OpCall& call, Shape& shape, size_t open) {
  Expr known = call.dims.constant(1);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != open) known = known * shape[i];
  }
  const Expr count = call.elements(call.operand(0));
  if (known.overflowed() || count.overflowed()) return call.fail(fault(call, Code::ExtentTooLarge));
  const bool divides = known.is_constant() ? known.constant() > 0 : true;
  const auto quotient = divides ? call.dims.divide_exactly(count, known) : std::nullopt;
  if (!quotient) {
    return view_fault(call, Code::ViewExtentUnknown,
                      "the other extents, " + known.text() + ", must divide the elements, " + count.text());
  }
  shape[open] = *quotient;
  call.attrs.set("shape", Attr::of(shape));
  return true;
}

bool view_shape(OpCall& call) {
  Shape shape = extents_of(call.attrs["shape"]);
  std::optional<size_t> open;
  const Expr zero = call.dims.constant(0);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].is(-1)) {
      if (open) return attribute_fault(call, "shape", "all known but one: -1 occurs twice");
      open = i;
    } else if (!call.at_most(zero, shape[i])) {
      return attribute_fault(call, "shape", "of extents that are at least 0, or -1 once");
    }
  }
  if (open && !fill_open_extent(call, shape, *open)) return false;
  if (!open) {
    const Expr before = call.elements(call.operand(0)), after = call.dims.product(shape);
    if (before.overflowed() || after.overflowed()) return call.fail(fault(call, Code::ExtentTooLarge));
    if (!call.same(before, after)) {
      return view_fault(call, Code::ViewChangesCount,
                        std::string(call.row.name) + " keeps the elements; its shape has " + after.text());
    }
  }
  return give_window(call, std::move(shape));
}

// ---- transpose

bool transpose_shape(OpCall& call) {
  const AttrList& perm = call.attrs["perm"].list();
  const auto rank = static_cast<int64_t>(call.rank(0));
  Shape shape;
  uint64_t seen = 0;
  for (const Attr& item : perm) {
    const int64_t axis = item.integer() < 0 ? item.integer() + rank : item.integer();
    if (axis < 0 || axis >= rank || axis >= 64 || (seen >> axis & 1)) break;
    seen |= uint64_t{1} << axis;
    shape.push_back(call.operand(0).shape[static_cast<size_t>(axis)]);
  }
  const DType dtype = call.operand(0).dtype;
  const bool permutes = static_cast<int64_t>(shape.size()) == rank && perm.size() == shape.size();
  const bool keeps_blocks = !permutes || !is_block(dtype) || rank == 0 || perm.back().integer() == rank - 1 ||
                            perm.back().integer() == -1;
  if (permutes && keeps_blocks) {
    call.result(dtype, std::move(shape));
    return true;
  }
  Fault f = permutes ? fault(call, Code::BlocksCut, {name(dtype), std::to_string(info(dtype).elements)})
                     : fault(call, Code::PermutationForm);
  f.operand = 0;
  f.found = text(call.operand(0)) + ": " + std::to_string(rank) + (rank == 1 ? " axis" : " axes");
  f.attribute = "perm";
  f.rule = permutes ? "blocks lie along the last axis, which stays the last"
                    : "transpose: perm names each axis once";
  return call.fail(std::move(f));
}

void transpose(HostCall& call) {
  const HostArray& x = *call.in[0];
  HostArray& y = call.out[0];
  const size_t rank = x.shape.size();
  std::vector<int64_t> stride(rank, 1), step(rank), index(rank, 0);
  for (size_t i = rank; i-- > 1;) stride[i - 1] = stride[i] * x.shape[i];
  const AttrList& perm = call.attrs["perm"].list();
  for (size_t i = 0; i < rank; ++i) step[i] = stride[semantics::axis_from_end(perm[i].integer(), rank)];
  const int64_t count = x.count();
  int64_t at = 0;
  for (int64_t n = 0; n < count; ++n) {
    if (x.floats) {
      y.f[static_cast<size_t>(n)] = x.f[static_cast<size_t>(at)];
    } else {
      y.i[static_cast<size_t>(n)] = x.i[static_cast<size_t>(at)];
    }
    for (size_t i = rank; i-- > 0;) {
      at += step[i];
      if (++index[i] < y.shape[i]) break;
      at -= step[i] * y.shape[i];
      index[i] = 0;
    }
  }
}

// ---- slice, split

bool slice_shape(OpCall& call) {
  const auto axis = axis_of(call, 0, call.attrs["axis"].integer());
  if (!axis) return false;
  const Expr start = call.attrs["start"].expr(), len = call.attrs["len"].expr(), end = start + len;
  const Expr zero = call.dims.constant(0), held = call.operand(0).shape[*axis];
  if (end.overflowed()) return call.fail(fault(call, Code::ExtentTooLarge));
  if (!call.at_most(zero, start) || !call.at_most(zero, len) || !call.at_most(end, held)) {
    Fault f = fault(call, Code::SliceOutside);
    f.operand = 0;
    f.found = axis_text(call.operand(0), static_cast<int>(*axis));
    f.attribute = call.at_most(zero, start) ? "len" : "start";
    f.rule = "slice: 0 <= start and start + len <= " + held.text() + "; they are " + start.text() + " and " +
             end.text();
    return call.fail(std::move(f));
  }
  const DType dtype = call.operand(0).dtype;
  const Expr block = call.dims.constant(info(dtype).elements);
  if (*axis + 1 == call.rank(0) && !call.dims.divide_exactly(start, block)) {
    Fault f = fault(call, Code::BlocksCut, {name(dtype), block.text()});
    f.operand = 0;
    f.found = "the slice would begin at element " + start.text();
    f.attribute = "start";
    f.rule = "a slice of a block dtype begins with a block";
    return call.fail(std::move(f));
  }
  Shape shape = call.operand(0).shape;
  shape[*axis] = len;
  return give_window(call, std::move(shape));
}

bool split_shape(OpCall& call) {
  const auto axis = axis_of(call, 0, call.attrs["axis"].integer());
  if (!axis) return false;
  const Shape sizes = extents_of(call.attrs["sizes"]);
  const Expr held = call.operand(0).shape[*axis], zero = call.dims.constant(0);
  Expr total = zero;
  bool good = !sizes.empty();
  for (const Expr size : sizes) {
    good = good && call.at_most(zero, size);
    total = total + size;
  }
  if (total.overflowed()) return call.fail(fault(call, Code::ExtentTooLarge));
  if (!good || !call.same(total, held)) {
    Fault f = fault(call, Code::SplitSizes);
    f.operand = 0;
    f.found = axis_text(call.operand(0), static_cast<int>(*axis));
    f.attribute = "sizes";
    f.rule = "split: sizes are at least 0 and sum to " + held.text() + "; their sum is " + total.text();
    return call.fail(std::move(f));
  }
  for (const Expr size : sizes) {
    Shape shape = call.operand(0).shape;
    shape[*axis] = size;
    if (!give_window(call, std::move(shape))) return false;
  }
  return true;
}

// Copies lines [start, start + y's extent) of x's axis.
void take_slice(const HostArray& x, size_t axis, int64_t start, HostArray& y) {
  const auto from = semantics::around(x.shape, axis), to = semantics::around(y.shape, axis);
  const int64_t line = to.n * to.inner;
  for (int64_t outer = 0; outer < to.outer; ++outer) {
    const int64_t source = (outer * from.n + start) * from.inner, target = outer * line;
    if (x.floats) {
      std::copy_n(x.f.begin() + source, line, y.f.begin() + target);
    } else {
      std::copy_n(x.i.begin() + source, line, y.i.begin() + target);
    }
  }
}

void slice(HostCall& call) {
  const HostArray& x = *call.in[0];
  take_slice(x, semantics::axis_from_end(call.attrs["axis"].integer(), x.shape.size()),
             call.value(call.attrs["start"].expr(), -1), call.out[0]);
}

void split(HostCall& call) {
  const HostArray& x = *call.in[0];
  const size_t axis = semantics::axis_from_end(call.attrs["axis"].integer(), x.shape.size());
  int64_t start = 0;
  for (HostArray& y : call.out) {
    take_slice(x, axis, start, y);
    start += y.shape[axis];
  }
}

// ---- concat

bool concat_shape(OpCall& call) {
  if (!alike(call, true)) return false;
  const auto axis = axis_of(call, 0, call.attrs["axis"].integer());
  if (!axis) return false;
  Shape shape = call.operand(0).shape;
  for (size_t i = 1; i < call.in.size(); ++i) {
    const Shape& next = call.operand(i).shape;
    if (!rank_is(call, i, call.rank(0))) return false;
    // The axis itself is summed; the others broadcast.
    const Expr sum = shape[*axis] + next[*axis];
    Shape a = shape, b = next, both;
    a[*axis] = b[*axis] = call.dims.constant(1);
    if (!broadcast(call, a, b, 0, i, both)) return false;
    shape = std::move(both);
    shape[*axis] = sum;
  }
  call.result(call.operand(0).dtype, std::move(shape));
  return true;
}

void concat(HostCall& call) {
  HostArray& y = call.out[0];
  const size_t axis = semantics::axis_from_end(call.attrs["axis"].integer(), y.shape.size());
  const auto whole = semantics::around(y.shape, axis);
  int64_t start = 0;
  for (const HostArray* x : call.in) {
    std::vector<int64_t> shape = y.shape;
    shape[axis] = x->shape[axis];
    const auto part = semantics::around(shape, axis);
    semantics::Broadcast source(shape, x->shape);
    for (int64_t outer = 0; outer < part.outer; ++outer) {
      for (int64_t k = 0; k < part.n * part.inner; ++k, source.next()) {
        const auto target = static_cast<size_t>((outer * whole.n + start) * whole.inner + k);
        if (y.floats) {
          y.f[target] = x->f[source.at()];
        } else {
          y.i[target] = x->i[source.at()];
        }
      }
    }
    start += x->shape[axis];
  }
}

// ---- whole tensors

bool same_shape(OpCall& call) {
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

bool copy_shape(OpCall& call) {
  if (call.attrs["shape"].is_none()) call.attrs.set("shape", Attr::of(call.operand(0).shape));
  return view_shape(call);
}

const WeightLayout* layout_of(const OpCall& call) { return find_weight_layout(call.attrs["layout"].word()); }

bool pack_shape(OpCall& call) {
  const WeightLayout* layout = layout_of(call);
  if (!layout || !layout->holds(call.operand(0)))
    return attribute_fault(call, "layout", "a layout that weights of this shape and dtype have");
  call.result(call.operand(0).dtype, call.operand(0).shape);
  return true;
}

Expr pack_bytes(const OpCall& call) {
  return call.bytes(call.operand(0)) + layout_of(call)->bytes(call.dims, call.out[0]);
}

void same_elements(HostCall& call) {
  call.out[0].f = call.in[0]->f;
  call.out[0].i = call.in[0]->i;
}

OpRow window_row(const char* name, std::vector<AttrSpec> attributes, ShapeRule shape, Semantics evaluate,
                 Shows shows, const char* shape_text, const char* doc) {
  return {.name = name,
          .operands = {{.name = "x", .as_rows = Reading::Shown}},
          .attributes = std::move(attributes),
          .shape = shape,
          .flops = nothing,
          .bytes = nothing,
          .evaluate = evaluate,
          .window = true,
          .operand_text = "x → y",
          .shape_text = shape_text,
          .doc = doc,
          .family = Family::Movement,
          .shows = shows};
}

}  // namespace

OpRow view_row() {
  return window_row("view", {{"shape", AttrKind::Extents}}, checked<view_shape>, same_elements,
                    Shows::Reshaped, "shape, whose elements are as many; one extent may be -1",
                    "the same elements in another shape");
}

OpRow transpose_row() {
  return window_row("transpose", {{"perm", AttrKind::Ints}}, checked<transpose_shape>, transpose,
                    Shows::Permuted, "axis i is x's axis perm[i]", "the axes in another order");
}

OpRow slice_row() {
  return window_row("slice",
                    {{"axis", AttrKind::Int}, {"start", AttrKind::Extent}, {"len", AttrKind::Extent}},
                    checked<slice_shape>, slice, Shows::Part,
                    "x with len on the axis; start + len is at most what it has", "a part of one axis");
}

OpRow split_row() {
  OpRow row = window_row(
      "split", {{"axis", AttrKind::Int, "-1"}, {"sizes", AttrKind::Extents}}, checked<split_shape>, split,
      Shows::Parts, "x with each size on the axis; they sum to what it has", "consecutive parts of one axis");
  row.operand_text = "x → y…";
  return row;
}

OpRow concat_row() {
  return {
      .name = "concat",
      .operands = {{"x"}},
      .variadic = true,
      .attributes = {{"axis", AttrKind::Int, "-1"}},
      .shape = checked<concat_shape>,
      .flops = nothing,
      .evaluate = concat,
      .operand_text = "x… → y",
      .shape_text = "the sum on the axis; others broadcast",
      .doc = "tensors one behind the other along one axis; costs nothing where they are placed in the result",
      .family = Family::Movement,
      .shows = Shows::Joined};
}

OpRow output_row() {
  OpRow row = window_row("output", {}, checked<same_shape>, same_elements, Shows::Reshaped, "as x",
                         "names a result of the program; emits no op");
  return row;
}

OpRow copy_row() {
  OpRow row = window_row("copy", {{"shape", AttrKind::Extents, "none"}}, checked<copy_shape>, same_elements,
                         Shows::Nothing, "shape, by default x's",
                         "the elements laid out densely, where a kernel needs that");
  row.bytes = nullptr;
  row.operands = {{"x"}};
  row.window = false;
  row.fused = true;
  return row;
}

OpRow pack_row() {
  return {.name = "pack",
          .operands = {{"w"}},
          .attributes = {{"layout", AttrKind::Word, nullptr, "panels16|panels16_blocks"}},
          .shape = checked<pack_shape>,
          .flops = nothing,
          .bytes = pack_bytes,
          .evaluate = same_elements,
          .fused = true,
          .operand_text = "w[N,K] → y",
          .shape_text = "as w",
          .doc = "w in the order in which a kernel reads it, made once when weights load",
          .family = Family::Movement,
          .rows_apart = kPanelRows};
}

}  // namespace irplan
