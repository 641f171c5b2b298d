// append: rows written to a state where they lie.
#include <algorithm>

#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/semantics.h"

namespace irplan {
namespace {

using namespace rules;

bool does_not_fit(OpCall& call, Taking<1> code, std::string rows, std::string room, std::string help) {
  Fault f = fault(call, code);
  f.operand = 1;
  f.found = text(call.operand(1)) + ": " + std::move(rows);
  f.other = 0;
  f.expected = text(call.operand(0)) + ": " + std::move(room);
  f.rule = "append: at + dim(x, 1) <= dim(s, 1)";
  f.help = std::move(help);
  return call.fail(std::move(f));
}

bool same_rows(OpCall& call) {
  if (!rank_at_least(call, 0, 2) || !rank_is(call, 1, call.rank(0))) return false;
  for (int axis = 0; axis < static_cast<int>(call.rank(0)); ++axis) {
    if (axis == 1) continue;
    if (!agree(call, Code::RowShape, 1, axis, 0, axis, "the axes of x but the sequence are those of s"))
      return false;
  }
  return true;
}

bool append_shape(OpCall& call) {
  const TensorType& state = call.operand(0);
  const bool plain_ints = !is_float(state.dtype) && !is_float(call.operand(1).dtype);
  if (plain_ints ? !alike(call) : !floats(call, bit(0))) return false;
  if (!same_rows(call)) return false;
  const Expr at = call.attrs["at"].expr();
  if (!call.at_most(call.dims.constant(0), at)) return attribute_fault(call, "at", "at least 0");
  const Expr rows = call.extent(0, 1), fresh = call.extent(1, 1), end = at + fresh;
  if (call.ring_rows && !call.at_most(fresh, *call.ring_rows)) {
    return does_not_fit(call, Code::RowsExceedState, fresh.text() + " rows at once",
                        "a ring of " + call.ring_rows->text(), "append fewer rows in one step");
  }
  // Of a ring, `rows` may be what is kept; what the sequence may reach is its capacity, which the caller
  // knows.
  const bool whole = !call.ring_rows || !(*call.ring_rows == rows);
  if (whole && !call.at_most(end, rows)) {
    return does_not_fit(call, Code::RowsExceedState, "ends at row " + end.text(),
                        "holds " + rows.text() + " rows",
                        "the state's axis 1 must hold the longest sequence, " + end.text());
  }
  Shape shape = state.shape;
  shape[1] = call.ring_rows ? call.dims.min(end, *call.ring_rows) : end;
  call.result(state.dtype, std::move(shape));
  return true;
}

Expr append_bytes(const OpCall& call) { return call.bytes(call.operand(1)) * 2; }

// As a function: the rows that the state held, then the new ones. A runner writes the new rows alone, where
// the state lies.
void append(HostCall& call) {
  const HostArray& state = *call.in[0];
  const HostArray& x = *call.in[1];
  HostArray& y = call.out[0];
  int64_t row = 1;
  for (size_t axis = 2; axis < x.shape.size(); ++axis) row *= x.shape[axis];
  const auto copy = [&](const HostArray& from, int64_t source, int64_t target) {
    if (y.floats) {
      std::copy_n(from.f.begin() + source * row, row, y.f.begin() + target * row);
    } else {
      std::copy_n(from.i.begin() + source * row, row, y.i.begin() + target * row);
    }
  };
  for (int64_t b = 0; b < x.shape[0]; ++b) {
    const int64_t at = call.value(call.attrs["at"].expr(), b),
                  end = at + semantics::own_extent(call, 1, 1, b);
    for (int64_t j = 0; j < std::min(end, y.shape[1]); ++j) {
      const int64_t target = b * y.shape[1] + j;
      if (j < at) {
        copy(state, b * state.shape[1] + j, target);
      } else {
        copy(x, b * x.shape[1] + j - at, target);
      }
    }
  }
}

}  // namespace

OpRow append_row() {
  return {.name = "append",
          .operands = {{.name = "s", .as_rows = Reading::Shown, .as_blocks = true}, {"x", false, true}},
          .attributes = {{"at", AttrKind::Extent}},
          .shape = checked<append_shape>,
          .flops = nothing,
          .bytes = append_bytes,
          .evaluate = append,
          .operand_text = "s[B,C,…], x[B,S,…] → y",
          .shape_text = "[B, at+S, …], at+S <= C; of a ring min(at+S, rows)",
          .doc = "writes rows to a state, and gives its filled prefix, oldest to newest",
          .family = Family::Attention,
          .updates_state = true};
}

}  // namespace irplan
