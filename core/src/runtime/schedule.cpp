#include "runtime/schedule.h"

#include <algorithm>

#include "runtime/schedule_context.h"

namespace irplan {
namespace {

// Dims of the positions at which states are written.
std::vector<DimIndex> moving_dims(const Plan& plan, uint32_t begin, uint32_t end) {
  std::vector<DimIndex> out;
  for (uint32_t i = begin; i < end; ++i) {
    const Expr at = plan.ops[i].row->updates_state ? plan.ops[i].attrs["at"].expr() : Expr();
    for (const DimIndex dim : at ? dims_of(at) : std::vector<DimIndex>()) {
      if (!contains(out, dim)) out.push_back(dim);
    }
  }
  return out;
}

int64_t top_of(const std::optional<int64_t>& max) { return max.value_or(Interval::kUnbounded); }

}  // namespace

bool Schedule::serves(const StepBinding& step) const {
  if (step.dims.size() != sizes.dims.size() || step.rows.size() != sizes.rows.size()) return false;
  for (DimIndex d = 0; d < step.dims.size(); ++d) {
    const bool ragged = d < step.rows.size() && !step.rows[d].empty();
    if (ragged && step.rows[d].size() != sizes.rows[d].size()) return false;
    if (capturable() && contains(moving, d)) continue;
    if (step.dims[d] != sizes.dims[d] || (ragged && step.rows[d] != sizes.rows[d])) return false;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------ all ops

ScheduleContext::ScheduleContext(const Plan& p, const BufferPlaces& h, const StepBinding& sizes, Schedule& o)
    : plan(p), holding(h), out(o), writer_(p.values.size(), kAbsent) {
  for (DimIndex d = 0; d < plan.dims.size(); ++d) {
    const bool free = contains(out.moving, d);
    ranges_.push_back(free ? Interval{plan.dims[d].min, top_of(plan.dims[d].max)}
                           : Interval{sizes.dims[d], sizes.dims[d]});
    if (d < sizes.rows.size() && !sizes.rows[d].empty() && !free) ranges_[d].lo = plan.dims[d].min;
  }
  for (uint32_t i = 0; i < plan.ops.size(); ++i) {
    for (const uint32_t value : plan.ops[i].out) {
      if (value < writer_.size() && writer_[value] == kAbsent) writer_[value] = i;
    }
  }
}

const Plan::Op* ScheduleContext::writer(uint32_t value) const {
  return writer_[value] == kAbsent ? nullptr : &plan.ops[writer_[value]];
}

bool ScheduleContext::moves(Expr e) const {
  if (e.is_constant() || e.overflowed()) return false;
  const auto dims = dims_of(e);
  if (std::none_of(dims.begin(), dims.end(), [&](DimIndex d) { return contains(out.moving, d); }))
    return false;
  const Interval range = bounds(e, ranges_);
  return range.lo != range.hi;
}

void ScheduleContext::obstacle(const std::string& where, const std::string& what) {
  const auto same = [&](const Obstacle& o) { return o.where == where && o.what == what; };
  if (std::none_of(out.obstacles.begin(), out.obstacles.end(), same)) out.obstacles.push_back({where, what});
}

int64_t ScheduleContext::fixed(Expr e, const std::string& where, const char* what) {
  if (moves(e)) obstacle(where, std::string(what) + " " + e.text());
  return evaluate(e, out.sizes.dims).value_or(-1);
}

Table ScheduleContext::slot(ControlSlot wanted) {
  for (ControlSlot& known : out.slots) {
    if (known.role != wanted.role || known.a != wanted.a || known.b != wanted.b || known.c != wanted.c ||
        known.sequences != wanted.sequences)
      continue;
    known.most = std::min(known.most, wanted.most);
    return {nullptr, known.place};
  }
  wanted.place = out.control_count;
  out.control_count += static_cast<int32_t>(wanted.sequences);
  out.slots.push_back(wanted);
  return {nullptr, wanted.place};
}

Tensor ScheduleContext::constant(const std::vector<float>& numbers) {
  auto at = std::search(out.constants.begin(), out.constants.end(), numbers.begin(), numbers.end());
  const auto place = at - out.constants.begin();
  if (at == out.constants.end()) out.constants.insert(at, numbers.begin(), numbers.end());
  Tensor t;
  t.segment = MemorySegment::Constants;
  t.offset = place * static_cast<int64_t>(sizeof(float));
  t.rank = 1;
  t.shape[0] = static_cast<int64_t>(numbers.size());
  t.stride[0] = 1;
  return t;
}

// ------------------------------------------------------------------------------------------------ one op

// From its first to its last byte an operand lies inside of its buffer.
bool OpContext::inside(const Plan::Value& v, const Tensor& t) {
  const BufferPlace& place = all.holding[v.buffer];
  int64_t last = 0;
  bool fits = t.offset >= place.offset;
  for (int i = 0; i < t.rank; ++i) {
    int64_t reach = 0;
    fits = fits && t.stride[i] >= 0 && !__builtin_mul_overflow(t.shape[i] - 1, t.stride[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  const int64_t room = place.bytes - (t.offset - place.offset);
  const DTypeInfo& type = info(t.dtype);
  // Compared in elements: the last one's block ends inside.
  fits = fits && room >= type.bytes && last / type.elements <= room / type.bytes - 1;
  return fits || fail("reaches beyond the " + std::to_string(place.bytes) + " bytes of " + v.id);
}

bool OpContext::value(uint32_t index_of_value, Tensor& to, bool by_position) {
  const Plan::Value& v = all.plan.values[index_of_value];
  const std::string where = "ops " + op.id;
  if (v.shape.size() > static_cast<size_t>(kMaxAxes))
    return fail(v.id + " has " + std::to_string(v.shape.size()) + " axes; the kernels take " +
                std::to_string(kMaxAxes));
  to = {};
  to.dtype = v.dtype;
  to.rank = static_cast<int32_t>(v.shape.size());
  // How many rows of a state are filled, the control block says; how many there are, its strides.
  const bool filled_rows = by_position && v.strides && to.rank > 1 && all.moves(v.shape[1]);
  int64_t count = 1;
  for (int i = to.rank - 1; i >= 0; --i) {
    const auto axis = static_cast<size_t>(i);
    to.stride[i] = v.strides ? all.fixed((*v.strides)[axis], where, "the stride") : count;
    to.shape[i] = filled_rows && i == 1 ? 1 : all.fixed(v.shape[axis], where, "the extent");
    if (to.shape[i] < 0 || __builtin_mul_overflow(count, to.shape[i], &count))
      return fail(v.id + " has no size at this step: " + v.shape[axis].text() + " is " +
                  std::to_string(to.shape[i]));
  }
  if (filled_rows) to.shape[1] = to.stride[1] > 0 ? to.stride[0] / to.stride[1] : 0;
  const BufferPlace& place = all.holding[v.buffer];
  if (place.rows > 0 && to.rank > 0) to.shape[0] = std::min(to.shape[0], place.rows);
  if (place.segment == MemorySegment::None) return count == 0 || fail(v.id + " has no memory");
  const bool in_state = all.plan.buffers[v.buffer].segment == Plan::Segment::State;
  if (in_state && !by_position && all.out.fixed_slots.empty()) all.out.fixed_slots = op.id;
  to.segment = place.segment;
  to.offset = place.offset + (v.offset ? all.fixed(*v.offset, where, "the offset") : 0);
  if (v.packed()) {
    const auto bytes = evaluate(v.packed()->bytes(*all.plan.pool, {v.dtype, v.shape}), {});
    if (!bytes || *bytes > place.bytes)
      return fail("reaches beyond the " + std::to_string(place.bytes) + " bytes of " + v.id);
  }
  return count == 0 || inside(v, to);
}

bool OpContext::in(size_t i, Tensor& to, bool by_position) {
  to = {};
  if (!has(i)) return true;
  int64_t rows = 0;
  Table first;
  if (!by_position && (!ring(i, rows, first) || rows > 0))
    return fail("reads a ring, " + operand(i).id + ", which only attention can");
  return value(op.in[i], to, by_position);
}

bool OpContext::scaled_weight(size_t w, size_t scale, ScaledWeight& to) {
  if (!in(w, to.w) || !in(scale, to.scale)) return false;
  const AttrList& block = attr("block").list();
  if (block.size() == 2) {
    to.block_rows = block[0].integer();
    to.block_columns = block[1].integer();
  }
  return true;
}

bool OpContext::scratch(Scratch& to) {
  if (op.scratch.empty()) return fail("lists no scratch, which its kernel needs");
  const BufferPlace& place = all.holding[op.scratch[0]];
  if (place.segment == MemorySegment::None) return fail("has no memory for its scratch");
  to.segment = place.segment;
  to.offset = place.offset;
  return true;
}

// The op that made the value, or that it is a window on, tells which positions the rows hold.
bool OpContext::ring(size_t i, int64_t& rows, Table& first) {
  rows = 0;
  const Plan& plan = all.plan;
  uint32_t at = op.in[i];
  const Plan::Value& value = plan.values[at];
  const bool in_state = plan.buffers[value.buffer].segment == Plan::Segment::State;
  if (!in_state || value.kind == Plan::Kind::State) return true;
  for (size_t steps = 0; steps <= plan.values.size() && !plan.values[at].of.empty(); ++steps)
    at = plan.values[at].of[0];
  const Plan::Op* update = all.writer(at);
  if (!update || !update->row->updates_state || update->in.size() < 2) return true;
  const Plan::Value& state = plan.values[update->in[0]];
  if (state.layout != Plan::Layout::Ring || state.shape.size() < 2 || value.shape.size() < 2) return true;
  rows = fixed(state.shape[1], "the rows");
  ControlSlot slot;
  slot.role = ControlSlot::Role::First;
  slot.a = update->attrs["at"].expr();
  slot.b = plan.values[update->in[1]].shape[1];
  slot.c = plan.values[at].shape[1];
  slot.sequences = fixed(value.shape[0], "the sequences");
  slot.op = index;
  first = all.slot(slot);
  return true;
}

Table OpContext::each_sequence(Expr e, int64_t count) {
  ControlSlot slot;
  slot.a = e;
  slot.sequences = count;
  slot.op = index;
  return all.slot(slot);
}

Table OpContext::slots(size_t i, const Tensor& t, int64_t* held) {
  const bool in_state = all.plan.buffers[operand(i).buffer].segment == Plan::Segment::State;
  if (!op.row->updates_state && !in_state) return {};
  const DTypeInfo& type = info(t.dtype);
  const int64_t bytes = t.stride[0] / type.elements * type.bytes;
  ControlSlot slot;
  slot.role = ControlSlot::Role::Slot;
  slot.sequences = t.shape[0];
  const int64_t all_of_them = bytes > 0 ? all.holding[operand(i).buffer].bytes / bytes : t.shape[0];
  slot.most = all_of_them - 1;
  slot.op = index;
  if (held) *held = all_of_them;
  return all.slot(slot);
}

Table OpContext::reach(Expr window, int64_t count) {
  ControlSlot slot;
  slot.role = ControlSlot::Role::Reach;
  slot.a = window;
  slot.sequences = count;
  slot.op = index;
  return all.slot(slot);
}

Table OpContext::own_extent(size_t i, size_t axis, int64_t count, int64_t most) {
  ControlSlot slot;
  slot.role = ControlSlot::Role::Rows;
  slot.a = operand(i).shape[axis];
  slot.sequences = count;
  slot.most = most;
  slot.op = index;
  return all.slot(slot);
}

int OpContext::axis(int rank) const {
  const int64_t axis = attr("axis").integer();
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

void OpContext::name_faults(size_t element, size_t table, bool expert) {
  all.out.names[static_cast<int32_t>(index)] = {op.id, operand(element).id, operand(table).id, expert};
}

Tensor broadcast(const Tensor& t, const Tensor& shape, int keep) {
  Tensor out = t;
  out.rank = shape.rank;
  for (int from_end = 1; from_end <= shape.rank; ++from_end) {
    const int to = shape.rank - from_end, from = t.rank - from_end;
    const bool own = from >= 0 && (from_end <= keep || t.shape[from] == shape.shape[to]);
    out.shape[to] = from_end <= keep && from >= 0 ? t.shape[from] : shape.shape[to];
    out.stride[to] = own ? t.stride[from] : 0;
  }
  return out;
}

std::optional<std::string> prepare_schedule(const Plan& plan, uint32_t begin, uint32_t end,
                                            std::string_view target, const BufferPlaces& holding,
                                            const StepBinding& sizes, Schedule& out) {
  out = {};
  out.sizes = sizes;
  out.moving = moving_dims(plan, begin, end);
  ScheduleContext all(plan, holding, sizes, out);
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    const Plan::Buffer& b = plan.buffers[i];
    const bool here = b.segment == Plan::Segment::Arena && begin < end && b.phase == plan.ops[begin].phase;
    if (here && all.moves(b.bytes)) all.obstacle("buffers " + b.id, "the size " + b.bytes.text());
  }
  out.records.reserve(end - begin);
  for (uint32_t i = begin; i < end && i < plan.ops.size(); ++i) {
    const Plan::Op& op = plan.ops[i];
    const KernelRow* kernel = kernel_of(plan, op, target);
    if (!kernel) return "ops " + op.id + ": there is no kernel " + op.kernel;
    OpContext own(all, i, kernel);
    if (!prepare_op(own)) return "ops " + op.id + ": " + own.why;
  }
  return std::nullopt;
}

// ------------------------------------------------------------------------------------------------ a step

std::optional<std::string> write_control(const Plan& plan, const Schedule& schedule, const StepBinding& step,
                                         Binding& row, int32_t* out) {
  size_t sequences = 1;
  for (const auto& own : step.rows) sequences = std::max(sequences, own.size());
  const auto wrong = [&](uint32_t op, const std::string& what) {
    return "ops " + plan.ops[op].id + ": " + what;
  };
  int64_t most_sequences = static_cast<int64_t>(sequences);
  for (const ControlSlot& slot : schedule.slots) most_sequences = std::max(most_sequences, slot.sequences);
  for (const StateWrite& write : schedule.writes) most_sequences = std::max(most_sequences, write.sequences);
  row = step.dims;
  for (int64_t b = 0; b < most_sequences; ++b) {
    for (size_t d = 0; d < step.rows.size() && d < row.size(); ++d) {
      if (!step.rows[d].empty())
        row[d] = b < static_cast<int64_t>(step.rows[d].size()) ? step.rows[d][static_cast<size_t>(b)]
                                                               : step.dims[d];
    }
    const auto number = [&](Expr e) { return evaluate(e, row).value_or(0); };
    for (const StateWrite& write : schedule.writes) {
      if (b >= write.sequences) continue;
      const int64_t rows = std::clamp<int64_t>(number(write.rows), 0, write.planned_rows);
      const int64_t at = number(write.at), last = at + rows - 1;
      const bool fits = at >= 0 && step.slot(b) >= 0 && step.slot(b) < write.held_sequences &&
                        write.held_rows > 0 &&
                        (write.ring ? rows <= write.held_rows : last < write.held_rows);
      if (rows > 0 && !fits)
        return wrong(write.op, "row " + std::to_string(last) + " of sequence " + std::to_string(b) +
                                   " is outside of the " + std::to_string(write.held_rows) + " rows of " +
                                   plan.values[plan.ops[write.op].in[0]].id);
    }
    for (const ControlSlot& slot : schedule.slots) {
      if (b >= slot.sequences) continue;
      int64_t n = INT32_MAX;
      if (slot.a) n = number(slot.a);
      if (slot.role == ControlSlot::Role::Rows)
        n = std::clamp<int64_t>(n, 0, std::max<int64_t>(0, evaluate(slot.a, step.dims).value_or(0)));
      if (slot.role == ControlSlot::Role::First) n += number(slot.b) - number(slot.c);
      if (slot.role == ControlSlot::Role::Slot) n = step.slot(b);
      if (slot.role == ControlSlot::Role::Reach) n = std::min<int64_t>(n, INT32_MAX);
      if (n < 0 || n > slot.most) {
        const std::string what = slot.role == ControlSlot::Role::Slot ? "the slot is "
                                 : slot.a && !slot.a.is_constant()    ? slot.a.text() + " is "
                                                                      : "";
        return wrong(slot.op, what + std::to_string(n) + " in sequence " + std::to_string(b) +
                                  ", outside of 0.." + std::to_string(slot.most));
      }
      out[slot.place + b] = static_cast<int32_t>(n);
    }
  }
  return std::nullopt;
}

namespace {

struct Resolver {
  const Addresses& to;
  void operator()(const char*, Tensor& t) const {
    t.data = t.segment == MemorySegment::None ? nullptr : to.segments[static_cast<int>(t.segment)] + t.offset;
  }
  void operator()(const char*, Scratch& s) const {
    s.data = s.segment == MemorySegment::None
                 ? nullptr
                 : reinterpret_cast<float*>(to.segments[static_cast<int>(s.segment)] + s.offset);
  }
  void operator()(const char*, Table& t) const { t.data = t.place < 0 ? nullptr : to.control + t.place; }
  void operator()(const char*, DataFault*& fault) const { fault = to.fault; }
  template <class T>
  void operator()(const char*, T&) const {}
};

}  // namespace

void resolve(Call& call, const Addresses& addresses) {
  std::visit([&](auto& c) { c.each(Resolver{addresses}); }, call);
}

}  // namespace irplan
