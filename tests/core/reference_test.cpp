// The reference executor on plans made by hand: windows, in place, states, rings, ragged rows, and errors.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "catch.h"
#include "reference/executor.h"

using namespace irplan;

namespace {

// A plan and its memory, built a value at a time; every buffer is its own allocation.
class Machine {
 public:
  Machine(std::initializer_list<const char*> dims) {
    for (const char* name : dims) {
      plan.dims.push_back({});
      plan.dims.back().name = name;
      plan.pool->dim(name);
    }
    step.dims.resize(plan.dims.size());
    step.rows.resize(plan.dims.size());
  }
  Expr e(const std::string& text) {
    const auto found = plan.pool->parse(text);
    INFO(found.message());
    REQUIRE(found);
    return *found;
  }
  std::vector<Expr> extents(const std::vector<std::string>& texts) {
    std::vector<Expr> out;
    for (const auto& text : texts) out.push_back(e(text));
    return out;
  }
  // A value in a new buffer, or in that of another value.
  Plan::Value& value(const std::string& id, DType dtype, const std::vector<std::string>& shape,
                     const std::string& in = "", Plan::Kind kind = Plan::Kind::Temp) {
    Plan::Value v;
    v.id = id;
    v.kind = kind;
    v.dtype = dtype;
    v.shape = extents(shape);
    if (in.empty()) {
      v.buffer = static_cast<uint32_t>(plan.buffers.size());
      Plan::Buffer buffer;
      buffer.id = id;
      buffer.segment = kind == Plan::Kind::State ? Plan::Segment::State : Plan::Segment::Arena;
      plan.buffers.push_back(buffer);
      storage.push_back(std::vector<std::byte>(4096, std::byte{0xee}));
    } else {
      v.buffer = plan.values[index(in)].buffer;
    }
    plan.values.push_back(std::move(v));
    return plan.values.back();
  }
  uint32_t index(const std::string& id) const {
    for (uint32_t i = 0; i < plan.values.size(); ++i) {
      if (plan.values[i].id == id) return i;
    }
    FAIL("no value " << id);
    return 0;
  }
  void op(const std::string& name, const std::vector<std::string>& in, const std::vector<std::string>& out,
          const std::vector<std::pair<std::string, Attr>>& attrs = {}) {
    Plan::Op o;
    o.id = out[0];
    o.row = find_op(name);
    REQUIRE(o.row);
    o.attrs = Attrs(*o.row);
    for (const auto& [key, attr] : attrs) o.attrs.set(key, attr);
    for (const auto& id : in) o.in.push_back(id.empty() ? kAbsent : index(id));
    for (const auto& id : out) o.out.push_back(index(id));
    o.phase = "main";
    plan.ops.push_back(std::move(o));
  }
  PlanMemory memory() {
    PlanMemory m;
    for (auto& bytes : storage) m.buffers.push_back(bytes.data());
    return m;
  }
  void put(const std::string& id, const std::vector<float>& numbers) {
    HostArray a = read_value(plan, index(id), memory(), step);
    REQUIRE(static_cast<size_t>(a.count()) == numbers.size());
    if (a.floats) a.f = numbers;
    if (!a.floats) a.i.assign(numbers.begin(), numbers.end());
    write_value(plan, index(id), a, memory(), step);
  }
  std::vector<float> get(const std::string& id) {
    const HostArray a = read_value(plan, index(id), memory(), step);
    return a.floats ? a.f : std::vector<float>(a.i.begin(), a.i.end());
  }
  std::string go() { return run_phase(plan, "main", memory(), step).value_or(""); }

  Plan plan;
  StepBinding step;
  std::vector<std::vector<std::byte>> storage;
};

}  // namespace

TEST_CASE("reference: results are rounded once to their dtype") {
  Machine m({"S"});
  m.step.dims = {2};
  m.value("x", DType::F32, {"S"});
  m.value("y", DType::BF16, {"S"});
  m.op("cast", {"x"}, {"y"}, {{"to", Attr(DType::BF16)}});
  m.put("x", {55.4256f, 1.0f});
  REQUIRE(m.go().empty());
  CHECK(m.get("y") == std::vector<float>{55.5f, 1.0f});
}

TEST_CASE("reference: windows read and write where they lie") {
  Machine m({"S"});
  m.step.dims = {2};
  m.value("x", DType::F16, {"S", "6"});
  // Columns 2 and 3, transposed.
  Plan::Value& w = m.value("w", DType::F16, {"2", "S"}, "x");
  w.offset = m.e("4");
  w.strides = m.extents({"1", "6"});
  w.of = {m.index("x")};
  m.value("y", DType::F32, {"2", "S"});
  m.op("neg", {"w"}, {"y"});
  m.put("x", {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15});
  REQUIRE(m.go().empty());
  CHECK(m.get("w") == std::vector<float>{2, 12, 3, 13});
  CHECK(m.get("y") == std::vector<float>{-2, -12, -3, -13});
  // Results land in windows too.
  m.plan.ops.clear();
  m.op("neg", {"y"}, {"w"});
  m.put("y", {100, 200, 300, 400});
  REQUIRE(m.go().empty());
  CHECK(m.get("x") == std::vector<float>{0, 1, -100, -300, 4, 5, 10, 11, -200, -400, 14, 15});
}

TEST_CASE("reference: in place is over the operand's bytes") {
  Machine m({"S"});
  m.step.dims = {3};
  m.value("a", DType::F32, {"S"});
  m.value("b", DType::F32, {"S"});
  m.value("y", DType::F32, {"S"}, "a");
  m.op("sub", {"b", "a"}, {"y"});
  m.put("a", {1, 2, 3});
  m.put("b", {10, 10, 10});
  REQUIRE(m.go().empty());
  CHECK(m.get("a") == std::vector<float>{9, 8, 7});
}

TEST_CASE("reference: absent operands, scalars and several results") {
  Machine m({});
  m.value("x", DType::F32, {"1", "2"});
  m.value("w", DType::F32, {"2", "2"});
  m.value("s", DType::F32, {"1", "1"});
  m.value("y", DType::F32, {"1", "2"});
  m.value("a", DType::F32, {"1", "1"});
  m.value("i", DType::I32, {"1", "1"});
  m.value("t", DType::F32, {"1"});
  m.op("linear", {"x", "w", "", "s"}, {"y"});
  m.op("topk", {"y"}, {"a", "i"}, {{"k", Attr(m.e("1"))}});
  m.op("sum", {"y"}, {"t"});
  m.put("x", {1, 2});
  m.put("w", {1, 1, 0, 3});
  m.put("s", {10});
  REQUIRE(m.go().empty());
  CHECK(m.get("y") == std::vector<float>{30, 60});
  CHECK(m.get("a") == std::vector<float>{60});
  CHECK(m.get("i") == std::vector<float>{1});
  CHECK(m.get("t") == std::vector<float>{90});
}

TEST_CASE("reference: append writes where the state lies, and gives its prefix") {
  Machine m({"B", "P"});
  m.step.dims = {2, 1};
  m.value("k", DType::F16, {"B", "4", "2"}, "", Plan::Kind::State).layout = Plan::Layout::Contiguous;
  m.value("x", DType::F32, {"B", "2", "2"});
  Plan::Value& y = m.value("y", DType::F16, {"B", "P + 2", "2"}, "k");
  y.strides = m.extents({"8", "2", "1"});
  m.op("append", {"k", "x"}, {"y"}, {{"at", Attr(m.e("P"))}});
  m.put("k", {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18});
  m.put("x", {-1, -2, -3, -4, -5, -6, -7, -8});
  REQUIRE(m.go().empty());
  CHECK(m.get("k") == std::vector<float>{1, 2, -1, -2, -3, -4, 7, 8, 11, 12, -5, -6, -7, -8, 17, 18});
  CHECK(m.get("y") == std::vector<float>{1, 2, -1, -2, -3, -4, 11, 12, -5, -6, -7, -8});
  m.step.dims = {2, 3};
  CHECK(m.go() == "ops y: row 4 of sequence 0 is outside of the 4 rows of k");
}

TEST_CASE("reference: rows of a ragged dim have their own extents") {
  Machine m({"B", "P"});
  m.plan.dims[1].per = "B";
  m.step.dims = {2, 3};
  m.step.rows = {{}, {0, 3}};
  m.value("k", DType::F32, {"B", "4", "1"}, "", Plan::Kind::State).layout = Plan::Layout::Contiguous;
  m.value("x", DType::F32, {"B", "1", "1"});
  Plan::Value& y = m.value("y", DType::F32, {"B", "P + 1", "1"}, "k");
  y.strides = m.extents({"4", "1", "1"});
  m.value("z", DType::F32, {"B", "P + 1", "1"});
  m.value("at", DType::I32, {"B", "2"});
  m.op("append", {"k", "x"}, {"y"}, {{"at", Attr(m.e("P"))}});
  m.op("exp", {"y"}, {"z"});
  m.op("positions", {}, {"at"}, {{"at", Attr(m.e("P"))}, {"shape", Attr::of(m.extents({"B", "2"}))}});
  m.put("k", {9, 9, 9, 9, 1, 2, 3, 9});
  m.put("x", {7, 8});
  REQUIRE(m.go().empty());
  CHECK(m.get("k") == std::vector<float>{7, 9, 9, 9, 1, 2, 3, 8});
  CHECK(m.get("y") == std::vector<float>{7, 0, 0, 0, 1, 2, 3, 8});
  CHECK(m.get("z")[1] == 0);
  CHECK(m.get("z")[7] == std::exp(8.0f));
  CHECK(m.get("at") == std::vector<float>{0, 1, 3, 4});
}

TEST_CASE("reference: a phase that fixes the number of rows still has ragged rows") {
  Machine m({"B", "P"});
  m.plan.dims[1].per = "B";
  m.step.dims = {2, 2};
  m.step.rows = {{}, {0, 2}};
  m.value("x", DType::F32, {"2", "P + 1"});
  std::vector<float> padded(6, 5.0f);
  m.put("x", padded);
  CHECK(m.get("x") == std::vector<float>{5, 0, 0, 5, 5, 5});
}

TEST_CASE("reference: an axis that counts other things is not ragged") {
  Machine m({"B", "P"});
  m.plan.dims[1].per = "B";
  m.step.dims = {2, 1};
  m.step.rows = {{}, {0, 1}};
  m.value("x", DType::F32, {"P + 1", "B"});  // transposed: axis 0 has two positions, not two sequences
  m.put("x", {1, 2, 3, 4});
  CHECK(m.get("x") == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("reference: a ring keeps the last positions, and gives them oldest first") {
  Machine m({"B", "P", "S"});
  m.plan.dims[1].per = "B";
  Plan::Value& k = m.value("k", DType::F32, {"B", "3", "2"}, "", Plan::Kind::State);
  k.layout = Plan::Layout::Ring;
  k.capacity = m.e("100");
  m.value("x", DType::F32, {"B", "S", "2"});
  Plan::Value& y = m.value("y", DType::F32, {"B", "min(3, P + S)", "2"}, "k");
  y.strides = m.extents({"6", "2", "1"});
  Plan::Value& half = m.value("half", DType::F32, {"B", "min(3, P + S)", "1"}, "k");
  half.strides = m.extents({"6", "2", "1"});
  half.offset = m.e("4");
  half.of = {m.index("y")};
  m.op("append", {"k", "x"}, {"y"}, {{"at", Attr(m.e("P"))}});
  // Positions 0 .. 6 of two sequences, the second one position behind; a position's numbers are (p, p + 0.5).
  const auto push = [&](std::vector<int64_t> at, int64_t steps) {
    m.step.dims = {2, std::max(at[0], at[1]), steps};
    m.step.rows = {{}, at, {}};
    std::vector<float> rows;
    for (const int64_t first : at) {
      for (int64_t s = 0; s < steps; ++s) {
        rows.push_back(static_cast<float>(first + s));
        rows.push_back(static_cast<float>(first + s) + 0.5f);
      }
    }
    m.put("x", rows);
    REQUIRE(m.go().empty());
  };
  push({0, 0}, 1);
  CHECK(m.get("y") == std::vector<float>{0, 0.5f, 0, 0.5f});
  push({1, 0}, 1);
  CHECK(m.get("y") == std::vector<float>{0, 0.5f, 1, 1.5f, 0, 0.5f, 0, 0});
  push({2, 1}, 2);
  CHECK(m.get("y") == std::vector<float>{1, 1.5f, 2, 2.5f, 3, 3.5f, 0, 0.5f, 1, 1.5f, 2, 2.5f});
  CHECK(m.get("k") == std::vector<float>{3, 3.5f, 1, 1.5f, 2, 2.5f, 0, 0.5f, 1, 1.5f, 2, 2.5f});
  push({4, 3}, 3);
  CHECK(m.get("y") == std::vector<float>{4, 4.5f, 5, 5.5f, 6, 6.5f, 3, 3.5f, 4, 4.5f, 5, 5.5f});
  CHECK(m.get("half") == std::vector<float>{4.5f, 5.5f, 6.5f, 3.5f, 4.5f, 5.5f});
}

TEST_CASE("reference: a quantised state is written by blocks") {
  Machine m({"P"});
  m.step.dims = {1};
  m.value("k", DType::Q8_0, {"1", "2", "32"}, "", Plan::Kind::State).layout = Plan::Layout::Contiguous;
  m.value("x", DType::F32, {"1", "1", "32"});
  m.value("y", DType::Q8_0, {"1", "P + 1", "32"}, "k");
  m.op("append", {"k", "x"}, {"y"}, {{"at", Attr(m.e("P"))}});
  std::vector<float> x, both(64, 0.0f);
  for (int i = 0; i < 32; ++i) x.push_back(static_cast<float>(i * 4 + 3));  // the largest is 127: d is 1
  m.put("k", both);
  m.put("x", x);
  REQUIRE(m.go().empty());
  std::copy(x.begin(), x.end(), both.begin() + 32);
  CHECK(m.get("y") == both);
}

TEST_CASE("reference: what goes wrong names op and value") {
  Machine m({"S"});
  m.step.dims = {2};
  m.value("tokens", DType::I32, {"S"});
  m.value("wte", DType::F32, {"3", "1"});
  m.value("h", DType::F32, {"S", "1"});
  m.op("embed", {"tokens", "wte"}, {"h"});
  m.put("tokens", {0, 100000});
  CHECK(m.go() == "ops h: id 100000 at place 1 of tokens is outside of the 3 rows of wte");
  PlanMemory none = m.memory();
  none.buffers[1] = nullptr;
  CHECK(run_op(m.plan, 0, none, m.step) == "ops h: wte has no memory");
}

TEST_CASE("reference: one phase's ops run, in order, and are told") {
  Machine m({});
  m.value("x", DType::F32, {"1"});
  m.value("y", DType::F32, {"1"});
  m.value("z", DType::F32, {"1"});
  m.op("neg", {"x"}, {"y"});
  m.op("exp", {"x"}, {"y"});
  m.op("neg", {"y"}, {"z"});
  m.plan.ops[1].phase = "load";
  m.put("x", {3});
  std::vector<uint32_t> seen;
  REQUIRE_FALSE(run_phase(m.plan, "main", m.memory(), m.step, [&](uint32_t op) { seen.push_back(op); }));
  CHECK(seen == std::vector<uint32_t>{0, 2});
  CHECK(m.get("z") == std::vector<float>{3});
}

TEST_CASE("reference: numbers of another class are converted when written") {
  Machine m({});
  m.value("x", DType::F32, {"2"});
  HostArray a;
  a.floats = false;
  a.shape = {2};
  a.i = {4, -1};
  write_value(m.plan, 0, a, m.memory(), m.step);
  CHECK(m.get("x") == std::vector<float>{4, -1});
}
