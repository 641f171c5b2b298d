// Shape rules and costs of every operator, where they hold.
#include <algorithm>

#include "op_call.h"

using namespace irplan;
using namespace irplan::test;

namespace {}  // namespace

TEST_CASE("operators: the table is the language's, in its order") {
  std::string names;
  for (const OpRow& row : op_table()) names += std::string(row.name) + (row.fused ? "* " : " ");
  CHECK(names ==
        "embed positions linear dequant matmul rmsnorm layernorm rope append attention route expert add sub "
        "mul div silu gelu "
        "gelu_tanh sigmoid relu tanh exp sqrt neg softcap clamp cast softmax sum max argmax topk view "
        "transpose slice split concat "
        "output copy* pack* swiglu* geglu* add_rmsnorm* add_layernorm* ");
  CHECK(find_op("linear") == &op_table()[2]);
  CHECK(find_op("linaer") == nullptr);
  const auto callable = op_names();
  CHECK(std::find(callable.begin(), callable.end(), "swiglu") == callable.end());
  CHECK(std::find(callable.begin(), callable.end(), "concat") != callable.end());
}

TEST_CASE("operators: every row is whole") {
  for (const OpRow& row : op_table()) {
    INFO(row.name);
    CHECK(row.shape);
    CHECK(row.flops);
    CHECK(row.evaluate);
    CHECK(std::string(row.operand_text).size() > 0);
    CHECK(std::string(row.shape_text).size() > 0);
    CHECK(std::string(row.doc).size() > 0);
    for (const AttrSpec& spec : row.attributes)
      CHECK((spec.kind == AttrKind::Word) == (spec.choices != nullptr));
  }
}

TEST_CASE("operators: defaults are filled in") {
  const Attrs route(*find_op("route"));
  CHECK(route["k"].is_none());
  CHECK(route["score"].word() == "softmax");
  CHECK(route["norm"] == Attr(false));
  CHECK(route["scale"] == whole(1));
  CHECK(route["groups"].is_none());
  CHECK(Attrs(*find_op("linear"))["block"] == Bench::ints({128, 128}));
  CHECK(Attrs(*find_op("softmax"))["axis"] == whole(-1));
  CHECK(Attrs(*find_op("attention"))["causal"] == yes());
}

TEST_CASE("operators: attribute values compare by what they hold") {
  CHECK(Bench::ints({1, 2}) == Bench::ints({1, 2}));
  CHECK_FALSE(Bench::ints({1, 2}) == Bench::ints({1, 3}));
  CHECK_FALSE(whole(1) == real(1.0));
  CHECK(Attr::of(AttrRecord{{"a", whole(1)}}) == Attr::of(AttrRecord{{"a", whole(1)}}));
  CHECK_FALSE(Attr::of(AttrRecord{{"a", whole(1)}}) == Attr::of(AttrRecord{{"a", whole(2)}}));
  CHECK(find(AttrRecord{{"a", Attr()}}, "a") == nullptr);
}

TEST_CASE("operators: embed and positions") {
  Bench t;
  CHECK(t.result("embed", {"i32[B, S]", "bf16[128, D]"}) == "bf16[B, S, D]");
  CHECK(t.result("embed", {"i64[3]", "q8_0[128, 64]"}, {{"to", dtype(DType::BF16)}}) == "bf16[3, 64]");
  CHECK(t.result("positions", {}, {{"at", Attr(t.e("P"))}, {"shape", t.extents({"B", "S"})}}) == "i32[B, S]");
  const OpCall c = t.call("embed", {"i32[B, S]", "bf16[128, 64]"});
  CHECK(c.row.flops(c).text() == "0");
  CHECK(cost_bytes(c).text() == "260*B*S");
}

TEST_CASE("operators: linear, dequant, matmul") {
  Bench t;
  CHECK(t.result("linear", {"bf16[B, S, 64]", "bf16[32, 64]"}) == "bf16[B, S, 32]");
  CHECK(t.result("linear", {"bf16[B, S, 64]", "f32[32, 64]", "f16[32]"}, {{"to", dtype(DType::F32)}}) ==
        "f32[B, S, 32]");
  CHECK(t.result("linear", {"f16[B, S, H, 64]", "f16[H, 32, 64]"}) == "f16[B, S, H, 32]");
  CHECK(t.result("linear", {"bf16[5, 300]", "f8e4m3[200, 300]", "", "f32[2, 3]"}) == "bf16[5, 200]");
  CHECK(t.result("linear", {"bf16[5, 64]", "f8e4m3[96, 64]", "", "f32[3, 2]"},
                 {{"block", Bench::ints({32, 32})}}) == "bf16[5, 96]");
  CHECK(t.result("dequant", {"f8e4m3[2, 200, 300]", "f32[2, 2, 3]"}, {{"to", dtype(DType::BF16)}}) ==
        "bf16[2, 200, 300]");
  CHECK(t.result("dequant", {"mxfp4[8, 64]"}, {{"to", dtype(DType::F16)}}) == "f16[8, 64]");
  CHECK(t.result("dequant", {"f16[8, 64]"}) == "f16[8, 64]");
  CHECK(t.result("matmul", {"f32[B, 1, 3, 4]", "f32[7, 4, N]"}) == "f32[B, 7, 3, N]");
  CHECK(t.result("matmul", {"f32[3, 4]", "f32[4, N]"}, {{"to", dtype(DType::BF16)}}) == "bf16[3, N]");

  const OpCall c = t.call("linear", {"bf16[B, S, 64]", "q4_0[32, 64]"});
  CHECK(c.row.flops(c).text() == "4096*B*S");
  CHECK(cost_bytes(c).text() == "192*B*S + 1152");
  const OpCall m = t.call("matmul", {"f32[B, 3, K]", "f32[K, 5]"});
  CHECK(m.row.flops(m).text() == "30*B*K");
  CHECK(t.constraints(t.call("linear", {"f32[B, D]", "f32[32, 64]"})) == "D == 64");
}

TEST_CASE("operators: bytes of a block dtype with a symbolic last axis") {
  Bench t;
  const OpCall c = t.call("dequant", {"q8_0[N, K]"}, {{"to", dtype(DType::F16)}});
  CHECK(cost_bytes(c).text() == "2*K*N + 34*N*floordiv(K, 32)");
}

TEST_CASE("operators: norms") {
  Bench t;
  CHECK(t.result("rmsnorm", {"f16[1, S, D]", "f16[D]"}, {{"eps", real(1e-5)}}) == "f16[1, S, D]");
  CHECK(t.result("rmsnorm", {"f16[1, S, D]"}, {{"eps", whole(0)}}) == "f16[1, S, D]");
  CHECK(t.result("layernorm", {"f16[S, 8]", "", "f32[8]"}, {{"eps", real(1e-5)}}) == "f16[S, 8]");
  const OpCall c = t.call("rmsnorm", {"f16[1, S, D]", "f16[D]"}, {{"eps", real(1e-5)}});
  CHECK(c.row.flops(c).text() == "4*D*S");
  CHECK(cost_bytes(c).text() == "4*D*S + 2*D");
}

TEST_CASE("operators: rope narrows the last axis to what it turns") {
  Bench t;
  const OpCall c = t.call("rope", {"f16[1, S, D]"}, {{"base", whole(10000)}, {"dim", whole(64)}});
  REQUIRE(!c.fault);
  CHECK(t.constraints(c) == "64 <= D");
  CHECK(text(c.out[0]) == "f16[1, S, D]");
  CHECK(c.attrs["dim"].expr().text() == "64");
  CHECK(c.attrs["at"].expr().text() == "0");
  CHECK(c.row.flops(c).text() == "6*D*S");
  CHECK(cost_bytes(c).text() == "4*D*S");
  const OpCall whole_axis = t.call("rope", {"f16[1, S, 4, 32]"}, {{"base", whole(10000)}});
  CHECK(whole_axis.attrs["dim"].expr().text() == "32");
  CHECK(t.constraints(t.call("rope", {"f16[1, S, D]"}, {{"base", whole(10000)}})) == "mod(D, 2) == 0");
}

TEST_CASE("operators: append needs room in the state") {
  Bench t;
  t.range("P", {0, 127});
  t.range("S", {1, 16});
  const Named at = {{"at", Attr(t.e("P"))}};
  const OpCall c = t.call("append", {"bf16[B, 128, 2, 4]", "f32[B, S, 2, 4]"}, at);
  CHECK(text(c.out[0]) == "bf16[B, P + S, 2, 4]");
  CHECK(t.constraints(c) == "P + S <= 128");
  CHECK(cost_bytes(c).text() == "64*B*S");
  CHECK(t.result("append", {"q8_0[B, 128, 64]", "bf16[B, S, 64]"}, at) == "q8_0[B, P + S, 64]");
  t.ring_rows = t.dims->constant(31);
  const OpCall ring = t.call("append", {"bf16[B, 31, 2, 4]", "bf16[B, S, 2, 4]"}, at);
  CHECK(text(ring.out[0]) == "bf16[B, min(31, P + S), 2, 4]");
  CHECK(t.constraints(ring).empty());
}

TEST_CASE("operators: attention") {
  Bench t;
  const OpCall c = t.call("attention", {"bf16[B, S, 8, 64]", "bf16[B, N, 2, 64]", "bf16[B, N, 2, 32]"});
  REQUIRE(!c.fault);
  CHECK(text(c.out[0]) == "bf16[B, S, 8, 32]");
  CHECK(c.attrs["scale"].number() == 0.125);
  CHECK(c.row.flops(c).text() == "1536*B*N*S");
  CHECK(cost_bytes(c).text() == "384*B*N + 1536*B*S");
  const OpCall square =
      t.call("attention", {"f32[B, S, 8, 64]", "f32[B, S, 8, 64]", "f32[B, S, 8, 64]", "f32[8]"});
  CHECK(square.row.flops(square).text() == "1024*B*S*S");
  const OpCall full = t.call("attention", {"f32[B, S, 8, 64]", "f32[B, S, 8, 64]", "f32[B, S, 8, 64]"},
                             {{"causal", Attr(false)}});
  CHECK(full.row.flops(full).text() == "2048*B*S*S");
  const OpCall symbolic = t.call("attention", {"f32[B, S, H, K]", "f32[B, N, G, K]", "f32[B, N, G, K]"});
  CHECK(symbolic.attrs["scale"].is_none());
  CHECK(t.constraints(symbolic) == "mod(H, G) == 0");
}

TEST_CASE("operators: route and expert") {
  Bench t;
  CHECK(t.result("route", {"f32[B, S, 16]", "f32[16]"}, {{"k", whole(4)}}) == "f32[B, S, 4]  i32[B, S, 4]");
  CHECK(
      t.result("route", {"bf16[T, 16]"},
               {{"k", whole(4)}, {"groups", whole(4)}, {"group_k", whole(2)}, {"score", word("sigmoid")}}) ==
      "f32[T, 4]  i32[T, 4]");
  CHECK(t.result("expert", {"bf16[B, S, 64]", "bf16[16, 32, 64]", "i32[B, S, 4]"}) == "bf16[B, S, 4, 32]");
  CHECK(t.result("expert", {"bf16[B, S, 4, 64]", "mxfp4[16, 32, 64]", "i32[B, S, 4]", "bf16[16, 32]"},
                 {{"to", dtype(DType::F32)}}) == "f32[B, S, 4, 32]");
  CHECK(t.result("expert", {"bf16[T, 64]", "f8e4m3[16, 32, 64]", "i32[T, 4]", "", "f32[16, 1, 1]"}) ==
        "bf16[T, 4, 32]");
  const OpCall c = t.call("expert", {"bf16[T, 64]", "bf16[16, 32, 64]", "i32[T, 4]"});
  CHECK(c.row.flops(c).text() == "16384*T");
  CHECK(cost_bytes(c).text() == "384*T + 4096*min(16, 4*T)");
  const OpCall r = t.call("route", {"f32[T, 16]"}, {{"k", whole(4)}});
  CHECK(r.row.flops(r).text() == "144*T");
}

TEST_CASE("operators: elementwise") {
  Bench t;
  CHECK(t.result("add", {"bf16[B, S, 8]", "f32[8]"}) == "bf16[B, S, 8]");
  CHECK(t.result("mul", {"f32[8]", "bf16[B, 1, 8]"}) == "f32[B, 1, 8]");
  CHECK(t.result("sub", {"i32[B]", "i64[1]"}) == "i32[B]");
  CHECK(t.result("div", {"f32[B]"}, {{"scalar", real(2.5)}, {"scalar_first", yes()}}) == "f32[B]");
  CHECK(t.result("add", {"i32[B]"}, {{"scalar", whole(2)}}) == "i32[B]");
  CHECK(t.constraints(t.call("add", {"f32[B, S]", "f32[B, 4]"})) == "S == 4");
  CHECK(t.result("add", {"f32[B, S]", "f32[B, 4]"}) == "f32[B, 4]");
  const struct {
    const char* op;
    const char* flops;
  } costs[] = {{"silu", "5*S"}, {"gelu", "12*S"}, {"gelu_tanh", "12*S"}, {"sigmoid", "4*S"}, {"relu", "S"},
               {"tanh", "S"},   {"exp", "S"},     {"sqrt", "S"},         {"neg", "S"}};
  for (const auto& [op, flops] : costs) {
    INFO(op);
    const OpCall c = t.call(op, {"f16[S]"});
    CHECK(text(c.out[0]) == "f16[S]");
    CHECK(c.row.flops(c).text() == flops);
    CHECK(cost_bytes(c).text() == "4*S");
    CHECK(c.row.in_place);
  }
  CHECK(t.result("softcap", {"f16[S]"}, {{"cap", real(50)}}) == "f16[S]");
  CHECK(t.result("clamp", {"i32[S]"}, {{"hi", whole(7)}}) == "i32[S]");
  CHECK(t.result("cast", {"bool[S]"}, {{"to", dtype(DType::F32)}}) == "f32[S]");
  CHECK(t.result("cast", {"f32[S]"}, {{"to", dtype(DType::I32)}}) == "i32[S]");
  const OpCall capped = t.call("softcap", {"f16[S]"}, {{"cap", real(50)}});
  CHECK(capped.row.flops(capped).text() == "3*S");
}

TEST_CASE("operators: reductions") {
  Bench t;
  CHECK(t.result("softmax", {"bf16[B, S]"}, {{"axis", whole(0)}}) == "bf16[B, S]");
  CHECK(t.result("sum", {"bf16[B, S, 4]"}, {{"axis", whole(1)}}) == "bf16[B, 4]");
  CHECK(t.result("max", {"i32[B, S]"}, {{"keep", yes()}}) == "i32[B, 1]");
  CHECK(t.result("argmax", {"bf16[B, S]"}) == "i32[B]");
  CHECK(t.result("topk", {"bf16[B, 16]"}, {{"k", whole(3)}}) == "bf16[B, 3]  i32[B, 3]");
  CHECK(t.result("sum", {"f32[4]"}) == "f32[]");
}

TEST_CASE("operators: windows") {
  Bench t;
  CHECK(t.result("view", {"f16[B, S, 64]"}, {{"shape", t.extents({"B", "S", "4", "16"})}}) ==
        "f16[B, S, 4, 16]");
  const OpCall open = t.call("view", {"f16[B, S, 64]"}, {{"shape", t.extents({"B", "-1", "16"})}});
  CHECK(text(open.out[0]) == "f16[B, 4*S, 16]");
  CHECK(open.attrs["shape"] == t.extents({"B", "4*S", "16"}));
  CHECK(cost_bytes(open).text() == "0");
  CHECK(t.constraints(t.call("view", {"f16[S, 4]"}, {{"shape", t.extents({"8"})}})) == "4*S == 8");
  CHECK(t.result("transpose", {"f16[B, S, 4]"}, {{"perm", Bench::ints({0, -1, 1})}}) == "f16[B, 4, S]");
  CHECK(t.result("slice", {"f16[B, S, 4]"},
                 {{"axis", whole(1)}, {"start", Attr(t.e("S - 1"))}, {"len", whole(1)}}) == "f16[B, 1, 4]");
  CHECK(t.result("split", {"q8_0[B, 96]"}, {{"sizes", t.extents({"32", "64"})}}) ==
        "q8_0[B, 32]  q8_0[B, 64]");
  CHECK(t.result("split", {"f16[6, S]"}, {{"axis", whole(0)}, {"sizes", t.extents({"1", "2", "3"})}}) ==
        "f16[1, S]  f16[2, S]  f16[3, S]");
  CHECK(t.result("concat", {"f16[B, S, 1, 4]", "f32[B, S, 3, 8]"}) == "f16[B, S, 3, 12]");
  CHECK(t.result("concat", {"f16[2]", "f16[S]", "f16[1]"}) == "f16[S + 3]");
  CHECK(t.result("output", {"f16[B]"}) == "f16[B]");
  CHECK(t.result("copy", {"f16[B, 4]"}) == "f16[B, 4]");
}

TEST_CASE("operators: fusions cost what they do") {
  Bench t;
  const OpCall gated = t.call("swiglu", {"bf16[S, 8]", "bf16[S, 8]"});
  CHECK(text(gated.out[0]) == "bf16[S, 8]");
  CHECK(gated.row.flops(gated).text() == "48*S");
  CHECK(cost_bytes(gated).text() == "48*S");
  const OpCall norm = t.call("add_rmsnorm", {"bf16[S, 8]", "bf16[S, 8]", "bf16[8]"}, {{"eps", real(1e-6)}});
  CHECK(norm.out.size() == 2);
  CHECK(norm.row.flops(norm).text() == "40*S");
  CHECK(cost_bytes(norm).text() == "64*S + 16");
  const OpCall layer = t.call("add_layernorm", {"bf16[S, 8]", "bf16[S, 8]"}, {{"eps", real(1e-6)}});
  CHECK(layer.row.flops(layer).text() == "72*S");
  const OpCall geglu = t.call("geglu", {"bf16[S, 8]", "bf16[S, 8]"});
  CHECK(geglu.row.flops(geglu).text() == "104*S");
}
