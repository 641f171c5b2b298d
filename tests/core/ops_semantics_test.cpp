// What every operator computes, against numbers worked out by hand.
#include <cmath>

#include "op_call.h"
#include "ops/rope_table.h"

using namespace irplan;
using namespace irplan::test;

namespace {

std::vector<float> of_one(const char* op, std::vector<float> x, const Named& attrs = {}) {
  const HostArray a = floats({static_cast<int64_t>(x.size())}, x);
  return run(op, {&a}, attrs).out[0].f;
}

}  // namespace

TEST_CASE("semantics: embed") {
  const HostArray w = floats({3, 2}, {0, 1, 10, 11, 20, 21});
  const HostArray ids = ints({2, 2}, {2, 0, 1, 1});
  CHECK(run("embed", {&ids, &w}).out[0].f == std::vector<float>{20, 21, 0, 1, 10, 11, 10, 11});
  const HostArray wrong = ints({2}, {0, 3});
  CHECK(run("embed", {&wrong, &w}).error == "id 3 at place 1 of {0} is outside of the 3 rows of {1}");
}

TEST_CASE("semantics: positions take each row's own start") {
  Bench t;
  const Attr at = Attr(t.e("P"));
  const Numbers n = run("positions", {}, {{"at", at}, {"shape", t.extents({"2", "3"})}}, {7, 2}, &t);
  CHECK(n.out[0].i == std::vector<int64_t>{7, 8, 9, 2, 3, 4});
}

TEST_CASE("semantics: linear, dequant, matmul") {
  const HostArray x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const HostArray w = floats({2, 3}, {1, 0, -1, 2, 2, 2});
  const HostArray bias = floats({2}, {10, 20});
  CHECK(run("linear", {&x, &w}).out[0].f == std::vector<float>{-2, 12, -2, 30});
  CHECK(run("linear", {&x, &w, &bias}).out[0].f == std::vector<float>{8, 32, 8, 50});

  // Two heads, each with its own [1, 3] weight.
  const HostArray heads = floats({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const HostArray each = floats({2, 1, 3}, {1, 1, 1, 2, 0, 0});
  CHECK(run("linear", {&heads, &each}).out[0].f == std::vector<float>{6, 8});

  // Blocks of 2 x 2 of a [2, 3] weight: one block row, two block columns.
  const HostArray scale = floats({1, 2}, {2, 10});
  const Named block = {{"block", Bench::ints({2, 2})}};
  CHECK(run("linear", {&x, &w, nullptr, &scale}, block).out[0].f == std::vector<float>{-28, 72, -52, 156});
  CHECK(run("dequant", {&w, &scale}, block).out[0].f == std::vector<float>{2, 0, -10, 4, 4, 20});
  CHECK(run("dequant", {&w}).out[0].f == w.f);

  const HostArray b = floats({2, 3, 1}, {1, 1, 1, 0, 0, 2});
  CHECK(run("matmul", {&x, &b}).out[0].f == std::vector<float>{6, 15, 6, 12});
}

TEST_CASE("semantics: norms") {
  const HostArray x = floats({2, 2}, {3, 4, 0, 2});
  const HostArray w = floats({2}, {1, 10});
  const float r = 1 / std::sqrt(12.5f);
  CHECK(near(run("rmsnorm", {&x, &w}, {{"eps", whole(0)}}).out[0].f,
             {3 * r, 40 * r, 0, 2 / std::sqrt(2.0f) * 10}));
  CHECK(near(run("rmsnorm", {&x, &w}, {{"eps", whole(0)}, {"offset", whole(1)}}).out[0].f,
             {6 * r, 44 * r, 0, 2 / std::sqrt(2.0f) * 11}));
  CHECK(near(run("rmsnorm", {&x}, {{"eps", real(12.5)}, {"offset", whole(1)}}).out[0].f,
             {0.6f, 0.8f, 0, 2 / std::sqrt(14.5f)}));
  const HostArray b = floats({2}, {100, 200});
  CHECK(near(run("layernorm", {&x, &w, &b}, {{"eps", whole(0)}}).out[0].f, {99, 210, 99, 210}));
  CHECK(near(run("layernorm", {&x, nullptr, &b}, {{"eps", real(0.75)}}).out[0].f,
             {99.5f, 200.5f, 100 - 1 / std::sqrt(1.75f), 200 + 1 / std::sqrt(1.75f)}));
}

TEST_CASE("semantics: rope turns pairs where they lie") {
  const HostArray x = floats({1, 2, 5}, {1, 2, 3, 4, 5, 1, 2, 3, 4, 5});
  const float c0 = std::cos(1.0f), s0 = std::sin(1.0f), c1 = std::cos(0.1f), s1 = std::sin(0.1f);
  const Named attrs = {{"base", whole(100)}, {"dim", whole(4)}};
  // Row 0 stands at position 0 and stays; the fifth element passes through.
  CHECK(near(run("rope", {&x}, attrs).out[0].f,
             {1, 2, 3, 4, 5, 1 * c0 - 3 * s0, 2 * c1 - 4 * s1, 3 * c0 + 1 * s0, 4 * c1 + 2 * s1, 5}));
  Named pairs = attrs;
  pairs.push_back({"interleave", yes()});
  CHECK(near(run("rope", {&x}, pairs).out[0].f,
             {1, 2, 3, 4, 5, 1 * c0 - 2 * s0, 2 * c0 + 1 * s0, 3 * c1 - 4 * s1, 4 * c1 + 3 * s1, 5}));
}

TEST_CASE("semantics: rope takes each row's own position") {
  Bench t;
  const HostArray x = floats({2, 1, 2}, {1, 0, 1, 0});
  const Named attrs = {{"base", whole(100)}, {"at", Attr(t.e("P"))}};
  CHECK(near(run("rope", {&x}, attrs, {3, 8}, &t).out[0].f,
             {std::cos(3.0f), std::sin(3.0f), std::cos(8.0f), std::sin(8.0f)}));
}

TEST_CASE("semantics: rope tables") {
  const auto near_to = [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); };
  RopeTable plain = rope_table(10000, 8, nullptr);
  CHECK(near_to(plain.g[1], 0.1));
  CHECK(near_to(plain.g[3], 0.001));
  CHECK(plain.m == 1);

  const AttrRecord linear = {{"rope_type", word("linear")}, {"factor", real(8)}};
  CHECK(near_to(rope_table(10000, 8, &linear).g[2], 0.01 / 8));

  // Llama 3: wavelengths below 8192 / 4 stay, above 8192 / 1 are stretched, between they are mixed.
  const AttrRecord llama3 = {{"rope_type", word("llama3")},
                             {"factor", real(8)},
                             {"low_freq_factor", real(1)},
                             {"high_freq_factor", real(4)},
                             {"original_max_position_embeddings", whole(8192)}};
  const RopeTable l = rope_table(500000, 128, &llama3);
  CHECK(near_to(l.g[0], 1));
  CHECK(near_to(l.g[63], std::pow(500000, -126.0 / 128) / 8));
  const double f = std::pow(500000, -64.0 / 128), a = (8192 * f / (2 * 3.14159265358979323846) - 1) / 3;
  REQUIRE((a > 0 && a < 1));
  CHECK(near_to(l.g[32], f * (a + (1 - a) / 8)));

  // yarn, d = 64, base 10000, n = 32: D(32) < 0 so lo = 0; D(1) = 64 ln(32 / 2 pi) / (2 ln 10000) = 5.66, so
  // hi = 6.
  const AttrRecord yarn = {
      {"rope_type", word("yarn")}, {"factor", real(4)}, {"original_max_position_embeddings", whole(32)}};
  const RopeTable y = rope_table(10000, 64, &yarn);
  CHECK(near_to(y.m, 0.1 * std::log(4.0) + 1));
  CHECK(near_to(y.g[0], 1));
  CHECK(near_to(y.g[3], std::pow(10000, -6.0 / 64) * (0.5 + 0.5 / 4)));
  CHECK(near_to(y.g[6], std::pow(10000, -12.0 / 64) / 4));
  AttrRecord exact = yarn;
  exact.push_back({"truncate", Attr(false)});
  const double hi = 64 * std::log(32 / (2 * 3.14159265358979323846)) / (2 * std::log(10000.0));
  CHECK(near_to(rope_table(10000, 64, &exact).g[3], std::pow(10000, -6.0 / 64) * (1 - 3 / hi + 3 / hi / 4)));
  AttrRecord scaled = yarn;
  scaled.push_back({"mscale", real(1)});
  scaled.push_back({"mscale_all_dim", real(0.5)});
  CHECK(near_to(rope_table(10000, 64, &scaled).m, (0.1 * std::log(4.0) + 1) / (0.05 * std::log(4.0) + 1)));
  scaled.push_back({"attention_factor", real(1.25)});
  CHECK(rope_table(10000, 64, &scaled).m == 1.25f);

  AttrRecord longrope = {{"type", word("su")},
                         {"original_max_position_embeddings", whole(32)},
                         {"length", whole(32)},
                         {"factor", real(4)},
                         {"short_factor", Bench::numbers({2, 4})},
                         {"long_factor", Bench::numbers({8, 16})}};
  CHECK(near_to(rope_table(100, 4, &longrope).g[1], 0.1 / 4));
  CHECK(near_to(rope_table(100, 4, &longrope).m, std::sqrt(1 + std::log(4.0) / std::log(32.0))));
  longrope[2].second = whole(33);
  CHECK(near_to(rope_table(100, 4, &longrope).g[1], 0.1 / 16));
}

TEST_CASE("semantics: append gives the filled prefix") {
  Bench t;
  const HostArray state = floats({2, 4, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
  const HostArray x = floats({2, 1, 1}, {10, 20});
  t.range("P", {0, 3});
  const Numbers n = run("append", {&state, &x}, {{"at", Attr(t.e("P"))}}, {1, 3}, &t);
  CHECK(n.out[0].shape == std::vector<int64_t>{2, 4, 1});
  CHECK(n.out[0].f == std::vector<float>{1, 10, 0, 0, 5, 6, 7, 20});
}

TEST_CASE("semantics: attention") {
  // One head, two queries, three keys; scale 1. Keys of query 0 are 0 and 1, of query 1 all.
  const HostArray q = floats({1, 2, 1, 1}, {1, 2});
  const HostArray k = floats({1, 3, 1, 1}, {0, 1, 2});
  const HostArray v = floats({1, 3, 1, 2}, {1, 0, 0, 1, 5, 5});
  const Named one = {{"scale", whole(1)}};
  const auto e = [](double x) { return std::exp(x); };
  const double a = 1 + e(1), b = 1 + e(2) + e(4);
  CHECK(near(run("attention", {&q, &k, &v}, one).out[0].f,
             {float(1 / a), float(e(1) / a), float((1 + 5 * e(4)) / b), float((e(2) + 5 * e(4)) / b)}));
  // A window of one key: each sees only its own.
  Named window = one;
  window.push_back({"window", whole(1)});
  CHECK(near(run("attention", {&q, &k, &v}, window).out[0].f, {0, 1, 5, 5}));
  // Not causal: both see all.
  Named full = one;
  full.push_back({"causal", Attr(false)});
  const double c = 1 + e(1) + e(2);
  CHECK(near(run("attention", {&q, &k, &v}, full).out[0].f,
             {float((1 + 5 * e(2)) / c), float((e(1) + 5 * e(2)) / c), float((1 + 5 * e(4)) / b),
              float((e(2) + 5 * e(4)) / b)}));
  // A sink takes weight and gives nothing.
  const HostArray sink = floats({1}, {2});
  CHECK(near(
      run("attention", {&q, &k, &v, &sink}, window).out[0].f,
      {0, float(e(1) / (e(1) + e(2))), float(5 * e(4) / (e(4) + e(2))), float(5 * e(4) / (e(4) + e(2)))}));
  // The cap is put on scores.
  Named cap = one;
  cap.push_back({"softcap", real(0.5)});
  const double z = 0.5 * std::tanh(2.0), d = 1 + e(z);
  CHECK(near({run("attention", {&q, &k, &v}, cap).out[0].f[0]}, {float(1 / d)}));
}

TEST_CASE("semantics: attention's heads share key heads, and its scale is K^-0.5") {
  const HostArray q = floats({1, 1, 4, 4}, std::vector<float>(16, 1));
  const HostArray k = floats({1, 2, 2, 4}, {1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
  const HostArray v = floats({1, 2, 2, 1}, {1, 10, 2, 20});
  const double big = std::exp(2.0);  // 4 / sqrt(4)
  const float first = float((big + 2) / (big + 1)), second = float((10 + 20 * big) / (big + 1));
  CHECK(near(run("attention", {&q, &k, &v}).out[0].f, {first, first, second, second}));
}

TEST_CASE("semantics: attention sees in each row its own keys") {
  Bench t;
  const HostArray q = floats({2, 1, 1, 1}, {0, 0});
  const HostArray k = floats({2, 4, 1, 1}, std::vector<float>(8, 0));
  const HostArray v = floats({2, 4, 1, 1}, {1, 2, 99, 99, 1, 2, 3, 6});
  std::vector<HostArray> out = {floats({2, 1, 1, 1}, {0, 0})};
  const OpCall call = t.call("attention", {"f32[2, 1, 1, 1]", "f32[2, P + 1, 1, 1]", "f32[2, P + 1, 1, 1]"});
  REQUIRE(!call.fault);
  const std::vector<int64_t> rows = {1, 3};
  std::vector<const TensorType*> types;
  for (const auto& operand : call.in) types.push_back(&*operand);
  HostCall host{
      call.row,
      call.attrs,
      {&q, &k, &v},
      out,
      [&](Expr e, int64_t b) { return *evaluate(e, Binding(1, b < 0 ? 3 : rows[static_cast<size_t>(b)])); },
      types,
      {}};
  call.row.evaluate(host);
  CHECK(out[0].f == std::vector<float>{1.5f, 3.0f});
}

TEST_CASE("semantics: a query that sees no key has no value") {
  const HostArray q = floats({1, 2, 1, 1}, {1, 1});
  const HostArray k = floats({1, 1, 1, 1}, {1});
  const HostArray v = floats({1, 1, 1, 1}, {7});
  CHECK(run("attention", {&q, &k, &v}).out[0].f == std::vector<float>{0, 7});
}

TEST_CASE("semantics: route") {
  const HostArray z = floats({1, 4}, {0, std::log(2.0f), std::log(4.0f), 0});
  const Numbers soft = run("route", {&z}, {{"k", whole(2)}});
  CHECK(soft.out[1].i == std::vector<int64_t>{2, 1});
  CHECK(near(soft.out[0].f, {0.5f, 0.25f}));
  CHECK(near(run("route", {&z}, {{"k", whole(2)}, {"norm", yes()}, {"scale", whole(3)}}).out[0].f, {2, 1}));
  CHECK(near(run("route", {&z}, {{"k", whole(2)}, {"score", word("topk_softmax")}}).out[0].f,
             {2.0f / 3, 1.0f / 3}));
  // Ties go to the lowest.
  CHECK(run("route", {&z}, {{"k", whole(4)}}).out[1].i == std::vector<int64_t>{2, 1, 0, 3});
  // sigmoid: 0.5, 2/3, 0.8, 0.5. The bias chooses, the weights are without it.
  const HostArray bias = floats({4}, {1, 0, 0, 0});
  const Numbers biased = run("route", {&z, &bias}, {{"k", whole(2)}, {"score", word("sigmoid")}});
  CHECK(biased.out[1].i == std::vector<int64_t>{0, 2});
  CHECK(near(biased.out[0].f, {0.5f, 0.8f}));
}

TEST_CASE("semantics: route keeps the best groups, by the sum of their best two") {
  // Groups (a, b): 0.9 + 0.1 = 1.0, 0.6 + 0.5 = 1.1. The second wins although the first has the best expert.
  const auto logit = [](float s) { return std::log(s / (1 - s)); };
  const HostArray z = floats({1, 4}, {logit(0.9f), logit(0.1f), logit(0.6f), logit(0.5f)});
  const Named attrs = {{"k", whole(2)},
                       {"score", word("sigmoid")},
                       {"groups", whole(2)},
                       {"group_k", whole(1)},
                       {"norm", yes()}};
  const Numbers n = run("route", {&z}, attrs);
  CHECK(n.out[1].i == std::vector<int64_t>{2, 3});
  CHECK(near(n.out[0].f, {0.6f / 1.1f, 0.5f / 1.1f}));
  // Choice scores below zero still win over masked experts, which are at minus infinity.
  const HostArray bias = floats({4}, {-9, -9, -2, -2});
  CHECK(run("route", {&z, &bias}, attrs).out[1].i == std::vector<int64_t>{2, 3});
}

TEST_CASE("semantics: expert") {
  const HostArray x = floats({2, 2}, {1, 2, 3, 4});
  const HostArray w = floats({3, 1, 2}, {1, 0, 0, 1, 10, 10});
  const HostArray e = ints({2, 2}, {0, 2, 1, 1});
  const HostArray bias = floats({3, 1}, {100, 200, 300});
  CHECK(run("expert", {&x, &w, &e}).out[0].f == std::vector<float>{1, 30, 4, 4});
  CHECK(run("expert", {&x, &w, &e, &bias}).out[0].f == std::vector<float>{101, 330, 204, 204});
  const HostArray each = floats({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run("expert", {&each, &w, &e}).out[0].f == std::vector<float>{1, 70, 6, 8});
  const HostArray scale = floats({3, 1, 1}, {2, 3, 4});
  CHECK(run("expert", {&x, &w, &e, nullptr, &scale}).out[0].f == std::vector<float>{2, 120, 12, 12});
  const HostArray wrong = ints({2, 2}, {0, 2, -1, 1});
  CHECK(run("expert", {&x, &w, &wrong}).error == "expert -1 at place 2 of {2} is none of the 3 of {1}");
}

TEST_CASE("semantics: add, sub, mul, div") {
  const HostArray a = floats({2, 2}, {1, 2, 3, 4});
  const HostArray b = floats({2, 1}, {10, 20});
  CHECK(run("add", {&a, &b}).out[0].f == std::vector<float>{11, 12, 23, 24});
  CHECK(run("sub", {&b, &a}).out[0].f == std::vector<float>{9, 8, 17, 16});
  CHECK(run("mul", {&a, &b}).out[0].f == std::vector<float>{10, 20, 60, 80});
  CHECK(run("div", {&b, &a}).out[0].f == std::vector<float>{10, 5, 20.0f / 3, 5});
  CHECK(of_one("sub", {1, 2}, {{"scalar", real(0.5)}}) == std::vector<float>{0.5f, 1.5f});
  CHECK(of_one("sub", {1, 2}, {{"scalar", real(0.5)}, {"scalar_first", yes()}}) ==
        std::vector<float>{-0.5f, -1.5f});
  CHECK(of_one("div", {1, 2}, {{"scalar", whole(4)}, {"scalar_first", yes()}}) == std::vector<float>{4, 2});
  const HostArray n = ints({4}, {7, -7, INT64_MIN, 5});
  const HostArray m = ints({4}, {2, 2, -1, 0});
  CHECK(run("div", {&n, &m}).out[0].i == std::vector<int64_t>{3, -3, INT64_MIN, 0});
  CHECK(run("mul", {&n}, {{"scalar", whole(2)}}).out[0].i == std::vector<int64_t>{14, -14, 0, 10});
}

TEST_CASE("semantics: functions of one number") {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(near(of_one("silu", {0, 1, -2}), {0, float(sigmoid(1)), float(-2 * sigmoid(-2))}));
  CHECK(near(of_one("gelu", {0, 1, -1}), {0, 0.8413447f, -0.1586553f}));
  CHECK(near(of_one("gelu_tanh", {0, 1, -1}), {0, 0.8411920f, -0.1588080f}));
  CHECK(near(of_one("sigmoid", {0, 1, -200}), {0.5f, float(sigmoid(1)), 0}));
  CHECK(of_one("relu", {-1, 0, 2}) == std::vector<float>{0, 0, 2});
  CHECK(near(of_one("tanh", {0.5f}), {0.4621172f}));
  CHECK(near(of_one("exp", {1}), {2.7182818f}));
  CHECK(of_one("sqrt", {9}) == std::vector<float>{3});
  CHECK(of_one("neg", {9, -0.5f}) == std::vector<float>{-9, 0.5f});
  CHECK(near(of_one("softcap", {1, 1000}, {{"cap", whole(30)}}), {30 * std::tanh(1.0f / 30), 30}));
  CHECK(of_one("clamp", {-3, 0, 3}, {{"lo", whole(-1)}, {"hi", real(2.5)}}) ==
        std::vector<float>{-1, 0, 2.5f});
  CHECK(of_one("clamp", {-3, 0, 3}, {{"hi", whole(1)}}) == std::vector<float>{-3, 0, 1});
  CHECK(std::isnan(of_one("relu", {NAN})[0]));
}

TEST_CASE("semantics: cast") {
  const HostArray x = floats({4}, {1.9f, -1.9f, 0.2f, 0});
  CHECK(run("cast", {&x}, {{"to", Attr(DType::I32)}}).out[0].i == std::vector<int64_t>{1, -1, 0, 0});
  CHECK(run("cast", {&x}, {{"to", Attr(DType::Bool)}}).out[0].i == std::vector<int64_t>{1, 1, 1, 0});
  const HostArray n = ints({2}, {3, -4});
  CHECK(run("cast", {&n}, {{"to", Attr(DType::F16)}}).out[0].f == std::vector<float>{3, -4});
}

TEST_CASE("semantics: reductions") {
  const HostArray x = floats({2, 3}, {1, 5, 5, -1, -2, -3});
  CHECK(run("sum", {&x}).out[0].f == std::vector<float>{11, -6});
  CHECK(run("sum", {&x}, {{"axis", whole(0)}, {"keep", yes()}}).out[0].f == std::vector<float>{0, 3, 2});
  CHECK(run("max", {&x}).out[0].f == std::vector<float>{5, -1});
  CHECK(run("argmax", {&x}).out[0].i == std::vector<int64_t>{1, 0});
  CHECK(run("argmax", {&x}, {{"axis", whole(-2)}}).out[0].i == std::vector<int64_t>{0, 0, 0});
  const Numbers top = run("topk", {&x}, {{"k", whole(2)}});
  CHECK(top.out[0].f == std::vector<float>{5, 5, -1, -2});
  CHECK(top.out[1].i == std::vector<int64_t>{1, 2, 0, 1});
  const HostArray odd = floats({4}, {1, NAN, 3, NAN});
  CHECK(run("topk", {&odd}, {{"k", whole(3)}}).out[1].i == std::vector<int64_t>{1, 3, 2});
  const double t = std::exp(-4.0) + 2;
  CHECK(near(run("softmax", {&x}).out[0].f,
             {float(std::exp(-4.0) / t), float(1 / t), float(1 / t), 0.66524096f, 0.24472847f, 0.09003057f}));
  CHECK(near(run("softmax", {&x}, {{"axis", whole(0)}}).out[0].f,
             {0.8807971f, 0.9990889f, 0.9996647f, 0.1192029f, 0.0009111f, 0.0003354f}));
  const HostArray n = ints({3}, {4, -9, 6});
  CHECK(run("sum", {&n}).out[0].i == std::vector<int64_t>{1});
  CHECK(run("max", {&n}).out[0].i == std::vector<int64_t>{6});
}

TEST_CASE("semantics: windows and concat") {
  Bench t;
  const HostArray x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run("view", {&x}, {{"shape", t.extents({"3", "2"})}}, {}, &t).out[0].f == x.f);
  CHECK(run("transpose", {&x}, {{"perm", Bench::ints({1, 0})}}).out[0].f ==
        std::vector<float>{1, 4, 2, 5, 3, 6});
  const HostArray cube = floats({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run("transpose", {&cube}, {{"perm", Bench::ints({2, 0, 1})}}).out[0].f ==
        std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(run("slice", {&x}, {{"axis", whole(1)}, {"start", whole(1)}, {"len", whole(2)}}).out[0].f ==
        std::vector<float>{2, 3, 5, 6});
  const Numbers parts = run("split", {&x}, {{"sizes", Bench::ints({1, 2})}});
  CHECK(parts.out[0].f == std::vector<float>{1, 4});
  CHECK(parts.out[1].f == std::vector<float>{2, 3, 5, 6});
  const HostArray one = floats({1, 1}, {9});
  CHECK(run("concat", {&x, &one}).out[0].f == std::vector<float>{1, 2, 3, 9, 4, 5, 6, 9});
  const HostArray row = floats({1, 3}, {7, 8, 9});
  CHECK(run("concat", {&row, &x}, {{"axis", whole(0)}}).out[0].f ==
        std::vector<float>{7, 8, 9, 1, 2, 3, 4, 5, 6});
  const HostArray n = ints({2}, {1, 2});
  CHECK(run("concat", {&n, &n}).out[0].i == std::vector<int64_t>{1, 2, 1, 2});
  CHECK(run("copy", {&x}).out[0].f == x.f);
}

TEST_CASE("semantics: fusions give what their parts give") {
  const HostArray g = floats({1, 2}, {1, -2});
  const HostArray u = floats({1, 2}, {3, 5});
  const std::vector<float> s = of_one("silu", g.f), h = of_one("gelu_tanh", g.f);
  CHECK(run("swiglu", {&g, &u}).out[0].f == std::vector<float>{s[0] * 3, s[1] * 5});
  CHECK(run("geglu", {&g, &u}).out[0].f == std::vector<float>{h[0] * 3, h[1] * 5});
  const HostArray w = floats({2}, {2, 3});
  const Named attrs = {{"eps", real(0.5)}, {"offset", whole(1)}};
  const Numbers fused = run("add_rmsnorm", {&g, &u, &w}, attrs);
  const Numbers sum = run("add", {&g, &u});
  CHECK(fused.out[0].f == sum.out[0].f);
  CHECK(fused.out[1].f == run("rmsnorm", {&sum.out[0], &w}, attrs).out[0].f);
  const Numbers layer = run("add_layernorm", {&g, &u, &w, &w}, {{"eps", real(0.5)}});
  CHECK(layer.out[1].f == run("layernorm", {&sum.out[0], &w, &w}, {{"eps", real(0.5)}}).out[0].f);
}
