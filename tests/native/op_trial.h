// One op on the device and by the reference, over the same bytes: what it computes, and that it writes
// nothing else.
//
// The device is the SIMT shim, or a real one where IRPLAN_TEST_BACKEND=cuda.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cuda/simt_backend.h"
#include "plan/plan.h"
#include "reference/executor.h"

namespace irplan::test {

inline Backend& device_under_test() {
  static const std::unique_ptr<Backend> device = [] {
    const char* name = std::getenv("IRPLAN_TEST_BACKEND");
    if (!name || std::string(name) == "simt") return make_simt_backend();
    auto cuda = make_cuda_backend(0);
    if (!cuda) {
      std::fprintf(stderr, "IRPLAN_TEST_BACKEND=%s: %s\n", name, cuda.message().c_str());
      std::exit(1);
    }
    return *std::move(cuda);
  }();
  return *device;
}

// The largest difference that rounding and another order of additions explain.
struct Tolerance {
  float relative;  // of the element
  float absolute;  // of the largest element
};
inline Tolerance tolerance_of(DType dtype) {
  switch (dtype) {
    case DType::F16: return {1.1e-3f, 2e-5f};
    case DType::BF16: return {8.5e-3f, 2e-5f};
    case DType::F8E4M3: return {0.13f, 2e-3f};
    case DType::F8E5M2: return {0.26f, 2e-3f};
    default: return {1e-5f, 4e-6f};
  }
}

// Where the device's result is not the reference's: "" where it is.
inline std::string difference(const HostArray& want, const HostArray& got, Tolerance tolerance) {
  if (want.shape != got.shape) return "another shape";
  for (size_t i = 0; i < want.i.size(); ++i) {
    if (want.i[i] != got.i[i])
      return "element " + std::to_string(i) + " is " + std::to_string(got.i[i]) + ", not " +
             std::to_string(want.i[i]);
  }
  float largest = 0;
  for (const float x : want.f) largest = std::isfinite(x) ? std::max(largest, std::fabs(x)) : largest;
  for (size_t i = 0; i < want.f.size(); ++i) {
    const float a = got.f[i], b = want.f[i];
    if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
    if (!(std::fabs(a - b) <= tolerance.relative * std::fabs(b) + tolerance.absolute * largest))
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", not " + std::to_string(b);
  }
  return "";
}

class OpTrial {
 public:
  explicit OpTrial(uint32_t seed) : random(seed) { plan.align = 256; }

  Expr n(int64_t value) { return plan.pool->constant(value); }
  int64_t any(int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(random); }
  bool coin() { return any(0, 1) == 1; }
  DType any_float() {
    return std::vector<DType>{DType::F32, DType::F16, DType::BF16}[static_cast<size_t>(any(0, 2))];
  }

  // A ragged dim named P: one value for each of the B sequences (a dim as well).
  void ragged(const std::vector<int64_t>& values) {
    for (const char* name : {"B", "P"}) {
      plan.dims.push_back({});
      plan.dims.back().name = name;
      plan.pool->dim(name);
    }
    plan.dims[1].per = "B";
    int64_t most = 0;
    for (const int64_t v : values) most = std::max(most, v);
    step.dims = {static_cast<int64_t>(values.size()), most};
    step.rows = {{}, values};
  }

  // A value in a buffer of its own. `loose`: rows of the last axis lie further apart than they are long, or
  // axes are turned.
  uint32_t value(DType dtype, Shape shape, bool loose = false, Plan::Kind kind = Plan::Kind::Temp) {
    Plan::Value v;
    v.id = "v" + std::to_string(plan.values.size());
    v.kind = kind;
    v.dtype = dtype;
    v.shape = std::move(shape);
    v.buffer = static_cast<uint32_t>(plan.buffers.size());
    const DTypeInfo& block = info(dtype);
    std::vector<int64_t> strides(v.shape.size(), 1);
    int64_t span = 1;
    for (size_t i = v.shape.size(); i-- > 0;) {
      strides[i] = span;
      span *= std::max<int64_t>(1, *evaluate(v.shape[i], step.dims));
      if (loose && i + 1 == v.shape.size()) span += 8 * block.elements * any(1, 2);
    }
    int64_t start = 0;
    if (loose) {
      start = 8 * block.bytes * any(0, 1);
      std::vector<Expr> list;
      for (const int64_t stride : strides) list.push_back(n(stride));
      v.strides = list;
      if (start) v.offset = n(start);
    }
    Plan::Buffer buffer;
    buffer.id = v.id;
    buffer.segment = kind == Plan::Kind::State ? Plan::Segment::State : Plan::Segment::Arena;
    plan.buffers.push_back(buffer);
    storage.emplace_back(static_cast<size_t>(start + span / block.elements * block.bytes), std::byte{0x5a});
    plan.values.push_back(std::move(v));
    return static_cast<uint32_t>(plan.values.size() - 1);
  }
  uint32_t numbers(DType dtype, Shape shape, bool loose = false, float scale = 1, int64_t lo = 0,
                   int64_t hi = 100) {
    const uint32_t id = value(dtype, std::move(shape), loose);
    fill(id, scale, lo, hi);
    return id;
  }
  void fill(uint32_t id, float scale = 1, int64_t lo = 0, int64_t hi = 100) {
    const PlanMemory memory = host();
    HostArray array = read_value(plan, id, memory, StepBinding{step.dims, {}});
    std::normal_distribution<float> normal(0, scale);
    for (float& x : array.f) x = normal(random);
    for (int64_t& x : array.i) x = any(lo, hi);
    write_value(plan, id, array, memory, StepBinding{step.dims, {}});
  }

  // Floats by their place, row-major.
  template <class Number>
  void set(uint32_t id, const Number& number) {
    const PlanMemory memory = host();
    HostArray array = read_value(plan, id, memory, StepBinding{step.dims, {}});
    for (size_t i = 0; i < array.f.size(); ++i) array.f[i] = number(i);
    write_value(plan, id, array, memory, StepBinding{step.dims, {}});
  }

  // Applies the row: results typed by its rule, each in a buffer of its own, or the first over operand
  // `in_place`.
  void op(const std::string& name, std::vector<uint32_t> in,
          const std::vector<std::pair<std::string, Attr>>& attrs = {}, int in_place = -1,
          bool loose = false) {
    Plan::Op o;
    o.row = find_op(name);
    REQUIRE(o.row);
    const Ranges ranges(plan.pool->dim_count(), {0, 1 << 20});
    OpCall call(*o.row, *plan.pool, ranges);
    call.attrs = Attrs(*o.row);
    for (const auto& [key, attr] : attrs) call.attrs.set(key, attr);
    for (const uint32_t id : in) {
      const bool absent = id == kAbsent;
      call.in.push_back(absent ? std::nullopt
                               : std::optional<TensorType>({plan.values[id].dtype, plan.values[id].shape}));
    }
    if (name == "append" && plan.values[in[0]].layout == Plan::Layout::Ring)
      call.ring_rows = plan.values[in[0]].shape[1];
    const bool good = o.row->shape(call);
    INFO(name << (call.fault ? std::string(" faulted: ") + irplan::info(call.fault->code).name + " " +
                                   call.fault->rule
                             : ""));
    REQUIRE(good);
    o.attrs = call.attrs;
    o.in = std::move(in);
    for (size_t i = 0; i < call.out.size(); ++i) {
      if (name == "append" || (i == 0 && in_place >= 0)) {
        Plan::Value v = plan.values[o.in[static_cast<size_t>(std::max(0, in_place))]];
        if (name == "append") v = appended(v, call.out[i]);
        v.id = "v" + std::to_string(plan.values.size());
        v.kind = Plan::Kind::Temp;
        v.layout = Plan::Layout::None;
        plan.values.push_back(std::move(v));
        o.out.push_back(static_cast<uint32_t>(plan.values.size() - 1));
      } else {
        o.out.push_back(value(call.out[i].dtype, call.out[i].shape, loose));
      }
    }
    o.id = plan.values[o.out[0]].id;
    o.phase = "main";
    plan.ops.push_back(std::move(o));
  }
  uint32_t last(size_t i = 0) const { return plan.ops.back().out[i]; }

  // Runs all ops on the device and on the CPU's kernels, and compares every byte with the reference; "" where
  // they agree.
  std::string compare() {
    const std::vector<std::vector<std::byte>> before = storage;
    const std::unique_ptr<Backend> cpu = make_cpu_backend();
    const std::string there = compare_on(*cpu);
    if (!there.empty()) return "on the CPU: " + there;
    storage = before;
    return compare_on(device_under_test());
  }

  std::string compare_on(Backend& device) {
    BufferPlaces layout;
    int64_t total = 0;
    for (const auto& bytes : storage) {
      layout.push_back({MemorySegment::Arena, total, static_cast<int64_t>(bytes.size())});
      total += (static_cast<int64_t>(bytes.size()) + 255) / 256 * 256;
    }
    RunSegments segments;
    std::byte*& block = segments.base[static_cast<int>(MemorySegment::Arena)];
    Failure failure = device.allocate(static_cast<size_t>(total), 256, &block);
    for (size_t i = 0; i < storage.size() && !failure; ++i)
      failure = device.upload(block + layout[i].offset, storage[i].data(), storage[i].size());
    if (failure) return *failure;
    const Failure expected = run_phase(plan, "main", host(), step);
    {
      const auto program =
          device.prepare(plan, {0, static_cast<uint32_t>(plan.ops.size())}, layout, segments, step);
      failure = program ? (*program)->submit(step) : Failure(program.message());
      if (!failure) failure = (*program)->wait();
    }
    std::vector<std::vector<std::byte>> back = storage;
    PlanMemory copy;
    Failure lost;
    for (size_t i = 0; i < back.size(); ++i) {
      if (auto f = device.download(back[i].data(), block + layout[i].offset, back[i].size())) lost = f;
      copy.buffers.push_back(back[i].data());
    }
    device.release(block);
    if (lost) return *lost;
    if (expected || failure) {
      said = failure.value_or("");
      return expected == failure
                 ? ""
                 : "the reference says `" + expected.value_or("") + "`, the device `" + said + "`";
    }
    return compare(copy, back);
  }

  PlanMemory host() {
    PlanMemory memory;
    for (auto& bytes : storage) memory.buffers.push_back(bytes.data());
    return memory;
  }

  Plan plan;
  StepBinding step;
  std::vector<std::vector<std::byte>> storage;
  std::mt19937 random;
  std::string said;  // by the device, where it refused
  float slack = 1;   // of the tolerance

 private:
  Plan::Value appended(Plan::Value state, const TensorType& type) {
    if (!state.strides) {
      // The rows of the whole state, of which the result is a prefix.
      std::vector<Expr> strides(state.shape.size());
      Expr stride = n(1);
      for (size_t i = state.shape.size(); i-- > 0; stride = stride * state.shape[i]) strides[i] = stride;
      state.strides = strides;
    }
    state.shape = type.shape;
    return state;
  }

  std::string compare(const PlanMemory& got, const std::vector<std::vector<std::byte>>& bytes) {
    for (const Plan::Op& o : plan.ops) {
      for (const uint32_t id : o.out) {
        const HostArray want = read_value(plan, id, host(), step), have = read_value(plan, id, got, step);
        Tolerance tolerance = tolerance_of(plan.values[id].dtype);
        tolerance.relative *= slack;
        tolerance.absolute *= slack;
        const std::string where = difference(want, have, tolerance);
        if (!where.empty()) return plan.values[id].id + ": " + where;
        // What is left may differ nowhere.
        if (step.rows.empty() && plan.buffers[plan.values[id].buffer].segment == Plan::Segment::Arena)
          write_value(plan, id, want, got, step);
      }
    }
    for (size_t i = 0; i < bytes.size() && step.rows.empty(); ++i) {
      if (plan.buffers[i].segment != Plan::Segment::State && bytes[i] != storage[i])
        return plan.buffers[i].id + " was written outside of the result";
    }
    return "";
  }
};

}  // namespace irplan::test
