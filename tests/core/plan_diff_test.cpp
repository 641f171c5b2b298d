// Plans read, written again, and compared.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "catch.h"
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
