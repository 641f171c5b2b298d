// embed and positions: where token ids and their places enter.
#include <algorithm>

#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool embed_shape(OpCall& call) {
  if (!floats(call, bit(1), bit(0)) || !rank_is(call, 1, 2)) return false;
  const auto dtype = float_result(call, 1);
  if (!dtype) return false;
  Shape shape = call.operand(0).shape;
  shape.push_back(call.extent(1, -1));
  call.result(*dtype, std::move(shape));
  return true;
}

Expr embed_bytes(const OpCall& call) { return call.bytes(call.operand(0)) + call.bytes(call.out[0]) * 2; }

void embed(HostCall& call) {
  const HostArray& ids = *call.in[0];
  const HostArray& table = *call.in[1];
  const int64_t rows = table.shape[0], width = table.shape[1];
  for (int64_t n = 0; n < ids.count(); ++n) {
    const int64_t id = ids.i[static_cast<size_t>(n)];
    if (id < 0 || id >= rows) {
      call.error = "id " + std::to_string(id) + " at place " + std::to_string(n) +
                   " of {0} is outside of the " + std::to_string(rows) + " rows of {1}";
      return;
    }
    std::copy_n(table.f.begin() + id * width, width, call.out[0].f.begin() + n * width);
  }
}

bool positions_shape(OpCall& call) {
  Shape shape;
  for (const Attr& extent : call.attrs["shape"].list()) shape.push_back(extent.expr());
  if (shape.size() != 2)
    return attribute_fault(call, "shape", "two extents, of sequences and of positions in each");
  const Expr zero = call.dims.constant(0);
  for (const Expr extent : shape) {
    if (!call.at_most(zero, extent)) return attribute_fault(call, "shape", "of extents that are at least 0");
  }
  if (!call.at_most(zero, call.attrs["at"].expr())) return attribute_fault(call, "at", "at least 0");
  call.result(DType::I32, std::move(shape));
  return true;
}

void positions(HostCall& call) {
  HostArray& y = call.out[0];
  const int64_t steps = y.shape[1];
  for (int64_t b = 0; b < y.shape[0]; ++b) {
    auto position =
        static_cast<uint64_t>(call.value(call.attrs["at"].expr(), b));  // wraps, as stored integers do
    for (int64_t s = 0; s < steps; ++s)
      y.i[static_cast<size_t>(b * steps + s)] = static_cast<int64_t>(position++);
  }
}

}  // namespace

OpRow embed_row() {
  return {.name = "embed",
          .operands = {{"ids", false, true}, {.name = "w", .dense = true, .as_weight = Reading::Followed}},
          .attributes = {{"to", AttrKind::Dtype, "none"}},
          .shape = checked<embed_shape>,
          .flops = nothing,
          .bytes = embed_bytes,
          .evaluate = embed,
          .operand_text = "ids i32[…], w[V,D] → y",
          .shape_text = "ids.shape + [D]",
          .doc = "the rows of a table that ids name; `to` is needed for a block dtype",
          .family = Family::Lookup,
          .ids = 0,
          .table = 1};
}

OpRow positions_row() {
  return {.name = "positions",
          .operands = {},
          .attributes = {{"at", AttrKind::Extent}, {"shape", AttrKind::Extents}},
          .shape = checked<positions_shape>,
          .flops = nothing,
          .evaluate = positions,
          .operand_text = "→ y i32",
          .shape_text = "[B,S]",
          .doc = "y[b,s] = at_b + s, the places of tokens in their sequences",
          .family = Family::Lookup};
}

}  // namespace irplan
