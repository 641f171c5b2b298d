// --retype: states and weights in another dtype, everything else as it was.
#include <algorithm>

#include "catch.h"
#include "irplan/compile.h"
#include "plan/plan.h"

using namespace irplan;

namespace {

const char* const kRetyped =
    "dim S in 1..8\n"
    "dim P in 0..56\n"
    "input tokens: i32[1, S]\n"
    "wte = param bf16[64, 64]\n"
    "norm = param bf16[64]\n"
    "up = param bf16[128, 64]\n"
    "odd = param bf16[64, 72]\n"
    "scaled = param f8e4m3[64, 128]\n"
    "scale = param f32[1, 1]\n"
    "kept = param bf16[1, 8, 2, 32]\n"
    "h = embed(tokens, wte)\n"
    "x = rmsnorm(h, norm, eps=1e-5)\n"
    "q = view(x, shape=[1, S, 2, 32])\n"
    "k = append(state bf16[1, 64, 2, 32] from \"k\", q, at=P)\n"
    "a = attention(q, k, k)\n"
    "c = append(state bf16[1, 64, 64] from \"latent\", x, at=P)\n"
    "d = linear(slice(c, axis=1, start=P, len=S), up)\n"
    "e = append(state bf16[1, 64, 64] from \"added\", x, at=P)\n"
    "f = slice(e, axis=1, start=P, len=S) + x\n"
    "g = linear(d, scaled, none, scale)\n"
    "o1 = output(linear(f, wte, to=f32))\n"
    "o2 = output(g)\n"
    "o3 = output(a)\n"
    "o4 = output(linear(slice(d, axis=-1, start=0, len=72), odd))\n"
    "o5 = output(kept + slice(kept, axis=1, start=0, len=8))\n";

Compilation retyped(const char* what, const char* dtype) {
  CompileOptions options;
  options.retypes.emplace_back(what, dtype);
  return compile(SourceText("test.irplan", kRetyped), options);
}

Plan plan_of(const Compilation& done) {
  auto plan = read_plan(done.plan_json);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(plan);
  for (const std::string& finding : validate_plan(*plan)) FAIL_CHECK(finding);
  return std::move(*plan);
}

DType dtype_of(const Plan& plan, const std::string& id) {
  for (const Plan::Value& v : plan.values) {
    if (v.id == id) return v.dtype;
  }
  FAIL("no value " << id);
  return DType::F32;
}

void same_temps(const Plan& plan, const Plan& before) {
  for (const char* id : {"h", "x", "a", "d", "f", "g", "o1", "o4", "o5"}) {
    INFO(id);
    CHECK(dtype_of(plan, id) == dtype_of(before, id));
  }
}

}  // namespace

TEST_CASE("states are kept in another dtype where every reader takes it, and results keep theirs") {
  const Plan before = plan_of(compile(SourceText("test.irplan", kRetyped), {}));
  const Plan plan = plan_of(retyped("state", "f8e4m3"));
  CHECK(dtype_of(plan, "k") == DType::F8E4M3);
  CHECK(dtype_of(plan, "latent") == DType::F8E4M3);
  CHECK(dtype_of(plan, "added") == DType::BF16);  // what an addition yields would follow it
  same_temps(plan, before);
  CHECK(dtype_of(plan_of(retyped("state", "q8_0")), "k") == DType::Q8_0);
  CHECK(dtype_of(plan_of(retyped("state", "q8_0")), "latent") == DType::BF16);  // a slice cuts it
}

TEST_CASE("the matrices of products are stored in another dtype, scaled and odd ones are not") {
  const Plan before = plan_of(compile(SourceText("test.irplan", kRetyped), {}));
  const Plan plan = plan_of(retyped("weights", "q8_0"));
  CHECK(dtype_of(plan, "wte") == DType::Q8_0);
  CHECK(dtype_of(plan, "up") == DType::Q8_0);
  CHECK(dtype_of(plan, "odd") == DType::BF16);  // 72 is not a multiple of 32
  CHECK(dtype_of(plan, "norm") == DType::BF16);
  CHECK(dtype_of(plan, "scaled") == DType::F8E4M3);
  CHECK(dtype_of(plan, "kept") == DType::BF16);
  same_temps(plan, before);
  CHECK(plan.memory.segments.weights < before.memory.segments.weights);
}

TEST_CASE("what cannot be retyped is told") {
  const auto message = [](const char* what, const char* dtype) {
    const Compilation done = retyped(what, dtype);
    REQUIRE_FALSE(done.ok);
    CHECK(done.diagnostics.list()[0].code == Code::RetypeWithoutEffect);
    return render(done.diagnostics, done.source, false);
  };
  CHECK(message("cache", "f16").find("none of `state`, `weights` and `activations`") != std::string::npos);
  CHECK(message("state", "f8e4m").find("did you mean `--retype state=f8e4m3`?") != std::string::npos);
  CHECK(message("state", "i32").find("no real numbers") != std::string::npos);
  CHECK(message("state", "i4g128").find("no state can be kept in it") != std::string::npos);
}
