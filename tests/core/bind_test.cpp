// Addresses in the arena of a plan that nobody has proven: there are some, or there are none.
#include <string>
#include <vector>

#include "catch.h"
#include "plan/plan.h"

using namespace irplan;

namespace {

// Buffers of the given bytes, each above the one before it, and one of a weight.
Plan stacked(const std::vector<std::string>& bytes) {
  Plan plan;
  plan.align = 16;
  plan.pool->dim("S");
  Plan::Buffer weight;
  weight.segment = Plan::Segment::Weights;
  weight.bytes = plan.pool->constant(8);
  plan.buffers.push_back(weight);
  for (const std::string& text : bytes) {
    const auto e = plan.pool->parse(text);
    REQUIRE(e);
    Plan::Buffer buffer;
    buffer.phase = "main";
    buffer.bytes = *e;
    if (plan.buffers.size() > 1) buffer.above = {static_cast<uint32_t>(plan.buffers.size() - 1)};
    plan.buffers.push_back(std::move(buffer));
  }
  return plan;
}

}  // namespace

TEST_CASE("buffers stand on those below them, at aligned addresses") {
  Plan plan = stacked({"S", "2*S", "5"});
  const auto arena = bind_arena(plan, "main", {20});
  REQUIRE(arena);
  CHECK(arena->offsets == std::vector<int64_t>{0, 0, 32, 80});
  CHECK(arena->bytes == 85);
  plan.buffers[1].above = {3};  // listed before what it stands on, which two of them do
  plan.buffers[2].above = {3, 1};
  plan.buffers[3].above = {};
  CHECK(bind_arena(plan, "main", {20})->offsets == std::vector<int64_t>{0, 16, 48, 0});
  CHECK(bind_arena(plan, "other", {20})->bytes == 0);
}

TEST_CASE("an arena that stands on itself, or exceeds 64 bits, has no addresses") {
  Plan circle = stacked({"S", "S"});
  circle.buffers[1].above = {2};
  CHECK_FALSE(bind_arena(circle, "main", {20}));
  const std::string most = "9223372036854775807";
  for (const auto& bytes : std::vector<std::vector<std::string>>{{"S - 30"},
                                                                 {"S - 30", "S"},
                                                                 {"9223372036854775807*S"},
                                                                 {"S", most},
                                                                 {most, "S"},
                                                                 {"9223372036854775800", "S"}}) {
    INFO(bytes[0]);
    CHECK_FALSE(bind_arena(stacked(bytes), "main", {20}));
  }
  // What stands on a buffer that lies in no phase asks for its bytes, too.
  Plan foreign = stacked({"S", "S"});
  foreign.buffers[2].above = {0};
  foreign.buffers[0].bytes = *foreign.pool->parse("S - 30");
  CHECK_FALSE(bind_arena(foreign, "main", {20}));
}
