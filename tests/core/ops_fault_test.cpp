// Where shape rules do not hold: the code, what is blamed, and the help. Every E03xx code of the operators
// stands here.
#include <limits>

#include "op_call.h"

using namespace irplan;
using namespace irplan::test;

namespace {

Attr record(AttrRecord r) { return Attr::of(std::move(r)); }

}  // namespace

TEST_CASE("faults: inner sizes that differ are told in numbers") {
  Bench t;
  const OpCall c = t.call("linear", {"bf16[B, S, 32, 128]", "bf16[4096, 4096]"});
  REQUIRE(c.fault);
  CHECK(c.fault->code == Code::InnerSizesDiffer);
  CHECK(c.fault->arguments[0] == "linear");
  CHECK(c.fault->operand == 0);
  CHECK(c.fault->found == "bf16[B, S, 32, 128]: last axis is 128");
  CHECK(c.fault->other == 1);
  CHECK(c.fault->expected == "bf16[4096, 4096]: expects 4096");
  CHECK(c.fault->rule == "linear: dim(x, -1) = dim(w, -1)");
  CHECK(c.fault->help == "32 * 128 = 4096; flatten them first: view(x, shape=[B, S, 4096])");
  const OpCall turned = t.call("linear", {"f32[B, 64]", "f32[64, 32]"});
  CHECK(turned.fault->help == "w is [N, K], outputs first; matmul(x, w) takes [K, N]");
  CHECK(t.call("matmul", {"f32[2, 64]", "f32[32, 64]"}).fault->help == "linear(a, b) takes b as [N, K]");
  CHECK(t.result("expert", {"f32[T, 64]", "f32[4, 64, 32]", "i32[T, 2]"}) == "E0301");
  CHECK(t.result("attention", {"f32[B, S, 2, 8]", "f32[B, S, 2, 4]", "f32[B, S, 2, 8]"}) == "E0301");
}

TEST_CASE("faults: operands that are missing or too many") {
  Bench t;
  CHECK(t.result("linear", {"f32[2, 4]"}) == "E0302");
  CHECK(t.result("linear", {"", "f32[2, 4]"}) == "E0302");
  CHECK(t.result("concat", {}) == "E0302");
  CHECK(t.result("concat", {"f32[2]", ""}) == "E0302");
  CHECK(t.result("silu", {"f32[2]", "f32[2]"}) == "E0303");
}

TEST_CASE("faults: attributes that are missing or of another kind") {
  Bench t;
  const OpCall c = t.call("rmsnorm", {"f32[2]"});
  CHECK(c.fault->code == Code::AttributeMissing);
  CHECK(c.fault->attribute == "eps");
  CHECK(t.result("cast", {"f32[2]"}) == "E0304");
  CHECK(t.result("rmsnorm", {"f32[2]"}, {{"eps", word("small")}}) == "E0305");
  CHECK(t.result("softmax", {"f32[2]"}, {{"axis", real(1.0)}}) == "E0305");
  CHECK(t.result("route", {"f32[8]"}, {{"k", whole(1)}, {"score", word("softmax|sigmoid")}}) == "E0305");
  CHECK(t.result("route", {"f32[8]"}, {{"k", whole(1)}, {"score", word("tanh")}}) == "E0305");
  CHECK(t.result("view", {"f32[2]"}, {{"shape", whole(2)}}) == "E0305");
  CHECK(t.result("transpose", {"f32[2]"}, {{"perm", Bench::numbers({0.5})}}) == "E0305");
  CHECK(t.result("rmsnorm", {"f32[2]"}, {{"eps", real(std::numeric_limits<double>::infinity())}}) == "E0305");
}

TEST_CASE("faults: element types") {
  Bench t;
  CHECK(t.result("embed", {"f32[B]", "f32[8, 4]"}) == "E0306");
  CHECK(t.result("silu", {"i32[B]"}) == "E0306");
  CHECK(t.result("expert", {"f32[T, 8]", "f32[4, 8, 8]", "i64[T, 2]"}) == "E0306");
  CHECK(t.result("add", {"bool[B]", "bool[B]"}) == "E0306");
  CHECK(t.result("add", {"f32[B]", "i32[B]"}) == "E0307");
  CHECK(t.result("add", {"i32[B]"}, {{"scalar", real(0.5)}}) == "E0307");
  CHECK(t.result("linear", {"f32[B, 4]", "i8[4, 4]"}) == "E0307");
  CHECK(t.result("append", {"i32[B, 4]", "f32[B, 1]"}, {{"at", whole(0)}}) == "E0307");
  CHECK(t.result("embed", {"i32[B]", "q8_0[8, 32]"}) == "E0327");
  CHECK(t.result("dequant", {"q8_0[8, 32]"}) == "E0327");
  CHECK(t.result("add", {"q8_0[8, 32]", "f32[32]"}) == "E0328");
  CHECK(t.result("linear", {"q8_0[8, 32]", "f32[4, 32]"}) == "E0328");
  CHECK(t.result("rmsnorm", {"f32[8, 32]", "q8_0[32]"}, {{"eps", whole(0)}}) == "E0328");
  CHECK(t.result("split", {"q8_0[8, 64]"}, {{"sizes", t.extents({"16", "48"})}}) == "E0329");
  CHECK(t.result("transpose", {"q8_0[8, 64]"}, {{"perm", Bench::ints({1, 0})}}) == "E0329");
}

TEST_CASE("faults: axes and extents") {
  Bench t;
  CHECK(t.result("linear", {"f32[B, 4]", "f32[4]"}) == "E0308");
  CHECK(t.result("rope", {"f32[B, 4]"}, {{"base", whole(10000)}}) == "E0308");
  CHECK(t.result("attention", {"f32[B, 2, 8]", "f32[B, N, 2, 8]", "f32[B, N, 2, 8]"}) == "E0308");
  CHECK(t.result("expert", {"f32[8]", "f32[4, 8, 8]", "i32[B, T, 2]"}) == "E0308");
  const OpCall wide = t.call("add", {"f32[B, 3]", "f32[B, 4]"});
  CHECK(wide.fault->code == Code::ShapesDoNotBroadcast);
  CHECK(wide.fault->help == "axis -1 is 3 in one and 4 in the other");
  CHECK(t.result("matmul", {"f32[2, 3, 4]", "f32[5, 4, 3]"}) == "E0309");
  CHECK(t.result("concat", {"f32[2, 3]", "f32[5, 3]"}) == "E0309");
  CHECK(t.result("linear", {"f32[B, 4]", "f32[3, 4]", "f32[4]"}) == "E0310");
  CHECK(t.result("linear", {"f32[B, 5, 4]", "f32[6, 3, 4]"}) == "E0310");
  CHECK(t.result("linear", {"f32[B, 300]", "f8e4m3[3, 300]", "", "f32[1, 2]"}) == "E0310");
  CHECK(t.result("rmsnorm", {"f32[B, 4]", "f32[3]"}, {{"eps", whole(0)}}) == "E0310");
  CHECK(t.result("attention", {"f32[B, S, 6, 8]", "f32[B, N, 4, 8]", "f32[B, N, 4, 8]"}) == "E0311");
  CHECK(t.result("attention", {"f32[2, S, 4, 8]", "f32[3, N, 4, 8]", "f32[3, N, 4, 8]"}) == "E0312");
  CHECK(t.result("attention", {"f32[B, S, 4, 8]", "f32[B, 5, 4, 8]", "f32[B, 6, 4, 8]"}) == "E0312");
  CHECK(t.result("expert", {"f32[3, 8]", "f32[4, 8, 8]", "i32[5, 2]"}) == "E0312");
  const OpCall axis = t.call("softmax", {"f32[B, 4]"}, {{"axis", whole(2)}});
  CHECK(axis.fault->code == Code::NoSuchAxis);
  CHECK(axis.fault->rule == "axes are -2 .. 1");
  CHECK(t.result("sum", {"f32[]"}) == "E0321");
}

TEST_CASE("faults: rope") {
  Bench t;
  const Named base = {{"base", whole(10000)}};
  const auto scaled = [&](AttrRecord r) {
    return Named{{"base", whole(10000)}, {"scaling", record(std::move(r))}};
  };
  CHECK(t.result("rope", {"f32[B, S, 7]"}, base) == "E0313");
  CHECK(t.result("rope", {"f32[B, S, 8]"}, {{"base", whole(10000)}, {"dim", whole(10)}}) == "E0313");
  CHECK(t.result("rope", {"f32[B, S, 8]"}, {{"base", whole(10000)}, {"dim", whole(0)}}) == "E0313");
  const OpCall dynamic = t.call("rope", {"f32[B, S, 8]"}, scaled({{"type", word("dynamic")}}));
  CHECK(dynamic.fault->code == Code::UnknownRopeScaling);
  CHECK(dynamic.fault->arguments == std::vector<std::string>{"dynamic"});
  CHECK(dynamic.fault->help == "dynamic scaling depends on the running length, which no plan can know");
  const OpCall missing =
      t.call("rope", {"f32[B, S, 8]"}, scaled({{"rope_type", word("llama3")}, {"factor", whole(8)}}));
  CHECK(missing.fault->code == Code::RopeScalingLacks);
  CHECK(missing.fault->arguments == std::vector<std::string>{"llama3", "low_freq_factor"});
  CHECK(t.result("rope", {"f32[B, S, 8]"}, scaled({{"rope_type", word("linear")}, {"factor", word("8")}})) ==
        "E0316");
  CHECK(t.result("rope", {"f32[B, S, 8]"}, scaled({{"rope_type", word("linear")}, {"factor", whole(0)}})) ==
        "E0316");
  const AttrRecord longrope = {{"rope_type", word("longrope")},
                               {"original_max_position_embeddings", whole(32)},
                               {"length", whole(64)},
                               {"factor", whole(4)},
                               {"short_factor", Bench::numbers({1, 1})},
                               {"long_factor", Bench::numbers({2, 2})}};
  CHECK(t.result("rope", {"f32[B, S, 8]"}, scaled(longrope)) == "E0316");
  CHECK(t.result("rope", {"f32[B, S, 4]"}, scaled(longrope)) == "f32[B, S, 4]");
  CHECK(t.constraints(t.call("rope", {"f32[B, S, D]"}, scaled(longrope))) == "mod(D, 2) == 0; D == 4");
}

TEST_CASE("faults: states") {
  Bench t;
  const Named at = {{"at", whole(4)}};
  const OpCall full = t.call("append", {"f32[B, 8, 2]", "f32[B, 5, 2]"}, at);
  CHECK(full.fault->code == Code::RowsExceedState);
  CHECK(full.fault->found == "f32[B, 5, 2]: ends at row 9");
  CHECK(full.fault->expected == "f32[B, 8, 2]: holds 8 rows");
  CHECK(t.result("append", {"f32[B, 8, 2]", "f32[B, 4, 3]"}, at) == "E0318");
  CHECK(t.result("append", {"f32[2, 8, 2]", "f32[3, 4, 2]"}, at) == "E0318");
  CHECK(t.result("append", {"f32[B, 8, 2]", "f32[B, 4]"}, at) == "E0308");
  t.ring_rows = t.dims->constant(3);
  CHECK(t.result("append", {"f32[B, 3, 2]", "f32[B, 4, 2]"}, at) == "E0317");
}

TEST_CASE("faults: routing") {
  Bench t;
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(9)}}) == "E0319");
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(0)}}) == "E0319");
  CHECK(t.result("topk", {"f32[T, 8]"}, {{"k", whole(9)}}) == "E0319");
  CHECK(t.result("argmax", {"f32[T, 0]"}) == "E0319");
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(2)}, {"groups", whole(4)}}) == "E0320");
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(2)}, {"groups", whole(3)}, {"group_k", whole(1)}}) ==
        "E0320");
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(2)}, {"groups", whole(4)}, {"group_k", whole(5)}}) ==
        "E0320");
  CHECK(t.result("route", {"f32[T, 8]"}, {{"k", whole(3)}, {"groups", whole(4)}, {"group_k", whole(1)}}) ==
        "E0320");
}

TEST_CASE("faults: windows") {
  Bench t;
  CHECK(t.result("view", {"f32[B, 6]"}, {{"shape", t.extents({"B", "5"})}}) == "E0322");
  const OpCall open = t.call("view", {"f32[S, 6]"}, {{"shape", t.extents({"-1", "5"})}});
  CHECK(open.fault->code == Code::ViewExtentUnknown);
  CHECK(open.fault->rule == "the other extents, 5, must divide the elements, 6*S");
  CHECK(t.result("view", {"f32[S, 6]"}, {{"shape", t.extents({"-1", "0"})}}) == "E0323");
  CHECK(t.result("view", {"f32[S, 6]"}, {{"shape", t.extents({"-1", "-1"})}}) == "E0331");
  CHECK(t.result("transpose", {"f32[S, 6]"}, {{"perm", Bench::ints({0, 0})}}) == "E0324");
  CHECK(t.result("transpose", {"f32[S, 6]"}, {{"perm", Bench::ints({0})}}) == "E0324");
  CHECK(t.result("transpose", {"f32[S, 6]"}, {{"perm", Bench::ints({0, 1, 2})}}) == "E0324");
  CHECK(t.result("slice", {"f32[6]"}, {{"axis", whole(0)}, {"start", whole(4)}, {"len", whole(3)}}) ==
        "E0325");
  CHECK(t.result("slice", {"f32[6]"}, {{"axis", whole(0)}, {"start", whole(-1)}, {"len", whole(3)}}) ==
        "E0325");
  CHECK(t.result("slice", {"f32[6]"}, {{"axis", whole(0)}, {"start", whole(0)}, {"len", whole(-3)}}) ==
        "E0325");
  CHECK(t.result("split", {"f32[6]"}, {{"sizes", t.extents({"2", "3"})}}) == "E0326");
  CHECK(t.result("split", {"f32[6]"}, {{"sizes", Bench::ints({7, -1})}}) == "E0326");
  CHECK(t.result("split", {"f32[6]"}, {{"sizes", Bench::ints({})}}) == "E0326");
}

TEST_CASE("faults: numbers that nothing can hold") {
  Bench t;
  const Attr big = Attr(t.dims->constant(INT64_MAX));
  CHECK(t.result("concat", {"f32[9223372036854775807]", "f32[9]"}) == "E0330");
  CHECK(t.result("slice", {"f32[6]"}, {{"axis", whole(0)}, {"start", big}, {"len", big}}) == "E0330");
  CHECK(t.result("view", {"f32[9223372036854775807, 9]"}, {{"shape", t.extents({"-1", "9"})}}) == "E0330");
}

TEST_CASE("faults: attributes out of their range") {
  Bench t;
  CHECK(t.result("rmsnorm", {"f32[4]"}, {{"eps", real(-1)}}) == "E0331");
  CHECK(t.result("softcap", {"f32[4]"}, {{"cap", whole(0)}}) == "E0331");
  CHECK(t.result("clamp", {"f32[4]"}, {{"lo", whole(2)}, {"hi", whole(1)}}) == "E0331");
  CHECK(t.result("clamp", {"i32[4]"}, {{"lo", real(0.5)}}) == "E0331");
  CHECK(t.result("cast", {"f32[32]"}, {{"to", dtype(DType::Q8_0)}}) == "E0331");
  CHECK(t.result("linear", {"f32[B, 4]", "f32[4, 4]"}, {{"to", dtype(DType::I32)}}) == "E0331");
  CHECK(t.result("rope", {"f32[B, S, 4]"}, {{"base", whole(1)}}) == "E0331");
  CHECK(t.result("attention", {"f32[B, S, 2, 8]", "f32[B, S, 2, 8]", "f32[B, S, 2, 8]"},
                 {{"window", whole(0)}}) == "E0331");
  CHECK(t.result("positions", {}, {{"at", whole(-1)}, {"shape", t.extents({"2", "3"})}}) == "E0331");
  CHECK(t.result("positions", {}, {{"at", whole(0)}, {"shape", t.extents({"2"})}}) == "E0331");
  CHECK(t.result("linear", {"f32[B, 4]", "f32[4, 4]", "", "f32[1, 1]"}, {{"block", Bench::ints({0, 128})}}) ==
        "E0331");
}

TEST_CASE("faults: a second tensor or a number") {
  Bench t;
  CHECK(t.result("add", {"f32[4]"}) == "E0334");
  CHECK(t.result("add", {"f32[4]", "f32[4]"}, {{"scalar", whole(1)}}) == "E0334");
}
