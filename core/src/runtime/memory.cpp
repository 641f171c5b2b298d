#include "runtime/memory.h"

#include <algorithm>

namespace irplan {
namespace {

constexpr int64_t kLoadedAtOnce = int64_t{8} << 20;  // bytes of a weight that is loaded and packed row by row
constexpr int64_t kLeastAllocation = 256;            // bytes, so that an empty segment has an address as well

// Weights that load-time ops alone read: 1 by buffer. They are freed after folding and not counted.
std::vector<uint8_t> only_for_loading(const Plan& plan) {
  std::vector<uint8_t> read(plan.buffers.size(), 0);
  for (const Plan::Op& op : plan.ops) {
    for (const uint32_t value : op.in) {
      if (value == kAbsent || plan.values[value].buffer >= read.size()) continue;
      read[plan.values[value].buffer] |= op.phase == "load" ? 1 : 2;
    }
  }
  for (size_t i = 0; i < read.size(); ++i) {
    const Plan::Buffer& buffer = plan.buffers[i];
    const bool scratch = buffer.segment == Plan::Segment::Arena && buffer.phase == "load";
    read[i] = scratch || (buffer.segment == Plan::Segment::Weights && read[i] == 1);
  }
  return read;
}

// The buffers of an op: those that its operands and results lie in, and its scratch.
std::vector<uint32_t> buffers_of(const Plan& plan, const Plan::Op& op) {
  std::vector<uint32_t> out(op.scratch.begin(), op.scratch.end());
  for (const auto& values : {op.in, op.out}) {
    for (const uint32_t value : values) {
      if (value != kAbsent) out.push_back(plan.values[value].buffer);
    }
  }
  return out;
}

// The last load-time op that needs a buffer.
std::vector<uint32_t> last_uses(const Plan& plan) {
  std::vector<uint32_t> out(plan.buffers.size(), 0);
  for (uint32_t i = 0; i < plan.ops.size() && plan.ops[i].phase == "load"; ++i) {
    for (const uint32_t buffer : buffers_of(plan, plan.ops[i])) out[buffer] = i;
  }
  return out;
}

// Of a weight [N, K].
std::optional<int64_t> bytes_of_rows(const Plan::Value& weight, int64_t rows, const Binding& binding) {
  const auto k = evaluate(weight.shape[1], binding);
  return k ? std::optional(rows * stored_bytes(weight.dtype, *k)) : std::nullopt;
}

bool add_rounded(int64_t bytes, int64_t align, int64_t* sum) {
  return bytes >= 0 && bytes <= INT64_MAX - align &&
         !__builtin_add_overflow(*sum, align_up(bytes, align), sum);
}

}  // namespace

std::string place_text(const Plan& plan, uint32_t line) {
  return line == 0 ? "of --budget" : "line " + std::to_string(line) + " of " + plan.source_file;
}

std::optional<int64_t> counted_bytes(const Plan::Budget& budget, const PerSegment& bytes) {
  if (!budget.limit) return std::nullopt;
  return sum_of_products({{budget.counts.weights, bytes.weights},
                          {budget.counts.state, bytes.state},
                          {budget.counts.inputs, bytes.inputs},
                          {budget.counts.arena, bytes.arena}});
}

Failure check_budgets(const Plan& plan, const std::string& phase, const Binding& binding,
                      const PerSegment& bytes) {
  for (const Plan::Budget& budget : plan.budget) {
    if (!budget.limit || (!budget.phase.empty() && budget.phase != phase)) continue;
    const auto used = counted_bytes(budget, bytes), limit = evaluate(*budget.limit, binding);
    if (used && limit && *used <= *limit) continue;
    return "over the budget `" + budget.expr + "`: " + (used ? std::to_string(*used) : "too many") + " of " +
           std::to_string(limit.value_or(0)) + " bytes (" + place_text(plan, budget.line) + ")";
  }
  return std::nullopt;
}

std::optional<PerSegment> predicted_bytes(const Plan& plan, const std::string& phase,
                                          const Binding& binding) {
  PerSegment out;
  Evaluator value(*plan.pool, binding);
  const auto loading = only_for_loading(plan);
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan.buffers[i];
    if (buffer.segment == Plan::Segment::Arena || loading[i]) continue;
    int64_t& sum = buffer.segment == Plan::Segment::Weights ? out.weights
                   : buffer.segment == Plan::Segment::State ? out.state
                                                            : out.inputs;
    const auto bytes = value(buffer.bytes);
    if (!bytes || !add_rounded(*bytes, plan.align, &sum)) return std::nullopt;
  }
  for (const Plan::Phase& p : plan.phases) {
    if (p.name != phase) continue;
    if (p.peak) {
      const auto peak = value(*p.peak);
      if (!peak || *peak < 0) return std::nullopt;
      out.arena = *peak;
    } else {
      const auto arena = bind_arena(plan, phase, binding);
      if (!arena) return std::nullopt;
      out.arena = arena->bytes;
    }
  }
  if (!out.total()) return std::nullopt;
  return out;
}

RunMemory::~RunMemory() {
  for (std::byte* block : segments_.base) {
    if (block) backend_.release(block);
  }
}

Failure RunMemory::take(const char* what, MemorySegment segment, int64_t bytes) {
  const auto size = static_cast<size_t>(std::max(bytes, kLeastAllocation));
  std::byte*& base = segments_.base[static_cast<int>(segment)];
  if (auto failure = backend_.allocate(size, static_cast<size_t>(plan_.align), &base))
    return std::string(what) + ": " + *failure;
  return backend_.fill(base, 0xff, size);
}

Failure RunMemory::place(Plan::Segment segment, const Binding& binding, BufferPlaces& out,
                         int64_t* total) const {
  const MemorySegment where = segment == Plan::Segment::Inputs  ? MemorySegment::Inputs
                              : segment == Plan::Segment::State ? MemorySegment::State
                                                                : MemorySegment::Weights;
  int64_t at = 0;
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    if (plan_.buffers[i].segment != segment || for_loading_[i]) continue;
    const auto bytes = evaluate(plan_.buffers[i].bytes, binding);
    const int64_t start = at;
    if (!bytes || !add_rounded(*bytes, plan_.align, &at))
      return "buffers " + plan_.buffers[i].id + ": has no size here";
    out[i] = {where, start, *bytes};
  }
  *total = at;
  return std::nullopt;
}

void RunMemory::find_rows_at_once(const Binding& binding) {
  rows_at_once_.clear();
  if (backend_.target().empty() || backend_.target() != plan_.target) return;  // no records, or copies
  std::vector<int> uses(plan_.buffers.size(), 0), values(plan_.buffers.size(), 0);
  for (const Plan::Op& op : plan_.ops) {
    for (const uint32_t buffer : buffers_of(plan_, op)) ++uses[buffer];
  }
  for (const Plan::Value& value : plan_.values) {
    if (value.buffer != kAbsent) ++values[value.buffer];
  }
  for (const Plan::Op& op : plan_.ops) {
    if (op.phase != "load") break;
    int64_t& rows = rows_at_once_.emplace_back(0);
    if (!op.row || op.row->rows_apart == 0 || op.in.size() != 1 || op.in[0] == kAbsent) continue;
    const Plan::Value& weight = plan_.values[op.in[0]];
    if (weight.kind != Plan::Kind::Param || weight.strides || weight.offset || weight.shape.size() != 2 ||
        uses[weight.buffer] != 1 || values[weight.buffer] != 1 || !for_loading_[weight.buffer])
      continue;
    const auto n = evaluate(weight.shape[0], binding), k = evaluate(weight.shape[1], binding);
    if (!n || !k || *k <= 0) continue;
    const int64_t all = stored_bytes(weight.dtype, *k) * op.row->rows_apart;
    const int64_t some = std::max<int64_t>(1, kLoadedAtOnce / std::max<int64_t>(all, 1)) * op.row->rows_apart;
    if (some < *n) rows = some;
  }
}

Failure RunMemory::place_loading(const Binding& binding) {
  find_rows_at_once(binding);
  struct Held {
    int64_t begin = 0, end = 0;
    uint32_t last = 0;  // op
  };
  std::vector<Held> held;  // by begin
  const auto last = last_uses(plan_);
  std::vector<uint8_t> placed(plan_.buffers.size(), 0);
  for (uint32_t i = 0; i < plan_.ops.size() && plan_.ops[i].phase == "load"; ++i) {
    std::erase_if(held, [&](const Held& h) { return h.last < i; });
    for (const uint32_t buffer : buffers_of(plan_, plan_.ops[i])) {
      if (!for_loading_[buffer] || placed[buffer]) continue;
      placed[buffer] = 1;
      auto bytes = evaluate(plan_.buffers[buffer].bytes, binding);
      const bool in_parts = rows_at_once(i) > 0 && buffer == plan_.values[plan_.ops[i].in[0]].buffer;
      if (in_parts) bytes = bytes_of_rows(plan_.values[plan_.ops[i].in[0]], rows_at_once(i), binding);
      int64_t room = 0, at = 0;
      if (!bytes || !add_rounded(*bytes, plan_.align, &room))
        return "buffers " + plan_.buffers[buffer].id + ": has no size here";
      auto next = held.begin();
      for (; next != held.end() && next->begin - at < room; ++next) at = std::max(at, next->end);
      if (at > INT64_MAX - room) return "buffers " + plan_.buffers[buffer].id + ": has no size here";
      held.insert(next, {at, at + room, last[buffer]});
      held_[buffer] = {MemorySegment::Loading, at, *bytes, in_parts ? rows_at_once(i) : 0};
      loading_bytes_ = std::max(loading_bytes_, at + room);
    }
  }
  return std::nullopt;
}

Failure RunMemory::check_free(const PerSegment& room) const {
  const auto free = backend_.free_bytes();
  const auto needed = sum_of_products({{1, allocated_.weights},
                                       {1, allocated_.state},
                                       {1, loading_bytes_},
                                       {1, room.inputs},
                                       {1, room.arena}});
  if (!free || (needed && static_cast<uint64_t>(*needed) <= *free)) return std::nullopt;
  const auto part = [](const char* what, int64_t bytes) { return what + (" " + std::to_string(bytes)); };
  return "out of memory: " + (needed ? std::to_string(*needed) : "too many") + " bytes are needed (" +
         part("weights", allocated_.weights) +
         (loading_bytes_ ? " + " + part("loading", loading_bytes_) : "") + " + " +
         part("state", allocated_.state) + " + " + part("inputs", room.inputs) + " + " +
         part("arena", room.arena) + "), and " + std::to_string(*free) + " are there on " + backend_.device();
}

Failure RunMemory::allocate(const Binding& binding, const PerSegment& room) {
  held_.assign(plan_.buffers.size(), {});
  for_loading_ = only_for_loading(plan_);
  if (auto failure = place(Plan::Segment::Weights, binding, held_, &allocated_.weights)) return failure;
  if (auto failure = place(Plan::Segment::State, binding, held_, &allocated_.state)) return failure;
  if (auto failure = place_loading(binding)) return failure;
  if (auto failure = check_free(room)) return failure;
  if (auto failure = take("weights", MemorySegment::Weights, allocated_.weights)) return failure;
  if (auto failure = take("state", MemorySegment::State, allocated_.state)) return failure;
  if (loading_bytes_ > 0) {
    if (auto failure = take("weights to fold", MemorySegment::Loading, loading_bytes_)) return failure;
  }
  if (auto failure = take("inputs", MemorySegment::Inputs, room.inputs)) return failure;
  if (auto failure = take("arena", MemorySegment::Arena, room.arena)) return failure;
  allocated_.inputs = room.inputs;
  allocated_.arena = room.arena;
  return std::nullopt;
}

void RunMemory::free_loading() {
  for (size_t i = 0; i < for_loading_.size(); ++i) {
    if (for_loading_[i]) held_[i] = {};
  }
  std::byte*& block = segments_.base[static_cast<int>(MemorySegment::Loading)];
  if (block) backend_.release(block);
  block = nullptr;
}

Failure RunMemory::lay_out(const std::string& phase, const Binding& binding,
                           std::optional<int64_t> first_slot, BufferPlaces* out) const {
  *out = held_;
  int64_t used = 0;
  if (auto failure = place(Plan::Segment::Inputs, binding, *out, &used)) return failure;
  if (used > allocated_.inputs) return "inputs: their bytes do not fit into what was planned";
  const auto arena = bind_arena(plan_, phase, binding);
  if (!arena || arena->bytes > allocated_.arena)
    return "phases " + phase + ": its arena does not fit into what was planned";
  Evaluator value(*plan_.pool, binding);
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (buffer.segment != Plan::Segment::Arena || buffer.phase != phase) continue;
    const auto bytes = value(buffer.bytes);
    if (!bytes || *bytes < 0 || *bytes > arena->bytes - arena->offsets[i])
      return "buffers " + buffer.id + ": lies outside of the arena at these sizes";
    (*out)[i] = {MemorySegment::Arena, arena->offsets[i], *bytes};
  }
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (buffer.segment != Plan::Segment::Weights || for_loading_[i] || buffer.bytes.is_constant()) continue;
    if (value(buffer.bytes) != held_[i].bytes)
      return "buffers " + buffer.id + ": its weights were loaded for other sizes than this step's";
  }
  for (const Plan::Value& v : plan_.values) {
    if (v.kind != Plan::Kind::State || v.shape.empty()) continue;
    const auto rows = value(v.shape[0]);
    if (!rows || *rows <= 0) return v.id + " has no rows at these sizes";
    const auto now = value(plan_.buffers[v.buffer].bytes);
    if (!now || *now < 0) return v.id + " has no size at this step";
    const int64_t slot = first_slot.value_or(0), begin = *now / *rows * slot;
    const BufferPlace& all = held_[v.buffer];
    if (slot < 0 || begin > all.bytes - *now) return v.id + " holds fewer sequences than this step has";
    if (first_slot) (*out)[v.buffer] = {MemorySegment::State, all.offset + begin, *now};
  }
  return std::nullopt;
}

PlanMemory addresses(const BufferPlaces& layout, const RunSegments& segments) {
  PlanMemory out;
  for (const BufferPlace& place : layout) {
    std::byte* base =
        place.segment == MemorySegment::None ? nullptr : segments.base[static_cast<int>(place.segment)];
    out.buffers.push_back(base ? base + place.offset : nullptr);
  }
  return out;
}

}  // namespace irplan
