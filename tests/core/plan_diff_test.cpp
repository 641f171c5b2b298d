// Plans read, written again, and compared.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "irplan/compile.h"
#include "plan/diff.h"

using namespace irplan;

namespace {

Plan example() {
  std::ifstream file(IRPLAN_SOURCE_DIR "/tests/data/plans/example.json", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  auto plan = read_plan(text);
  INFO(plan.message());
  REQUIRE(plan);
  return std::move(*plan);
}

Plan plan_of(const std::string& program) {
  CompileOptions options;
  options.target = "cpu";
  const Compilation done = compile(SourceText("p.irplan", program), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  auto plan = read_plan(done.plan_json);
  REQUIRE(plan);
  return std::move(*plan);
}

const PlanChange* find(const std::vector<PlanChange>& changes, const std::string& part,
                       const std::string& name, const std::string& field) {
  for (const PlanChange& c : changes) {
    if (c.part == part && c.name == name && c.field == field) return &c;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a plan that was written reads as the same bytes") {
  const std::string once = write_plan(example());
  const auto again = read_plan(once);
  INFO(again.message());
  REQUIRE(again);
  CHECK(write_plan(*again) == once);
  CHECK(validate_plan(*again).empty());
}

TEST_CASE("a plan does not differ from itself, nor by its producer and lines") {
  const Plan a = example();
  Plan b = example();
  b.producer = "another";
  b.ops[0].line = 99;
  CHECK(compare_plans(a, b).empty());
  CHECK(diff_plans(a, b).empty());
  CHECK(diff_plans_json(a, b) == "[]\n");
}

TEST_CASE("a difference names the part, the record and the field") {
  const Plan a = example();
  Plan b = example();
  b.memory.peak_bytes += int64_t{16} << 20;
  b.ops[1].kernel = "cuda_rope_v2";
  b.dims[0].max = 8192;
  b.ops.pop_back();
  const auto changes = compare_plans(a, b);
  const PlanChange* peak = find(changes, "memory_plan", "", "peak_bytes");
  REQUIRE(peak);
  CHECK(peak->more_bytes == int64_t{16} << 20);
  const PlanChange* kernel = find(changes, "ops", "r", "kernel");
  REQUIRE(kernel);
  CHECK(kernel->before == "cuda_rope_v1");
  CHECK(kernel->after == "cuda_rope_v2");
  REQUIRE(find(changes, "dims", "S", "max"));
  const PlanChange* gone = find(changes, "ops", "s", "");
  REQUIRE(gone);
  CHECK(gone->before == "cuda_silu_v1");
  CHECK_FALSE(gone->after);
  CHECK(changes.size() == 4);
  const std::string text = diff_plans(a, b);
  CHECK(text.find("peak_bytes: 33554432 -> 50331648 (+16.0 MiB)") != std::string::npos);
  CHECK(text.find("- s  cuda_silu_v1") != std::string::npos);
}

TEST_CASE("records inside of a record are compared by what they are called") {
  Plan a = example();
  a.memory.lighter = {{"--dim S=1", "half of S", 10}, {"--dim D=1", "half of D", 20}};
  Plan b = a;
  b.memory.lighter = {{"--dim D=1", "half of D", 21}, {"--retype state=f8e4m3", std::string(99, 'x'), 5}};
  const auto changes = compare_plans(a, b);
  CHECK(changes.size() == 3);
  const PlanChange* bytes = find(changes, "memory_plan", "", "lighter.--dim D=1.bytes");
  REQUIRE(bytes);
  CHECK(bytes->more_bytes == 1);
  REQUIRE(find(changes, "memory_plan", "", "lighter.--dim S=1"));
  REQUIRE(find(changes, "memory_plan", "", "lighter.--retype state=f8e4m3"));
  CHECK(diff_plans(a, b).find("xxx …\n") != std::string::npos);  // long ones are cut for people
}

TEST_CASE("ops that changed places are told once") {
  const Plan a = example();
  Plan b = example();
  std::swap(b.ops[0], b.ops[1]);
  const auto changes = compare_plans(a, b);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].field == "order");
  CHECK(changes[0].before == "n");
  CHECK(changes[0].after == "r");
}

TEST_CASE("what is alike in layers is told once, and what is much is cut") {
  Plan a = example();
  const Plan::Value first = a.values[0];
  for (int i = 0; i < 30; ++i) {
    Plan::Value v = first;
    v.id = "model.layers." + std::to_string(i) + ".w";
    a.values.push_back(v);
    v.id =
        "lone" + std::string(1, static_cast<char>('a' + i % 26)) + std::string(static_cast<size_t>(i), 'x');
    a.values.push_back(std::move(v));
  }
  Plan b = example();
  b.memory.peak_bytes -= 1024;
  const std::string lost = diff_plans(a, b), won = diff_plans(b, a);
  CHECK(lost.find("- model.layers.*.w") != std::string::npos);
  CHECK(lost.find("(30 alike)\n") != std::string::npos);
  CHECK(won.find("+ model.layers.*.w") != std::string::npos);
  CHECK(lost.find(" (-1.0 KiB)") != std::string::npos);
  CHECK(won.find(" (+1.0 KiB)") != std::string::npos);
  CHECK(lost.find("\n  and ") != std::string::npos);
}

TEST_CASE("two versions of a program: attributes, budgets, buffers and ops that came and went") {
  const std::string head = "dim S in 1..64\ninput x: f32[S, 64]\nw = param f32[96, 64]\na = linear(x, w)\n";
  const Plan a = plan_of(head +
                         "l, r = split(a, axis=-1, sizes=[32, 64])\np = output(softmax(r, axis=-1))\n"
                         "q = output(gelu(l))\nt = output(sum(x, axis=1))\nbudget memory <= 1MiB\n");
  const Plan b =
      plan_of(head +
              "l, r = split(a, axis=-1, sizes=[48, 48])\np = output(softmax(r, axis=-1))\n"
              "q = output(relu(l))\nt = output(sum(x, axis=0))\nv = output(relu(p))\nbudget memory <= 2MiB\n"
              "budget S <= 64\n");
  const auto changes = compare_plans(a, b), back = compare_plans(b, a);
  CHECK(changes.size() == back.size());
  CHECK(find(changes, "ops", "v", ""));
  CHECK(find(back, "ops", "v", "")->before == "cpu_relu_v1");
  CHECK(find(changes, "values", "v", ""));
  CHECK(find(changes, "buffers", "v", ""));
  const PlanChange* budget = find(changes, "budget", "memory <= 1MiB", "");
  REQUIRE(budget);
  CHECK(budget->before.value_or("").find(" bytes, max ") != std::string::npos);
  CHECK(find(changes, "budget", "memory <= 2MiB", ""));
  for (const PlanChange& change : changes) CHECK(change.before != change.after);
  CHECK(diff_plans(a, b).find("attrs.") != std::string::npos);
}

TEST_CASE("a program reads every difference, as JSON") {
  const Plan a = example();
  Plan b = example();
  b.dims[0].max = 8192;
  b.ops[1].kernel = "cuda_rope_v2";
  b.ops.pop_back();
  const auto json = nlohmann::json::parse(diff_plans_json(a, b), nullptr, false);
  REQUIRE(json.is_array());
  REQUIRE(json.size() == compare_plans(a, b).size());
  size_t gone = 0;
  for (const auto& change : json) {
    CHECK(change.size() == 5);
    if (change["part"] != "ops" || change["after"] != nullptr) continue;
    ++gone;
    CHECK(change["name"] == "s");
    CHECK(change["before"] == "cuda_silu_v1");
  }
  CHECK(gone == 1);
}

TEST_CASE("a long text is cut between its characters") {
  Plan a = example();
  a.memory.lighter = {{"--dim S=1", "s", 10}};
  for (size_t before = 0; before < 3; ++before) {
    Plan b = a;
    b.memory.lighter[0].what = std::string(before, 'x');
    for (int i = 0; i < 99; ++i) b.memory.lighter[0].what += "\u20ac";  // three bytes
    const std::string text = diff_plans(a, b);
    CHECK(text.find(" …\n") != std::string::npos);
    CHECK_FALSE(nlohmann::json(text).dump(-1, ' ', true).empty());  // throws where a character is cut
  }
}

TEST_CASE("20,000 windows, each on the one before, are looked at one by one") {
  Plan plan = example();
  const auto op = std::find_if(plan.ops.begin(), plan.ops.end(), [&](const Plan::Op& o) {
    return plan.values[o.in[0]].kind == Plan::Kind::Temp;
  });
  REQUIRE(op != plan.ops.end());
  uint32_t shown = op->in[0];
  for (int i = 0; i < 20'000; ++i) {
    Plan::Value window = plan.values[shown];
    window.id = plan.values[op->in[0]].id + ".window" + std::to_string(i);
    window.of = {shown};
    shown = static_cast<uint32_t>(plan.values.size());
    plan.values.push_back(std::move(window));
  }
  op->in[0] = shown;
  CHECK(validate_plan(plan) == std::vector<std::string>{});
}
