// The execution of plans finds what it is there to find: plans changed by hand, each so that an operand is
// written over before it is read, or that an op reads another value than the program says.
#include <algorithm>

#include "catch.h"
#include "memory/check_numbers.h"
#include "memory/planned.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

// `a` and `b` are alive together, `c` lies where one of them lay; `s` holds what `h` shows until `k` is
// appended.
const char* const kProgram =
    "dim S in 1..64\n"
    "input x: f16[1, S, 32]\n"
    "w = param f16[32, 32]\n"
    "h = state f16[1, 128, 32] from \"s\"\n"
    "d = output(sum(relu(slice(h, axis=1, start=0, len=64)), axis=1))\n"
    "k = append(h, x, at=0)\n"
    "m = output(sum(k, axis=1))\n"
    "a = linear(x, w)\n"
    "b = linear(a, w)\n"
    "c = linear(b, w)\n"
    "e = a + c\n"
    "l, r = split(e, axis=-1, sizes=[16, 16])\n"
    "y = output(concat(gelu(r), relu(l), axis=-1))\n";

StepBinding five_rows() {
  StepBinding step;
  step.dims = {5};
  step.rows.resize(1);
  return step;
}

std::string executed(const Plan& plan) {
  const StepBinding step = five_rows();
  return Execution(plan, "main", step).run();
}

Plan in_order() {
  CompileOptions options;
  options.keep_order = true;
  return planned(kProgram, options);
}

uint32_t value(const Plan& plan, const std::string& id) {
  for (uint32_t v = 0; v < plan.values.size(); ++v) {
    if (plan.values[v].id == id) return v;
  }
  FAIL("no value " + id);
  return kAbsent;
}

Plan::Buffer& buffer_of(Plan& plan, const std::string& id) {
  return plan.buffers[plan.values[value(plan, id)].buffer];
}

}  // namespace

TEST_CASE("a plan that is right is executed without a finding") {
  CHECK(executed(in_order()).empty());
  CHECK(executed(planned(kProgram)).empty());
}

TEST_CASE("a buffer moved over one that is alive is found by what is read") {
  Plan plan = in_order();
  Plan::Buffer &a = buffer_of(plan, "a"), &b = buffer_of(plan, "b");
  a.above.clear(), b.above.clear();
  CHECK(executed(plan).find("reads a, which was written over") != std::string::npos);
  CHECK_FALSE(validate_plan(plan).empty());  // as the validator finds it, by another way
}

TEST_CASE("a result put into a buffer whose other value is still read is found") {
  Plan plan = in_order();
  plan.values[value(plan, "c")].buffer = plan.values[value(plan, "a")].buffer;
  CHECK(executed(plan).find("reads a, which was written over") != std::string::npos);
  CHECK_FALSE(validate_plan(plan).empty());
}

TEST_CASE("a state that is appended to before what it held was read is found") {
  Plan plan = in_order();
  const auto first = [&](const std::string& name) {
    return std::find_if(plan.ops.begin(), plan.ops.end(),
                        [&](const Plan::Op& op) { return name == op.row->name; });
  };
  std::iter_swap(first("relu"), first("append"));
  CHECK_FALSE(executed(plan).empty());
  CHECK_FALSE(validate_plan(plan).empty());
}

TEST_CASE("a window read in another's place is found by the numbers, and by nothing else") {
  // gelu and relu read one buffer at one time through windows of one type: shapes, sizes, lifetimes and
  // placement all agree.
  const Plan right = in_order();
  Plan plan = right;
  const auto op = [&](const std::string& name) {
    return std::find_if(plan.ops.rbegin(), plan.ops.rend(),
                        [&](const Plan::Op& o) { return name == o.row->name; });
  };
  std::swap(op("gelu")->in, op("relu")->in);
  CHECK(validate_plan(plan).empty());
  CHECK(executed(plan).empty());
  CHECK(check_numbers(right, planned(kProgram), "main", five_rows()).empty());
  CHECK(check_numbers(plan, planned(kProgram), "main", five_rows()) == "the orders disagree about y");
}
