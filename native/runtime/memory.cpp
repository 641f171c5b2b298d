#include "runtime/memory.h"

#include <algorithm>

namespace irplan {
namespace {

constexpr int64_t kLeastAllocation = 256;  // bytes, so that an empty segment has an address as well

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

bool add_rounded(int64_t bytes, int64_t align, int64_t* sum) {
  return bytes >= 0 && bytes <= INT64_MAX - align &&
         !__builtin_add_overflow(*sum, (bytes + align - 1) / align * align, sum);
}

}  // namespace

std::string place_text(const Plan& plan, uint32_t line) {
  return line == 0 ? "of --budget" : "line " + std::to_string(line) + " of " + plan.source_file;
}

std::optional<int64_t> SegmentBytes::total() const {
  int64_t sum = 0;
  for (const int64_t part : {weights, state, inputs, arena}) {
    if (part < 0 || __builtin_add_overflow(sum, part, &sum)) return std::nullopt;
  }
  return sum;
}

std::optional<int64_t> counted_bytes(const Plan::Budget& budget, const SegmentBytes& bytes) {
  if (!budget.limit) return std::nullopt;
  return sum_of_products({{budget.counts.weights, bytes.weights},
                          {budget.counts.state, bytes.state},
                          {budget.counts.inputs, bytes.inputs},
                          {budget.counts.arena, bytes.arena}});
}

Failure check_budgets(const Plan& plan, const std::string& phase, const Binding& binding,
                      const SegmentBytes& bytes) {
  for (const Plan::Budget& budget : plan.budget) {
    if (!budget.limit || (!budget.phase.empty() && budget.phase != phase)) continue;
    const auto used = counted_bytes(budget, bytes), limit = evaluate(*budget.limit, binding);
    if (used && limit && *used <= *limit) continue;
    return "over the budget `" + budget.expr + "`: " + (used ? std::to_string(*used) : "too many") + " of " +
           std::to_string(limit.value_or(0)) + " bytes (" + place_text(plan, budget.line) + ")";
  }
  return std::nullopt;
}

std::optional<SegmentBytes> predicted_bytes(const Plan& plan, const std::string& phase,
                                            const Binding& binding) {
  SegmentBytes out;
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
  for (std::byte* block : {weights_, state_, inputs_, arena_, loading_}) {
    if (block) backend_.release(block);
  }
}

Failure RunMemory::take(const char* what, int64_t bytes, std::byte** out) {
  const auto size = static_cast<size_t>(std::max(bytes, kLeastAllocation));
  if (auto failure = backend_.allocate(size, static_cast<size_t>(plan_.align), out))
    return std::string(what) + ": " + *failure;
  return backend_.fill(*out, 0xff, size);
}

Failure RunMemory::lay_out(Plan::Segment segment, const std::vector<uint8_t>& of_loading, bool loading,
                           const Binding& binding, int64_t room, std::byte** base, int64_t* total) {
  int64_t at = 0;
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const bool mine = loading ? of_loading[i] != 0 : plan_.buffers[i].segment == segment && !of_loading[i];
    if (!mine) continue;
    const auto bytes = evaluate(plan_.buffers[i].bytes, binding);
    const int64_t start = at;
    if (!bytes || !add_rounded(*bytes, plan_.align, &at) || (*base && at > room))
      return "buffers " + plan_.buffers[i].id + ": its bytes do not fit into what was planned";
    bytes_[i] = *bytes;
    if (*base) pointers_.buffers[i] = *base + start;
  }
  *total = at;
  return std::nullopt;
}

Failure RunMemory::allocate(const Binding& binding, const SegmentBytes& room) {
  pointers_.buffers.assign(plan_.buffers.size(), nullptr);
  bytes_.assign(plan_.buffers.size(), 0);
  for_loading_ = only_for_loading(plan_);
  struct Part {
    const char* what;
    Plan::Segment segment;
    bool loading;
    std::byte** base;
    int64_t* bytes;
  };
  const Part parts[] = {{"weights", Plan::Segment::Weights, false, &weights_, &allocated_.weights},
                        {"state", Plan::Segment::State, false, &state_, &allocated_.state},
                        {"weights to fold", Plan::Segment::Weights, true, &loading_, &loading_bytes_}};
  for (const Part& part : parts) {
    std::byte* none = nullptr;
    if (auto failure = lay_out(part.segment, for_loading_, part.loading, binding, 0, &none, part.bytes))
      return failure;
    if (part.loading && *part.bytes == 0) continue;
    if (auto failure = take(part.what, *part.bytes, part.base)) return failure;
    if (auto failure =
            lay_out(part.segment, for_loading_, part.loading, binding, *part.bytes, part.base, part.bytes))
      return failure;
  }
  state_starts_ = pointers_.buffers;
  held_ = bytes_;
  if (auto failure = take("inputs", room.inputs, &inputs_)) return failure;
  if (auto failure = take("arena", room.arena, &arena_)) return failure;
  allocated_.inputs = room.inputs;
  allocated_.arena = room.arena;
  return std::nullopt;
}

void RunMemory::free_loading() {
  for (size_t i = 0; i < for_loading_.size(); ++i) {
    if (for_loading_[i]) pointers_.buffers[i] = nullptr;
  }
  if (loading_) backend_.release(loading_);
  loading_ = nullptr;
}

Failure RunMemory::bind(const std::string& phase, const Binding& binding, int64_t first_slot) {
  int64_t used = 0;
  if (auto failure =
          lay_out(Plan::Segment::Inputs, for_loading_, false, binding, allocated_.inputs, &inputs_, &used))
    return failure;
  const auto arena = bind_arena(plan_, phase, binding);
  if (!arena || arena->bytes > allocated_.arena)
    return "phases " + phase + ": its arena does not fit into what was planned";
  Evaluator value(*plan_.pool, binding);
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (buffer.segment != Plan::Segment::Arena || buffer.phase == "load") continue;
    const auto bytes = value(buffer.bytes);
    const bool here =
        buffer.phase == phase && bytes && *bytes >= 0 && *bytes <= arena->bytes - arena->offsets[i];
    if (buffer.phase == phase && !here)
      return "buffers " + buffer.id + ": lies outside of the arena at these sizes";
    pointers_.buffers[i] = here ? arena_ + arena->offsets[i] : nullptr;
    bytes_[i] = here ? *bytes : 0;
  }
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const Plan::Buffer& buffer = plan_.buffers[i];
    if (buffer.segment != Plan::Segment::Weights || for_loading_[i] || buffer.bytes.is_constant()) continue;
    if (value(buffer.bytes) != held_[i])
      return "buffers " + buffer.id + ": its weights were loaded for other sizes than this step's";
  }
  for (const Plan::Value& v : plan_.values) {
    if (v.kind != Plan::Kind::State || v.shape.empty()) continue;
    const auto rows = value(v.shape[0]);
    if (!rows || *rows <= 0) return v.id + " has no rows at these sizes";
    const auto now = value(plan_.buffers[v.buffer].bytes);
    if (!now || *now < 0) return v.id + " has no size at this step";
    const int64_t begin = *now / *rows * first_slot;
    if (first_slot < 0 || begin > held_[v.buffer] - *now)
      return v.id + " holds fewer sequences than this step has";
    pointers_.buffers[v.buffer] = state_starts_[v.buffer] + begin;
    bytes_[v.buffer] = *now;
  }
  return std::nullopt;
}

}  // namespace irplan
