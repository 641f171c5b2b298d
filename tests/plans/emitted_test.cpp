// What the compiler emits is what the proof accepts, where that takes some care; and the limits of what is
// read.
#include <algorithm>

#include "catch.h"
#include "memory/check_numbers.h"
#include "memory/planned.h"

using namespace irplan;
using memory_test::planned;

namespace {

const Plan::Value& state_of(const Plan& plan) {
  return *std::find_if(plan.values.begin(), plan.values.end(),
                       [](const auto& v) { return v.kind == Plan::Kind::State; });
}

std::string refusal(const std::string& text) {
  std::string why;
  CHECK_FALSE(read_plan(text, &why));
  return why;
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
