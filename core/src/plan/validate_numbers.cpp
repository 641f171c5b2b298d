// The plan at sizes: windows, placement, totals, and what lies in the bytes.
#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "plan/validate.h"

namespace irplan {
namespace {

constexpr int64_t kSimulatedBytes = int64_t{64} << 20;  // an arena beyond it is not simulated
constexpr size_t kMaxPairedDims = 8;                    // with more, corners of two dims are not looked at
constexpr int64_t kLargestCorner = 8192;                // of a dim without upper bound

int64_t aligned(int64_t n, int64_t align) { return (n + align - 1) / align * align; }

bool relation_holds(const Constraint& c, Evaluator& at) {
  const auto a = at(c.left), b = at(c.right);
  if (!a || !b) return false;
  return c.relation == Relation::LessEqual      ? *a <= *b
         : c.relation == Relation::GreaterEqual ? *a >= *b
                                                : *a == *b;
}

std::string text_of(const Constraint& c) {
  return c.left.text() + " " + symbol(c.relation) + " " + c.right.text();
}

}  // namespace

bool Validator::inside(const std::string& name, const Binding& binding) const {
  Evaluator at(*plan_.pool, binding);
  for (const Plan::Guard& g : plan_.guards) {
    if ((g.phase.empty() || g.phase == name) && !relation_holds({g.left, g.relation, g.right}, at))
      return false;
  }
  return true;
}

std::vector<Binding> Validator::bindings(const std::string& name) const {
  const Ranges ranges = ranges_of(name);
  Binding value, low, high;
  for (size_t i = 0; i < plan_.dims.size(); ++i) {
    value.push_back(plan_.dims[i].value);
    low.push_back(ranges[i].lo);
    high.push_back(
        std::min(ranges[i].hi, std::max(ranges[i].lo, std::max(kLargestCorner, plan_.dims[i].value))));
  }
  for (const Plan::PhaseDim& dim : phase(name)->dims) value[*plan_.pool->find(dim.name)] = dim.value;
  std::vector<Binding> out = {value};
  const auto add_size = [&](const Binding& b) {
    if (inside(name, b) && std::find(out.begin() + 1, out.end(), b) == out.end()) out.push_back(b);
  };
  Binding small = low;
  for (size_t i = 0; i < small.size(); ++i)
    small[i] = std::min(high[i], low[i] + 1 + static_cast<int64_t>(i % 3));
  add_size(small);
  add_size(low);
  add_size(high);
  for (size_t i = 0; i < low.size(); ++i) {
    Binding b = low;
    b[i] = high[i];
    add_size(b);
    for (size_t j = 0; j < i && low.size() <= kMaxPairedDims; ++j) {
      Binding pair = b;
      pair[j] = high[j];
      add_size(pair);
    }
  }
  return out;
}

// A value's window with numbers; refuses what is negative or does not fit 64 bits.
bool Validator::window(uint32_t index, Evaluator& at, Window& out) {
  const Plan::Value& value = plan_.values[index];
  const DTypeInfo& type = info(value.dtype);
  out = Window{};
  out.item = type.bytes;
  int64_t row = 1;
  out.strides.assign(value.shape.size(), 0);
  for (size_t i = value.shape.size(); i-- > 0;) {
    const auto n = at(value.shape[i]);
    if (!n || *n < 0)
      return add(where_value(index), "the extent " + value.shape[i].text().substr(0, 60) + " has no size");
    out.shape.insert(out.shape.begin(), *n);
    out.strides[i] = row;
    if (__builtin_mul_overflow(row, std::max<int64_t>(*n, 1), &row))
      return add(where_value(index), "its bytes exceed 64 bits");
  }
  if (!out.shape.empty() && out.shape.back() % type.elements)
    return add(where_value(index), "its last axis is no multiple of a block");
  for (size_t i = 0; value.strides && i < out.strides.size(); ++i) {
    const auto n = at((*value.strides)[i]);
    if (!n || *n < 0)
      return add(where_value(index),
                 "the stride " + (*value.strides)[i].text().substr(0, 60) + " has no size");
    out.strides[i] = *n;
  }
  const auto offset = value.offset ? at(*value.offset) : std::optional<int64_t>(0);
  if (!offset || *offset < 0) return add(where_value(index), "its offset has no size");
  out.begin = *offset;
  int64_t last = 0;
  bool fits = true, empty = false;
  for (size_t i = 0; i < out.shape.size(); ++i) {
    int64_t reach = 0;
    empty = empty || out.shape[i] == 0;
    fits = fits && !__builtin_mul_overflow(std::max<int64_t>(out.shape[i] - 1, 0), out.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  int64_t bytes = 0;
  fits = fits &&
         !__builtin_mul_overflow(last / type.elements + 1, static_cast<int64_t>(type.bytes), &bytes) &&
         !__builtin_add_overflow(out.begin, bytes, &out.end);
  if (fits && value.packed()) {
    const auto packed = at(value.packed()->bytes(*plan_.pool, {value.dtype, value.shape}));
    fits = packed && !__builtin_add_overflow(out.begin, *packed, &out.end);
  }
  if (!fits) return add(where_value(index), "its bytes exceed 64 bits");
  if (empty) out.end = out.begin;
  for (int64_t& stride : out.strides) stride = stride * type.bytes / type.elements;
  return true;
}

int64_t Validator::bound(const std::string& name, Evaluator& at, bool padded) const {
  const Plan::Phase& p = *phase(name);
  std::vector<int64_t> change(p.ops_end - p.ops_begin + 1, 0);
  for (const Plan::Buffer& b : plan_.buffers) {
    if (b.segment != Plan::Segment::Arena || b.phase != name || b.live_end <= b.live_begin) continue;
    const int64_t bytes = at(b.bytes).value_or(0);
    change[b.live_begin - p.ops_begin] += padded ? aligned(bytes, plan_.align) : bytes;
    change[b.live_end - p.ops_begin] -= padded ? aligned(bytes, plan_.align) : bytes;
  }
  int64_t live = 0, most = 0;
  for (const int64_t c : change) most = std::max(most, live += c);
  return most;
}

bool Validator::numbers(const std::string& name, const Binding& binding, bool at_value) {
  const Plan::Phase* p = phase(name);
  if (!p) return add("phases", "no phase " + name);
  Evaluator at(*plan_.pool, binding);
  std::string label = at_value ? "" : " at";
  const Ranges ranges = ranges_of(name);
  for (size_t i = 0; i < binding.size(); ++i) {
    if (!at_value) label += (i ? ", " : " ") + plan_.dims[i].name + "=" + std::to_string(binding[i]);
    if (!ranges[i].contains(binding[i]))
      return add("dims " + plan_.dims[i].name, std::to_string(binding[i]) + " is outside of its range");
  }
  for (const Plan::Guard& g : plan_.guards) {
    const Constraint c{g.left, g.relation, g.right};
    if ((g.phase.empty() || g.phase == name) && !relation_holds(c, at))
      return add("guards", text_of(c) + " does not hold" + label);
  }
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    if (plan_.ops[i].phase != name && plan_.ops[i].phase != "load") continue;
    for (const Constraint& c : constraints_[i]) {
      if (!relation_holds(c, at))
        return add(where_op(i), "needs " + text_of(c) + ", which does not hold" + label);
    }
  }
  std::vector<int64_t> ends(plan_.buffers.size(), 0);
  for (uint32_t i = 0; i < plan_.values.size(); ++i) {
    const Plan::Value& v = plan_.values[i];
    const Plan::Buffer& b = plan_.buffers[v.buffer];
    if (b.segment == Plan::Segment::Arena && b.phase != name) continue;
    if (b.segment != Plan::Segment::Arena && v.kind == Plan::Kind::Temp && !v.phase.empty() &&
        v.phase != name)
      continue;
    Window w;
    if (!window(i, at, w)) return false;
    const bool counts = b.segment == Plan::Segment::Arena || v.kind != Plan::Kind::Temp;
    if (counts) ends[v.buffer] = std::max(ends[v.buffer], w.end);
    const auto room = at(b.bytes);
    if (!room || (w.end > *room && !(is_ring(i) && v.kind != Plan::Kind::State))) {
      return add(where_value(i), "ends at byte " + std::to_string(w.end) + " of a buffer of " +
                                     (room ? std::to_string(*room) : "no size") + label);
    }
  }
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& b = plan_.buffers[i];
    if ((b.segment == Plan::Segment::Arena && b.phase != name) || values_in_[i].empty()) continue;
    const auto room = at(b.bytes);
    if (!room || *room != ends[i])
      return add(where_buffer(i),
                 b.bytes.text().substr(0, 60) + " bytes, its values need " + std::to_string(ends[i]) + label);
  }
  const auto arena = bind_arena(plan_, name, binding);
  if (!arena) return add("phases " + name, "the arena has no size" + label);
  std::vector<uint32_t> order, alive;
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& b = plan_.buffers[i];
    if (b.segment == Plan::Segment::Arena && b.phase == name && b.live_end > b.live_begin) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return plan_.buffers[a].live_begin < plan_.buffers[b].live_begin;
  });
  for (const uint32_t b : order) {
    std::erase_if(alive,
                  [&](uint32_t a) { return plan_.buffers[a].live_end <= plan_.buffers[b].live_begin; });
    for (const uint32_t a : alive) {
      const int64_t size_a = *at(plan_.buffers[a].bytes), size_b = *at(plan_.buffers[b].bytes);
      if (arena->offsets[a] < arena->offsets[b] + size_b && arena->offsets[b] < arena->offsets[a] + size_a)
        return add(where_buffer(b), "overlaps " + plan_.buffers[a].id + label);
    }
    alive.push_back(b);
  }
  if (p->peak && at(*p->peak) != arena->bytes)
    return add("phases " + name, "peak " + p->peak->text().substr(0, 60) + ", the offsets need " +
                                     std::to_string(arena->bytes) + label);
  const int64_t least = bound(name, at, false), padded = bound(name, at, true);
  const Plan::Range& range = plan_.memory.range;
  const bool over = arena->bytes > padded && static_cast<double>(arena->bytes) >
                                                 static_cast<double>(least) * range.worst_ratio * (1 + 1e-9);
  if (over && (range.proven || at_value))
    return add("memory_plan.range", "peak over bound exceeds worst_ratio in phase " + name + label);
  if (!at_value) return true;
  if (p->peak_bytes != arena->bytes)
    return add("phases " + name, "peak_bytes " + std::to_string(p->peak_bytes) + ", the offsets need " +
                                     std::to_string(arena->bytes));
  for (const uint32_t b : order) {
    if (plan_.buffers[b].offset != arena->offsets[b]) {
      return add(where_buffer(b), "offset " + std::to_string(plan_.buffers[b].offset) + ", stacking gives " +
                                      std::to_string(arena->offsets[b]));
    }
  }
  return true;
}

// The plain numbers of the plan, which hold at `value`.
bool Validator::totals() {
  const Plan::Memory& m = plan_.memory;
  int64_t peak = -1, least = 0;
  const Plan::Phase* largest = nullptr;
  Plan::Segments segments;
  bool within = true;
  int64_t alone = 0, alone_padded = 0;
  for (const Plan::Phase& p : plan_.phases) {
    const Binding binding = bindings(p.name)[0];
    Evaluator at(*plan_.pool, binding);
    const int64_t b = bound(p.name, at, false);
    within = within && p.peak_bytes <= std::max(b, bound(p.name, at, true));
    least = std::max(least, b);
    if (p.peak_bytes > peak) peak = p.peak_bytes, largest = &p, alone = -1;
    if (alone == -1) {
      alone = alone_padded = 0;
      for (uint32_t i = p.ops_begin; i < p.ops_end; ++i) {
        for (const uint32_t v : plan_.ops[i].out) {
          Window w;
          if (segment(v) != Plan::Segment::Arena || !window(v, at, w)) continue;
          int64_t bytes = w.item;
          for (const int64_t n : w.shape)
            bytes = bytes > INT64_MAX / std::max<int64_t>(n, 1) ? INT64_MAX : bytes * n;
          bytes /= info(plan_.values[v].dtype).elements;
          if (__builtin_add_overflow(alone, bytes, &alone)) alone = INT64_MAX / 2;
        }
        for (const uint32_t s : plan_.ops[i].scratch) alone += at(plan_.buffers[s].bytes).value_or(0);
      }
    }
    std::vector<uint8_t> read(plan_.buffers.size(), 0);  // 1 by load ops, 2 by others
    for (const Plan::Op& op : plan_.ops) {
      for (const uint32_t v : op.in) {
        if (v != kAbsent) read[plan_.values[v].buffer] |= op.phase == "load" ? 1 : 2;
      }
    }
    Plan::Segments own;
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const Plan::Buffer& buffer = plan_.buffers[i];
      const int64_t bytes = aligned(at(buffer.bytes).value_or(0), plan_.align);
      if (buffer.segment == Plan::Segment::Inputs) own.inputs += bytes;
      if (buffer.segment == Plan::Segment::State) own.state += bytes;
      if (buffer.segment == Plan::Segment::Weights && read[i] != 1) own.weights += bytes;
    }
    segments.inputs = std::max(segments.inputs, own.inputs);
    segments.state = std::max(segments.state, own.state);
    segments.weights = std::max(segments.weights, own.weights);
  }
  const auto must = [&](const char* what, int64_t have, int64_t want) {
    return have == want || add(std::string("memory_plan.") + what,
                               std::to_string(have) + ", expected " + std::to_string(want));
  };
  must("peak_bytes", m.peak_bytes, peak);
  must("lower_bound_bytes", m.lower_bound_bytes, least);
  must("no_reuse_bytes", m.no_reuse_bytes, std::min(alone, kMaxJsonInt));
  must("segments.weights", m.segments.weights, segments.weights);
  must("segments.state", m.segments.state, segments.state);
  must("segments.inputs", m.segments.inputs, segments.inputs);
  must("segments.arena", m.segments.arena, peak);
  if (!m.reuse_buffers) add("memory_plan.reuse_buffers", "is not true");
  if (m.optimal && m.strength != Plan::Strength::Exact && !within)
    add("memory_plan.optimal", "the peak is over the bound, and no search was exhaustive");
  if (m.peak && largest->peak && !(*m.peak == *largest->peak))
    add("memory_plan.peak", "is not that of phase " + largest->name);
  const auto named = [&](const Plan::Op& op) { return op.id == m.peak_op; };
  if (!m.peak_op.empty() && std::none_of(plan_.ops.begin(), plan_.ops.end(), named))
    add("memory_plan.peak_op", "no op " + m.peak_op);
  for (const Plan::Budget& b : plan_.budget) budget(b);
  for (const Plan::Phase& p : plan_.phases) at_peak(p), tokens(p);
  lighter();
  return clean();
}

// Each answer is of a phase of the plan, within the limit where it is met, and its frontiers fall.
void Validator::budget(const Plan::Budget& b) {
  const std::string where = "budget " + b.expr;
  const auto one = [&](const Plan::Answer& answer) {
    const auto named = [&](const Plan::Phase& p) { return p.name == answer.phase; };
    if (!answer.phase.empty() && std::none_of(plan_.phases.begin(), plan_.phases.end(), named))
      add(where, "there is no phase " + answer.phase);
    if (answer.used_bytes && b.limit_bytes && answer.ok && *answer.used_bytes > *b.limit_bytes)
      add(where, "is ok with more bytes than its limit");
    for (const Plan::Sizes* sizes : {&answer.max, &answer.beyond}) {
      for (const auto& [dim, size] : *sizes) {
        const std::string& name = dim;
        const auto same = [&](const Plan::Dim& d) { return d.name == name; };
        if (std::none_of(plan_.dims.begin(), plan_.dims.end(), same)) add(where, "there is no dim " + name);
      }
    }
    for (const Plan::Frontier& f : answer.frontier) falling(where, f);
  };
  one(b);
  int64_t most = 0;
  for (const Plan::Answer& answer : b.phases) {
    one(answer);
    most = std::max(most, answer.used_bytes.value_or(0));
    if (b.ok && !answer.ok) add(where, "is ok, and phase " + answer.phase + " breaks it");
  }
  if (!b.phases.empty() && b.used_bytes && most > *b.used_bytes)
    add(where, "uses less than one of its phases");
}

// Of two dims of the plan, the first rises and the second falls.
void Validator::falling(const std::string& where, const Plan::Frontier& frontier) {
  const auto known = [&](const std::string& name) {
    return std::any_of(plan_.dims.begin(), plan_.dims.end(),
                       [&](const Plan::Dim& d) { return d.name == name; });
  };
  if (!known(frontier.first) || !known(frontier.second)) add(where, "has a frontier of what is no dim");
  for (size_t i = 1; i < frontier.points.size(); ++i) {
    const auto &a = frontier.points[i - 1], &b = frontier.points[i];
    if (a.first >= b.first || a.second <= b.second) add(where, "has a frontier that does not fall");
  }
}

// What a token costs, from the shapes of inputs and states.
void Validator::tokens(const Plan::Phase& phase) {
  const Plan::Tokens& t = phase.tokens;
  Evaluator at(*plan_.pool, bindings(phase.name)[0]);
  const auto extent = [&](const Plan::Value& v, size_t axis) {
    return std::max<int64_t>(1, at(v.shape[axis]).value_or(1));
  };
  int64_t step = 0, kept = 0, ring = 0;
  for (const Plan::Value& v : plan_.values) {
    if (v.kind == Plan::Kind::Input && v.shape.size() >= 2 && step == 0 &&
        __builtin_mul_overflow(extent(v, 0), extent(v, 1), &step))
      step = 0;
    if (v.kind != Plan::Kind::State) continue;
    const int64_t a_sequence = at(plan_.buffers[v.buffer].bytes).value_or(0) / extent(v, 0);
    if (v.layout == Plan::Layout::Ring)
      ring = std::min(ring + a_sequence, kMaxJsonInt);
    else
      kept = std::min(kept + a_sequence / extent(v, 1), kMaxJsonInt);
  }
  const bool there = t.a_step != 0 || t.state_bytes_each != 0 || t.ring_bytes_each_sequence != 0;
  if (!there) return;  // a plan of before it was told
  if (t.a_step != step || t.state_bytes_each != kept || t.ring_bytes_each_sequence != ring ||
      t.arena_bytes_each != (step > 0 ? phase.peak_bytes / step : 0))
    add("phases " + phase.name + ".tokens", "are not what inputs, states and the peak say");
}

// A change that lowers the memory leaves less of it.
void Validator::lighter() {
  const Plan::Segments& s = plan_.memory.segments;
  for (const Plan::Lighter& l : plan_.memory.lighter) {
    if (l.bytes < 0 || l.bytes >= s.weights + s.state + s.inputs + s.arena)
      add("memory_plan.lighter", l.change + " lowers nothing");
  }
}

// What is named at the peak lies in the arena, is alive at that op, and is as large as its formula says.
void Validator::at_peak(const Plan::Phase& phase) {
  if (phase.at_peak.empty()) return;
  const std::string where = "phases " + phase.name + ".at_peak";
  uint32_t step = phase.ops_begin;
  while (step < phase.ops_end && plan_.ops[step].id != phase.peak_op) ++step;
  if (step >= phase.ops_end) {
    add(where, "the phase has no op " + phase.peak_op);
    return;
  }
  Evaluator at(*plan_.pool, bindings(phase.name)[0]);
  for (const Plan::AtPeak& entry : phase.at_peak) {
    const auto same = [&](const Plan::Buffer& b) { return b.id == entry.buffer; };
    const auto buffer = std::find_if(plan_.buffers.begin(), plan_.buffers.end(), same);
    if (buffer == plan_.buffers.end() || buffer->segment != Plan::Segment::Arena ||
        buffer->live_begin > step || buffer->live_end <= step)
      add(where, entry.buffer + " is not alive at " + phase.peak_op);
    else if (at(buffer->bytes).value_or(-1) != entry.bytes)
      add(where, entry.buffer + " has not " + std::to_string(entry.bytes) + " bytes");
  }
}

Validator::Window::Run Validator::Window::dense_run() const {
  Run run{shape.size(), item};
  while (run.axes > 0 && (strides[run.axes - 1] == run.bytes || shape[run.axes - 1] == 1))
    run.bytes *= shape[--run.axes];
  return run;
}

// The most bytes of which every dense run that the phase touches in the arena is a whole number, from its
// beginning to its end: offsets of buffers are multiples of `align`.
bool Validator::find_grain(const std::string& name, Evaluator& at, int64_t& grain) {
  grain = plan_.align;
  const auto refine = [&](uint32_t value) {
    Window w;
    if (value == kAbsent || segment(value) != Plan::Segment::Arena) return true;
    if (!window(value, at, w)) return false;
    if (std::find(w.shape.begin(), w.shape.end(), 0) != w.shape.end()) return true;  // touches nothing
    const auto [axes, dense] = w.dense_run();
    grain = std::gcd(std::gcd(grain, w.begin), dense);
    for (size_t i = 0; i < axes; ++i) grain = std::gcd(grain, w.strides[i]);
    return true;
  };
  const Plan::Phase& p = *phase(name);
  for (uint32_t i = p.ops_begin; i < p.ops_end; ++i) {
    for (const auto* values : {&plan_.ops[i].in, &plan_.ops[i].out}) {
      if (!std::all_of(values->begin(), values->end(), refine)) return false;
    }
  }
  return std::all_of(plan_.outputs.begin(), plan_.outputs.end(), [&](const Plan::Output& output) {
    return output.phase != name || refine(output.value);
  });
}

// Runs a phase over tags: each granule of the arena holds the value last written there, and each read must
// find its own.
bool Validator::bytes(const std::string& name, const Binding& binding) {
  Evaluator at(*plan_.pool, binding);
  const auto arena = bind_arena(plan_, name, binding);
  if (!arena || arena->bytes > kSimulatedBytes) return true;
  int64_t grain = 0;
  if (!find_grain(name, at, grain)) return false;
  std::vector<uint32_t> tags(static_cast<size_t>(arena->bytes / grain + 1), 0);
  std::unordered_map<uint32_t, uint32_t> last;  // buffer outside of the arena -> value last written there
  // Calls `run(first, count)` for each dense run of granules of a window.
  const auto each_run = [&](uint32_t value, const Window& w, const auto& run) {
    if (std::find(w.shape.begin(), w.shape.end(), 0) != w.shape.end()) return true;
    const auto [axes, dense] = w.dense_run();
    std::vector<int64_t> counter(axes, 0);
    const int64_t base = arena->offsets[plan_.values[value].buffer] + w.begin;
    while (true) {
      int64_t offset = base;
      for (size_t i = 0; i < axes; ++i) offset += counter[i] * w.strides[i];
      if (!run(offset / grain, dense / grain)) return false;
      size_t axis = axes;
      while (axis > 0 && ++counter[axis - 1] == w.shape[axis - 1]) counter[--axis] = 0;
      if (axis == 0) return true;
    }
  };
  const auto check_read = [&](const std::string& where, uint32_t value) {
    std::vector<uint32_t> from;
    producers(value, from);
    if (segment(value) != Plan::Segment::Arena) {
      const auto written = last.find(plan_.values[value].buffer);
      if (written != last.end() && std::find(from.begin(), from.end(), written->second) == from.end()) {
        return add(where, "reads " + plan_.values[value].id + " after " + plan_.values[written->second].id +
                              " was written there");
      }
      return true;
    }
    Window w;
    if (!window(value, at, w)) return false;
    uint32_t stranger = 0;
    const bool good = each_run(value, w, [&](int64_t first, int64_t count) {
      for (int64_t i = first; i < first + count; ++i) {
        const uint32_t tag = tags[static_cast<size_t>(i)];
        if (std::find(from.begin(), from.end(), tag - 1) == from.end() || tag == 0)
          return stranger = tag, false;
      }
      return true;
    });
    return good || add(where, "reads " + plan_.values[value].id + " where " +
                                  (stranger ? plan_.values[stranger - 1].id : std::string("nothing yet")) +
                                  " was written");
  };
  const Plan::Phase& p = *phase(name);
  for (uint32_t i = p.ops_begin; i < p.ops_end; ++i) {
    const Plan::Op& op = plan_.ops[i];
    for (const uint32_t v : op.in) {
      if (v != kAbsent && !check_read(where_op(i), v)) return false;
    }
    for (const uint32_t v : op.out) {
      if (segment(v) != Plan::Segment::Arena) {
        last[plan_.values[v].buffer] = v;
        continue;
      }
      Window w;
      if (!window(v, at, w)) return false;
      each_run(v, w, [&](int64_t first, int64_t count) {
        return std::fill_n(tags.begin() + first, count, v + 1), true;
      });
    }
    for (const uint32_t v : op.out) {
      if (!check_read(where_op(i), v)) return false;
    }
    for (const uint32_t v : op.in) {
      if (v == kAbsent || segment(v) != Plan::Segment::Arena) continue;
      Window w;
      if (!window(v, at, w)) return false;
      uint32_t over = 0;
      each_run(v, w, [&](int64_t first, int64_t count) {
        for (int64_t k = first; k < first + count; ++k) {
          const uint32_t tag = tags[static_cast<size_t>(k)];
          if (tag && std::find(op.out.begin(), op.out.end(), tag - 1) != op.out.end())
            return over = tag, false;
        }
        return true;
      });
      if (over == 0) continue;
      Window r;
      if (!window(over - 1, at, r)) return false;
      bool same = r.begin == w.begin && r.shape == w.shape && r.item == w.item &&
                  plan_.values[v].buffer == plan_.values[over - 1].buffer;
      for (size_t k = 0; same && k < w.shape.size(); ++k)
        same = w.shape[k] == 1 || w.strides[k] == r.strides[k];
      if (!same || !op.row->in_place)
        return add(where_op(i),
                   "writes " + plan_.values[over - 1].id + " over its operand " + plan_.values[v].id);
    }
  }
  for (const Plan::Output& output : plan_.outputs) {
    if (output.phase == name && !check_read("outputs " + output.name, output.value)) return false;
  }
  return true;
}

}  // namespace irplan
