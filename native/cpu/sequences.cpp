// Operators of tokens and their positions.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/packed_product.h"

namespace irplan::cpu {
namespace {

// row(id, to): a row of the table as f32, in `to` or where it lies.
template <class Row>
void embed_rows(const EmbedCall& c, const Row& row) {
  const int64_t rows = c.w.shape[0], ids_a_line = width_of(c.ids);
  const auto id_at = [&](int64_t i) {
    const int64_t place =
        c.ids.rank == 0 ? 0 : line_at(c.ids, i / ids_a_line) + i % ids_a_line * c.ids.step(1);
    return load_int(c.ids.dtype, c.ids.data, place);
  };
  for (int64_t i = 0; i < c.ids.count(); ++i) {
    const int64_t id = id_at(i);
    if (id >= 0 && id < rows) continue;
    if (c.fault->op == 0) *c.fault = {c.op + 1, 0, i, id, rows};
    return;
  }
  each_line(c.y, [&](int64_t i) { store_line(c.y, i, row(id_at(i), room(Room::First, width_of(c.w)))); });
}

}  // namespace

void embed(const EmbedCall& c) {
  embed_rows(c, [&](int64_t id, float* to) {
    return load_line(c.w, id * c.w.stride[0], width_of(c.w), c.w.step(1), to);
  });
}

void embed_packed(const EmbedCall& c) {
  embed_rows(c, [&](int64_t id, float* to) { return panel_row(c.w, id, to); });
}

void positions(const PositionsCall& c) {
  for (int64_t i = 0; i < c.y.count(); ++i) {
    const int64_t b = i / c.y.shape[1], s = i % c.y.shape[1];
    store_int(c.y.dtype, c.y.data, b * c.y.stride[0] + s * c.y.stride[1], c.at.data[b] + s);
  }
}

void append(const AppendCall& c) {
  const int64_t steps = c.x.shape[1], held = c.state.shape[1];
  int64_t lines = 1;  // of a row
  for (int axis = 2; axis + 1 < c.x.rank; ++axis) lines *= c.x.shape[axis];
  const int64_t width = c.x.rank > 2 ? width_of(c.x) : 1;
  for (int64_t row = 0; row < c.x.shape[0] * steps; ++row) {
    const int64_t b = row / steps, s = row % steps;
    if (s >= c.fresh.data[b]) continue;
    const int64_t position = c.at.data[b] + s, to = c.ring ? position % held : position;
    const int64_t from_row = b * c.x.stride[0] + s * c.x.stride[1],
                  to_row = c.slots.data[b] * c.state.stride[0] + to * c.state.stride[1];
    for (int64_t line = 0; line < lines; ++line) {
      int64_t from = from_row, target = to_row, rest = line;
      for (int axis = c.x.rank - 2; axis >= 2; --axis) {
        from += rest % c.x.shape[axis] * c.x.stride[axis];
        target += rest % c.x.shape[axis] * c.state.stride[axis];
        rest /= c.x.shape[axis];
      }
      const int64_t from_step = c.x.rank > 2 ? c.x.step(1) : 1, to_step = c.x.rank > 2 ? c.state.step(1) : 1;
      if (is_float(c.state.dtype)) {
        store_line(c.state, target, width, to_step,
                   load_line(c.x, from, width, from_step, room(Room::First, width)));
        continue;
      }
      for (int64_t i = 0; i < width; ++i)
        store_int(c.state.dtype, c.state.data, target + i * to_step,
                  load_int(c.x.dtype, c.x.data, from + i * from_step));
    }
  }
}

}  // namespace irplan::cpu
