// What the compiler emits is what the proof accepts, where that takes some care; and the limits of what is
// read.
#include <algorithm>

#include "bench/hostile.h"
#include "catch.h"
#include "memory/check_numbers.h"
#include "memory/planned.h"
#include "plan/proof/proof.h"

using namespace irplan;
using memory_test::planned;

namespace {

const Plan::Value& state_of(const Plan& plan) {
  return *std::find_if(plan.values.begin(), plan.values.end(),
                       [](const auto& v) { return v.kind == Plan::Kind::State; });
}

std::string refusal(const std::string& text) {
  const auto read = read_plan(text);
  CHECK_FALSE(read);
  return read.message();
}

}  // namespace

TEST_CASE("a state that is read as it lies is no ring") {
  const std::string begin =
      "dim S in 1..8\ndim P in 0..1000\ninput x: f32[1, S, 2, 4]\n"
      "h = state f32[1, 1024, 2, 4] from \"k\"\n";
  const std::string end = "k = append(h, x, at=P)\ny = output(attention(x, k, k, window=8))\n";
  CHECK(state_of(planned(begin + end)).layout == Plan::Layout::Ring);
  const Plan read = planned(begin + "d = output(sum(slice(h, axis=1, start=0, len=4), axis=1))\n" + end);
  CHECK(state_of(read).layout == Plan::Layout::Contiguous);
  CHECK(validate_plan(read).empty());
}

TEST_CASE("rows of a state that are appended to it are copied first") {
  const Plan plan = planned(
      "dim P in 0..100\nh = state f32[1, 128, 8] from \"h\"\n"
      "k = append(h, slice(h, axis=1, start=2, len=4), at=P)\ny = output(sum(k, axis=1))\n");
  CHECK(validate_plan(plan).empty());
  CHECK(std::any_of(plan.ops.begin(), plan.ops.end(),
                    [](const auto& op) { return std::string(op.row->name) == "copy"; }));
  Plan direct = plan;
  for (Plan::Op& op : direct.ops) {
    if (std::string(op.row->name) == "append") op.in[1] = direct.ops[0].in[0];
  }
  CHECK_FALSE(validate_plan(direct).empty());
}

TEST_CASE("results of one path have ids of their own") {
  const char* const kPrograms[] = {
      // Two loops over one variable.
      "input x: f32[4]\nh = x\nfor i in 2 with h {\n  t = relu(h)\n  h = t + h\n}\nfor i in 2 with h {\n  t "
      "= exp(h)\n"
      "  h = t + h\n}\no = output(h)\n",
      // A fn whose result is its caller's, in a return of one value, and of two.
      "fn g(x) {\n  t = relu(x)\n  return t + x\n}\nfn h(x) {\n  t = exp(x)\n  return g(t)\n}\nfn k(x) {\n  "
      "t = exp(x)\n"
      "  return g(t), g(g(t))\n}\ninput x: f32[4]\na, b = k(x)\no = output(h(x) + a * b)\n",
      // Unnamed results of calls within calls, and a name that looks like one that is given.
      "fn f(x) { return x + x }\nfn g(x) { return f(f(x)) }\nfn h(x) { return g(g(x)) }\ninput x: f32[4]\no "
      "= output(h(x))\n",
      "phase a { S = 1 }\nphase b { S in 1..8 }\ndim S in 1..8\ninput x: f32[S]\nh = x\nfor i in 1 with h "
      "{\n  h = relu(h)\n}\n"
      "for i in 1 with h {\n  h = exp(h)\n}\nfor i in 1 with h {\n  h = silu(h)\n}\no = output(h)\n",
  };
  for (const char* program : kPrograms) {
    INFO(program);
    CHECK(listed(validate_plan(planned(program))) == "");
  }
}

TEST_CASE("a slice of blocks begins with a block, and then is proven") {
  const auto slice = [](const char* start) {
    return std::string(
               "input x: f32[4, 32]\nw = param q8_0[16, 96]\ny = output(linear(x, slice(w, axis=-1, start=") +
           start + ", len=32)))\n";
  };
  CHECK(validate_plan(planned(slice("32"))).empty());
  const Compilation done = compile(SourceText("test.irplan", slice("5")), {});
  REQUIRE_FALSE(done.ok);
  CHECK(done.diagnostics.list()[0].code == Code::BlocksCut);
}

TEST_CASE("a part of blocks in rows of a symbolic number of them is proven") {
  const Plan plan = planned(
      "dim N in 1..4\ninput x: f32[4, 32 * N]\nw = param q8_0[16, 32 * N]\na, b = split(w, axis=0, sizes=[8, "
      "8])\n"
      "y = output(linear(x, a) + linear(x, b))\n");
  CHECK(listed(validate_plan(plan)) == "");
}

TEST_CASE("a plan of many dims is proven, whatever of them its peak depends on") {
  const Plan plan = planned(bench::head(30, 0, 50) + bench::body(30, 40, 10));
  CHECK(plan.memory.range.proven);
  CHECK(listed(validate_plan(plan)) == "");
}

TEST_CASE("the order of buffers is followed in linear time, be one of them above all others") {
  constexpr int kMany = 400;
  std::string text = "dim S in 1..64\ninput x: f32[S, 32]\nhub = output(softmax(x))\nv0 = relu(x)\n";
  for (int i = 0; i < kMany; ++i)
    text += "v" + std::to_string(i + 1) + " = sum(v" + std::to_string(i) + ", axis=1, keep=true) * x\n";
  Plan plan = planned(text + "out = output(v" + std::to_string(kMany) + ")\n");
  const auto hub =
      std::find_if(plan.buffers.begin(), plan.buffers.end(), [](const auto& b) { return b.id == "hub"; });
  REQUIRE(hub != plan.buffers.end());
  const auto index = static_cast<uint32_t>(hub - plan.buffers.begin());
  for (Plan::Buffer& b : plan.buffers) {
    if (b.segment == Plan::Segment::Arena && &b != &*hub) b.above.clear();
  }
  // The others lie above each other as they are born: each above the one before, if both are alive then.
  hub->above.clear();
  uint32_t before = kAbsent;
  for (const Plan::Op& op : plan.ops) {
    const uint32_t made = plan.values[op.out[0]].buffer;
    if (made == index || plan.buffers[made].segment != Plan::Segment::Arena || made == before) continue;
    hub->above.push_back(made);
    if (before != kAbsent && plan.buffers[before].live_end > plan.buffers[made].live_begin)
      plan.buffers[made].above = {before};
    before = made;
  }
  proof::instrument().most_work = 8 * plan.buffers.size();
  const std::string found = listed(validate_plan(plan));
  proof::instrument().most_work = 0;
  INFO(found);
  CHECK(hub->above.size() > kMany);
  CHECK(found.find("(rule peak") != std::string::npos);  // other numbers, after the order
  // Every second one is found through the one that is born behind it, which takes a step.
  Plan::Ids second;
  for (size_t i = hub->above.size() % 2; i < hub->above.size(); i += 2)
    second.push_back(hub->above[i + 1 < hub->above.size() ? i + 1 : i]);
  hub->above = second;
  proof::instrument().most_work = 1;
  CHECK(listed(validate_plan(plan)).find("(rule work)") != std::string::npos);
  proof::instrument().most_work = 0;
}

TEST_CASE("what a plan may hold is limited before it is kept") {
  std::string dims = "{\"version\":\"0.1.0\",\"dims\":[";
  for (int i = 0; i < 1100; ++i)
    dims += std::string(i ? "," : "") + "{\"name\":\"d" + std::to_string(i) +
            "\",\"min\":1,\"max\":2,\"value\":1}";
  CHECK(refusal(dims + "]}") != "");
  std::string zeros = "{\"version\":[";
  for (int i = 0; i < 1'100'000; ++i) zeros += "0,";
  CHECK(refusal(zeros + "0]}").find("more than") != std::string::npos);
}
