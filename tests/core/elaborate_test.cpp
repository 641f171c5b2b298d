// Elaboration: every diagnostic about names, config and budgets is provoked, and ids are what the language
// reference says.
#include <algorithm>

#include "catch.h"
#include "ir/graph.h"
#include "irplan/compile.h"
#include "plan/plan.h"

using namespace irplan;

namespace {

struct Bad {
  const char* code;
  std::string program;
  const char* said;  // part of the rendered diagnostic
  const char* config = nullptr;
  std::vector<std::pair<std::string, std::string>> lets = {};
  std::vector<std::pair<std::string, int64_t>> dims = {};
  const char* target = "cuda:sm_90";
};

Compilation compiled(const std::string& program, const char* config = nullptr) {
  CompileOptions options;
  if (config) options.config = config;
  return compile(SourceText("test.irplan", program), options);
}

std::string doubling() {
  std::string out = "let a0 = \"x\"\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = std::to_string(i - 1);
    out += "let a" + std::to_string(i) + " = \"{a" + before + "}{a" + before + "}\"\n";
  }
  return out + "w = param f16[4] from \"{a59}\"\nout = output(silu(w))\n";
}

std::string many_ops() {
  return "input h: f32[4]\nfor i in 1000 with h {\n for j in 1000 with h {\n  h = silu(h)\n }\n}\nout = "
         "output(h)\n";
}

std::string chain_of_calls(int depth) {
  std::string out = "fn f0(x) { return silu(x) }\n";
  for (int i = 1; i <= depth; ++i)
    out += "fn f" + std::to_string(i) + "(x) { return f" + std::to_string(i - 1) + "(x) }\n";
  return out + "input x: f32[4]\nout = output(f" + std::to_string(depth) + "(x))\n";
}

std::string many_steps() {
  std::string out = "fn f0(x) { return x + 1 }\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string f = "f" + std::to_string(i - 1);
    out += "fn f" + std::to_string(i) + "(x) { return " + f + "(" + f + "(x)) }\n";
  }
  return out + "let a = f40(1)\ninput x: f32[4]\nout = output(silu(x))\n";
}

// Each line's expression is twice as long as the one before.
std::string sprawling() {
  std::string out = "input x: f32[S, T]\nlet a0 = min(S, T)\n";
  for (int i = 0; i < 60; ++i) {
    const std::string a = "a" + std::to_string(i);
    out += "let a" + std::to_string(i + 1) + " = min(" + a + ", max(" + a + " + S, T)) + " + a + "\n";
  }
  return out + "out = output(silu(x))\n";
}

std::string repeated(int count, const std::string& begin, const std::string& end) {
  std::string out;
  for (int i = 0; i < count; ++i) out += begin + std::to_string(i) + end;
  return out;
}

const std::string kIn = "input x: f32[2, S, 8]\n";

const std::vector<Bad>& bad_programs() {
  static const std::vector<Bad> kBad = {
      {"E0201", kIn + "out = output(silu(xx))\n", "did you mean `x`"},
      {"E0202", "fn f(a) { return a }\n" + kIn + "out = output(silu(f))\n", "`f` is a function"},
      {"E0203", "input x: x[2, 8]\nout = output(silu(x))\n", "it is bound only here"},
      {"E0203", kIn + "y = silu(x * b)\nlet b = 3\nout = output(y)\n", "bound only here"},
      {"E0204", kIn + "y = silu(x)\ny = silu(y)\nout = output(y)\n", "bound here first"},
      {"E0204", kIn + "y = silu(x)\nfor i in 2 {\n  y = silu(x)\n}\nout = output(y)\n", "with y"},
      {"E0205", "let D = config.hidden_size\ninput x: f32[D]\nout = output(silu(x))\n", "--config"},
      {"E0206", "dim S in 9..3\n" + kIn + "out = output(silu(x))\n", "9..3"},
      {"E0207",
       "dim S in 1..(phase == \"a\" ? 4 : 8)\nphase a { }\nphase b { }\n" + kIn + "out = output(silu(x))\n",
       "`S`"},
      {"E0208", "dim S in 1..4\ndim P[Q] in 0..4\n" + kIn + "out = output(rope(x, base=10, at=P))\n", "`Q`"},
      {"E0209", "dim S in 1..4\nphase a { T = 1 }\n" + kIn + "out = output(silu(x))\n", "`T`"},
      {"E0210", "dim S in 1..4\nphase a { S = 9 }\n" + kIn + "out = output(silu(x))\n", "declared 1..4"},
      {"E0211", kIn + "budget memory\nout = output(silu(x))\n", "budget memory <= 24GiB"},
      {"E0203", "let a = b\nlet b = a\n" + kIn + "out = output(x * b)\n", "used before"},
      {"E0212",
       "dim B in 1..4\nphase a { B in 1..2 }\nphase b { }\ninput x: f32[B, 2, 8]\n"
       "out = output(append(state f32[B, 8, 8] from \"k\", x, at=0))\n",
       "here B in 1..2 in phase a"},
      {"E0212",
       "dim S in 1..4\nphase a { S = 1 }\nphase b { S in 1..4 }\ninput x: f32[2, S, 8]\n"
       "out = output(rmsnorm(x, param f32[S * 8] from \"w\", eps=1))\n",
       "here S = 1 in phase a"},
      {"E0213", kIn + "let n = 9223372036854775807 + 1\nout = output(silu(x))\n", "64 bits"},
      {"E0110", kIn + "for i in \"three\" {\n}\nout = output(silu(x))\n", "a string"},
      {"E0227", "let D = config.hidden_size / 2\ninput x: f32[D]\nout = output(silu(x))\n",
       "`config.hidden_size` is \"big\"", "{\"hidden_size\": \"big\"}"},
      {"E0215", "let D = config.hidden_sise\ninput x: f32[D]\nout = output(silu(x))\n", "config.hidden_size",
       "{\"hidden_size\": 8}"},
      {"E0215", "let r = {a: 1}\nlet n = r.b\n" + kIn + "out = output(x * n)\n", "r.b"},
      {"E0216", kIn + "y = silu(x)\nlet n = y + 1\nout = output(y)\n", "compile-time"},
      {"E0217", kIn + "return x\nout = output(silu(x))\n", "`return`"},
      {"E0218", repeated(17, "phase p", " { }\n") + kIn + "out = output(silu(x))\n", "more than 16 phases"},
      {"E0221", "phase load { }\n" + kIn + "out = output(silu(x))\n", "`load`"},
      {"E0219", "irplan 7\n" + kIn + "out = output(silu(x))\n", "version 1"},
      {"E0220",
       "let chunk = 4\n" + kIn + "out = output(silu(x))\n",
       "--let chunk",
       nullptr,
       {{"chunks", "5"}}},
      {"E0112",
       "let chunk = 4\n" + kIn + "out = output(silu(x))\n",
       "command line:1:16",
       nullptr,
       {{"chunk", "5 +"}}},
      {"E0222", many_steps(), "steps"},
      {"E0223", "let a = 3\nlet b = a.c\n" + kIn + "out = output(x * b)\n", "only records"},
      {"E0224", "let a = [1, 2]\nlet b = a[\"k\"]\n" + kIn + "out = output(x * b)\n",
       "a list takes an integer"},
      {"E0225",
       "input x: i32[4]\nw = state f32[4, 8, 2] from \"a.{*}\"\ny = param f32[4, 2] from \"w\"\nout = "
       "output(embed(x, y))\n",
       "stacks"},
      {"E0226", doubling(), "bytes"},
      {"E0227", "let a = \"s\" - 1\n" + kIn + "out = output(silu(x))\n", "a string and an integer"},
      {"E0228", kIn + "if S == 4 {\n}\nout = output(silu(x))\n", "only known when the program runs"},
      {"E0229", "let a = 4 // 0\n" + kIn + "out = output(silu(x))\n", "zero"},
      {"E0230", "let a = 4 // (0 - 2)\n" + kIn + "out = output(silu(x))\n", "-2"},
      {"E0231", "let K = config.d / config.h\n" + kIn + "out = output(silu(x))\n", "`config.h` is 3",
       "{\"d\": 64, \"h\": 3}"},
      {"E0232", "require config.act == \"silu\", \"only silu\"\n" + kIn + "out = output(silu(x))\n",
       "\"gelu\"", "{\"act\": \"gelu\"}"},
      {"E0233", "input x: f32[2, 8]\na, b = split(x, sizes=[2, 2, 4])\nout = output(a)\n", "2 names for 3"},
      {"E0234", kIn + "out = silu(output(x))\n", "statement of its own"},
      {"E0235", kIn + "for i in 0 - 3 {\n}\nout = output(silu(x))\n", "-3"},
      {"E0236", kIn + "for i in 1000000000 {\n}\nout = output(silu(x))\n", "1000000000"},
      {"E0237", "fn f(a) { return f(a) }\n" + kIn + "out = output(f(x))\n", "calls itself"},
      {"E0238", kIn + "out = output(rmsnom(x, eps=1))\n", "rmsnorm"},
      {"E0239", kIn + "out = output(rmsnorm(x, epsilon=1))\n", "epsilon"},
      {"E0227", "fn f(a) { return a }\n" + kIn + "out = output(f(x, x))\n", "takes 1"},
      {"E0241", "let a = log(0)\n" + kIn + "out = output(silu(x))\n", "`log` of 0"},
      {"E0242", chain_of_calls(200), "nested"},
      {"E0243", kIn + "out = output(rmsnorm(x, eps=1, eps=2))\n", "twice"},
      {"E0244", "fn f(a, b) { return a }\n" + kIn + "out = output(f(x))\n", "`b`"},
      {"E0245", "fn f(a) { y = silu(a) }\n" + kIn + "out = output(f(x))\n", "without `return`"},
      {"E0246", "fn f(a) { return a, 3 }\n" + kIn + "p, q = f(x)\nout = output(p)\n", "an integer"},
      {"E0247", "input x: f32[2, 8]\nout = output(silu(split(x, sizes=[4, 4])))\n", "2 tensors"},
      {"E0302", kIn + "out = output(linear(x))\n", "`w`"},
      {"E0304", kIn + "out = output(rmsnorm(x))\n", "eps="},
      {"E0250", kIn + "out = output(rmsnorm(x, eps=none))\n", "none"},
      {"E0251", kIn + "out = output(rmsnorm(x, eps=\"small\"))\n", "a number"},
      {"E0252", many_ops(), "ops"},
      {"E0253",
       "dim S in 1..4\ninput x: f32[2, S, 1, 8]\nlet c = 9\nfn s() { return state f32[2, c, 1, 8] from \"k\" "
       "}\na = append(s(), x, at=0)\n"
       "b = append(s(), x, at=0)\nout = output(b)\n",
       "twice"},
      {"E0254",
       "dim S in 1..4\ninput x: f32[2, S, 1, 8]\nk = state f32[2, 9, 1, 8]\na = append(k, x, at=0)\nout = "
       "output(silu(k))\n",
       "appended to here"},
      {"E0254",
       "input x: f32[2, 1, 8]\nk = state f32[2, 9, 8]\nu = view(slice(k, axis=1, start=0, len=1), shape=[2, "
       "8])\n"
       "a = append(k, x, at=0)\nout = output(silu(u))\n",
       "appended to here"},
      {"E0254",
       "input x: f32[2, 1, 8]\nk = state f32[2, 9, 8]\nout = output(slice(k, axis=1, start=0, len=1))\n"
       "a = append(k, x, at=0)\n",
       "appended to here"},
      {"E0255", "let W = config.t\ninput x: W[4]\nout = output(silu(x))\n", "`config.t`",
       "{\"t\": \"float7\"}"},
      {"E0256", "input x: f32[1, 1, 1, 1, 1, 1, 1, 1, 1]\nout = output(silu(x))\n", "9 axes"},
      {"E0257", "input x: f32[0 - 4]\nout = output(silu(x))\n", "`-4`"},
      {"E0258", "input x: f32[2, 33]\nw = param q8_0[4, 33]\nout = output(linear(x, w))\n", "multiple of 32"},
      {"E0259", kIn + "w = param f32[8] from \"\"\nout = output(rmsnorm(x, w, eps=1))\n", "empty"},
      {"E0260", kIn + "out = output(rmsnorm(x, param f32[8], eps=1))\n", "from \"layers.{i}.weight\""},
      {"E0261", "k = state f32[8]\n" + kIn + "out = output(silu(x))\n", "f32[8]"},
      {"E0262", "input x: i32[2, N]\nw = param f32[N, 8] from \"e.{*}\"\nout = output(embed(x, w))\n",
       "stacked"},
      {"E0263",
       kIn + "a = param f32[8] from \"w\"\nb = param f16[8] from \"w\"\nout = output(rmsnorm(x, a, eps=1) * "
             "b)\n",
       "f16[8]"},
      {"E0263",
       "dim B in 1..4\nphase a { B = 1 }\nphase b { B = 2 }\ninput x: f32[B, 2, 8]\n"
       "out = output(append(state f32[B, 8, 8] from \"k\", x, at=0))\n",
       "here B = 1 in phase a, B = 2 in phase b"},
      {"E0264", kIn + "out = output(silu(x))\n", "config.json", "{\"a\": "},
      {"E0264", kIn + "out = output(silu(x))\n", "not a JSON object", "[1]"},
      {"E0270", repeated(1100, "dim S", " in 1..4\n") + kIn + "out = output(silu(x))\n", "1024 dims"},
      {"E0271", sprawling(), "64 functions"},
      {"E0275",
       "dim S in 1..8\ndim P in 0..9\ninput x: f32[1, S, 1, 8]\nb = param f32[S, 1, 8]\n"
       "out = output(append(state f32[1, 32, 1, 8] from \"k\", x + b, at=P))\n",
       "weights and states are laid out once"},
      {"E0275",
       "dim S in 1..8\ndim P in 0..9\ninput t: i32[1, S]\ne = embed(t, param f32[P + 32, 8] from \"e\")\n"
       "out = output(append(state f32[1, 32, 8] from \"k\", e, at=P))\n",
       "`e` depends on `P`"},
      {"E0275",
       "dim S in 1..8\ndim P in 0..9\ninput x: f32[1, S, 8]\n"
       "out = output(append(state f32[1, S + 32, 8] from \"k\", x, at=P))\n",
       "`k` depends on `S`"},
      {"E0275",
       "dim B in 1..4\ndim P in 0..9\ninput x: f32[B, 1, 8]\n"
       "k = output(append(state f32[B, 32, 8] from \"k\", x, at=P))\nout = output(sum(state f32[1, B, 8] "
       "from "
       "\"j\", axis=1))\n",
       "`j` depends on `B`"},
      {"E0275",
       "dim B in 1..4\ndim P[B] in 1..9\ninput x: f32[B, 8]\nout = output(x * sum(param f32[P, 8] from "
       "\"w\", "
       "axis=0, keep=true))\n",
       "`w` depends on `P`"},
      {"E0275",
       "dim B in 1..4\ndim P[B] in 1..9\ninput x: f32[B, 8]\nout = output(x * sum(state f32[B, P, 8] from "
       "\"j\", "
       "axis=1))\n",
       "`j` depends on `P`"},
      {"E0278", kIn + "out = output(" + std::string(4001, 'n') + ")\n", "4000 bytes"},
      {"E0278", kIn + "w = param f16[4] from \"" + std::string(4001, 'n') + "\"\nout = output(silu(w))\n",
       "4000 bytes"},
      {"E0278", kIn + "budget (S #" + std::string(4000, 'n') + "\n) <= 9\nout = output(silu(x))\n",
       "4000 bytes"},
      {"E0276", kIn + repeated(101, "budget S <= 9", "\n") + "out = output(silu(x))\n", "100 budgets"},
      {"E0502",
       "dim B in 0..4\ninput x: f32[B, 8]\na, b = split(relu(x), axis=1, sizes=[4, 4])\nout = "
       "output(exp(b))\n",
       "dim B in 1..4"},
      {"E0502", "dim B in 0..4\ninput x: f32[B, 8]\nout = output(concat(relu(x), exp(x), axis=1))\n",
       "`B` is 0"},
      {"E0501", kIn + repeated(5000, "out", " = output(silu(x))\n"), "alive"},
      {"E0265", "dim S in 1..4\n" + kIn + "out = output(silu(x))\n", "1..4", nullptr, {}, {{"S", 9}}},
      {"E0265",
       "dim S in 1..64\nbudget S <= 16\n" + kIn + "out = output(silu(x))\n",
       "-------------- needs S <= 16, which leaves 1..16",
       nullptr,
       {},
       {{"S", 32}}},
      {"E0265",
       "input x: f32[2, S, 1, D]\nout = output(rope(x, base=10, dim=64))\n",
       "needs 64 <= D, which leaves 64..",
       nullptr,
       {},
       {{"D", 32}}},
      {"E0265",
       "dim S in 1..64\ndim B in 1..8\nbudget B * S <= 100\ninput x: f32[B, S]\nout = output(silu(x))\n",
       "needs B*S <= 100 where S = 16",
       nullptr,
       {},
       {{"S", 16}, {"B", 8}}},
      {"E0265",
       "dim S in 1..64\nbudget memory <= 8KiB\ninput x: f32[S, 64]\nout = output(silu(x))\n",
       "--------------------- allows S <= 16 here",
       nullptr,
       {},
       {{"S", 32}}},
      {"E0266", "dim S in 1..4\n" + kIn + "out = output(silu(x))\n", "--dim SS", nullptr, {}, {{"SS", 3}}},
      {"E0267", kIn + "out = output(silu(x))\n", "tpu", nullptr, {}, {}, "tpu"},
      {"E0267", kIn + "out = output(silu(x))\n", "sm_9x", nullptr, {}, {}, "cuda:sm_9x"},
      {"E0266",
       "let C = 4\ndim S in 1..4\n" + kIn + "out = output(x)\n",
       "--let C=3",
       nullptr,
       {},
       {{"C", 3}}},
      {"E0268",
       "input x: f32[2, S, 1, D]\nw = param f32[4, 32]\nout = output(linear(rope(x, base=10, dim=64), w))\n",
       "at least 64"},
      {"E0268", "dim S in 1..8\ninput x: f32[S, 4]\nout = output(slice(x, axis=0, start=max(S, 1), len=1))\n",
       "no sizes satisfy"},
      {"E0401",
       "dim S in 1..8\ndim T in 1..8\nbudget S <= T\nbudget T + 1 <= S\ninput x: f32[S, T]\nout = "
       "output(silu(x))\n",
       "no sizes"},
      {"E0401",
       "dim S in 1..8\ndim T in 1..8\nphase a { S in 5..8 }\nphase b { }\nbudget S * T <= T + 3\n"
       "input x: f32[S, T]\nout = output(silu(x))\n",
       "in phase a"},
      {"E0390", kIn + "y: f32[2, S, 4] = silu(x)\nout = output(y)\n", "f32[2, S, 8]"},
      {"E0391", "dim S in 1..4\ninput x: f32[8, 8]\nout = output(slice(x, axis=0, start=0, len=8 - S))\n",
       "falls"},
      {"E0392", "input x: f32[9223372036854775807, 9223372036854775807]\nout = output(silu(x))\n", "64 bits"},
      {"E0401",
       "dim S in 512..1024\nbudget memory <= 1MiB\ninput x: f32[1, S, 4096]\nout = output(silu(x))\n", "MiB"},
      {"E0401", "dim S in 512..1024\nbudget S <= 100\n" + kIn + "out = output(silu(x))\n", "at least 512"},
      {"E0602", "dim S in 1..4\ninput x: f32[S, 4000000000, 4000000]\nout = output(silu(x))\n", "2^53"},
      {"E0602", "input x: f32[4]\nout = output(clamp(x, lo=-1, hi=9007199254740993))\n", "`hi` of clamp"},
      {"E0602", "input x: f32[4]\nout = output(x * -9007199254740993)\n", "-9007199254740993"},
      {"E0602", "input x: f32[4, 8]\nout = output(rmsnorm(x, eps=config.e))\n", "`eps` of rmsnorm",
       "{\"e\": 9007199254740993}"},
      {"E0602",
       "input x: f32[1]\nbudget 9007199254740993 * arena <= 9223372036854775807\nout = output(silu(x))\n",
       "what a budget counts"},
      {"W0203", kIn + "y = exp(x)\nout = output(silu(x))\n", "`y`"},
      {"W0203", kIn + "w = param f32[8]\nout = output(silu(x))\n", "the param `w`"},
      {"W0203", kIn + "input z: f32[4]\nout = output(silu(x))\n", "the input `z`"},
      {"W0203", kIn + "fn f(a) {\n  b = exp(a)\n  return silu(a)\n}\nout = output(f(x))\n", "`b`"},
      {"W0204", kIn + "y = silu(x)\n", "output(y)"},
      {"W0202", "input x: f32[config.hidden_sizes ?? 8]\nout = output(silu(x))\n", "`config.hidden_size`",
       "{\"hidden_size\": 4}"},
      {"W0301", kIn + "out = output(silu(x))\n", "4096"},
      {"W0401", "dim S in 1..4096\nbudget memory <= 64MiB\ninput x: f32[1, S, 4096]\nout = output(silu(x))\n",
       "allows S <= 2048"},
  };
  return kBad;
}

std::vector<std::string> op_ids(const Compilation& c) {
  std::vector<std::string> ids;
  for (const Op& op : c.graph->ops) ids.push_back(c.graph->values[op.out[0]].id);
  return ids;
}

}  // namespace

TEST_CASE("each diagnostic about names, config and budgets is told where it belongs") {
  for (const Bad& bad : bad_programs()) {
    INFO(bad.code << "\n" << bad.program.substr(0, 400));
    CompileOptions options;
    if (bad.config) options.config = bad.config;
    options.lets = bad.lets;
    options.dims = bad.dims;
    options.target = bad.target;
    const Compilation c = compile(SourceText("test.irplan", bad.program), options);
    bool found = false;
    std::string all;
    for (const Diagnostic& d : c.diagnostics.list()) {
      const std::string text = render(d, c.source, false);
      all += text;
      found =
          found || (std::string(info(d.code).name) == bad.code && text.find(bad.said) != std::string::npos);
    }
    INFO(all);
    CHECK(found);
    CHECK(c.ok == (bad.code[0] == 'W'));
    CHECK(c.plan_json.empty() != c.ok);
  }
}

TEST_CASE("a compilation that is worth too much work says what it left out, the same at every run") {
  std::string program = "dim S in 1..4096\n";
  for (int p = 0; p < 16; ++p)
    program += "phase p" + std::to_string(p) + " { S in 1.." + std::to_string(1 << (p % 12)) + " }\n";
  for (int d = 0; d < 12; ++d) {
    const std::string n = std::to_string(d);
    program += "dim D" + n + " in 1..4096\nbudget inputs + arena <= " + n + "MiB + 1MiB\ninput x" + n +
               ": f32[S, D" + n + "]\nv" + n + " = softmax(x" + n + ")\n";
  }
  for (int i = 12; i < 200; ++i) {
    const std::string n = std::to_string(i),
                      from = std::to_string(i * 7 % 12 + (i > 24 ? i - 24 - i % 12 : 0));
    program += "v" + n + " = softmax(v" + from + ") * v" + from + "\n";
  }
  for (int i = 180; i < 200; ++i) {
    const std::string n = std::to_string(i);
    program += "o" + n + " = output(v" + n + ")\n";
  }
  CompileOptions options;
  const Compilation once = compile(SourceText("test.irplan", program), options);
  INFO(render(once.diagnostics, once.source, false).substr(0, 2000));
  REQUIRE(once.ok);
  const auto told = [](const Diagnostic& d) { return d.code == Code::WorkLimit; };
  const auto& list = once.diagnostics.list();
  const auto warning = std::find_if(list.begin(), list.end(), told);
  REQUIRE(warning != list.end());
  CHECK(warning->message.find("changes that would meet a budget are not looked for") != std::string::npos);
  CHECK(compile(SourceText("test.irplan", program), options).plan_json == once.plan_json);
  // What is left out need not be proven; without the warning it is missing.
  std::string silent = once.plan_json;
  CHECK(read_true_plan(silent).message() == "");
  for (size_t at = silent.find("W0501"); at != std::string::npos; at = silent.find("W0501"))
    silent.replace(at, 5, "W0401");
  CHECK(!read_true_plan(silent));
}

TEST_CASE("a config that cannot be read is told once, at its place in the config") {
  const std::string program =
      "let D = config.a\nlet E = config.b\ninput x: f32[D, E]\nout = output(silu(x))\n";
  CompileOptions options;
  options.config = "{\n  \"a\": 4,\n  \"b\": oops\n}\n";
  options.config_name = "model.json";
  const Compilation broken = compile(SourceText("test.irplan", program), options);
  REQUIRE(broken.diagnostics.list().size() == 1);
  const Diagnostic& d = broken.diagnostics.list()[0];
  CHECK(render(d, broken.source, false) ==
        "error[E0264]: `config` cannot be read: it is not JSON\n"
        " --> model.json:3:8\n"
        "  |\n"
        "3 |   \"b\": oops\n"
        "  |        ^ not expected here\n");
  CHECK(to_json(d, broken.source).find("\"file\":\"model.json\",\"line\":3,\"column\":8") !=
        std::string::npos);

  options.config.reset();
  CHECK(compile(SourceText("test.irplan", program), options).diagnostics.list().size() == 1);
  for (const char* cut : {"", "{", "{\"a\"", "{\"a\": 4", "{\"a\": 4}}", "\xff", "{\"a\": \"\x01"}) {
    options.config = cut;
    const Compilation c = compile(SourceText("test.irplan", program), options);
    INFO(cut << "\n" << render(c.diagnostics, c.source, false));
    CHECK(c.diagnostics.errors() == 1);
    CHECK(c.diagnostics.list()[0].span.end <= options.config->size() + 1);
  }
}

TEST_CASE("a mistake in a --let is shown on the command line, what it speaks of in the program") {
  const std::string program =
      "fn half(n) { return n / 2 }\nlet C = 4\nlet D = 8\ninput x: f32[C, D]\nout = output(silu(x))\n";
  const auto with = [&](const char* c, const char* d = "8") {
    CompileOptions options;
    options.lets = {{"C", c}, {"D", d}};
    const Compilation made = compile(SourceText("test.irplan", program), options);
    return render(made.diagnostics, made.source, false);
  };
  CHECK(with("half(3, n=1)") ==
        "error[E0243]: `n` is passed to `half` twice\n"
        " --> command line:1:19\n"
        "  |\n"
        "1 | --let C=half(3, n=1)\n"
        "  |                   ^\n"
        "\n1 error\n");
  CHECK(with("2 * half(m=4)") ==
        "error[E0239]: `half` has no parameter `m`\n"
        " --> command line:1:18\n"
        "  |\n"
        "1 | --let C=2 * half(m=4)\n"
        "  |                  ^\n"
        " ::: test.irplan:1:4\n"
        "1 | fn half(n) { return n / 2 }\n"
        "  |    ---- takes n\n"
        "\n1 error\n");
  // What goes wrong inside of the function is the program's.
  CHECK(with("half(3)").find("--> test.irplan:1:21") != std::string::npos);
  // One mistake in two options is two.
  CHECK(with("oops", "oops").find("2 errors") != std::string::npos);
  // A fix of an option edits nothing in the program.
  CompileOptions options;
  options.lets = {{"D", "CC"}};
  const Compilation made = compile(SourceText("test.irplan", program), options);
  REQUIRE(made.diagnostics.list().size() == 1);
  const std::string json = to_json(made.diagnostics.list()[0], made.source);
  CHECK(json.find("\"file\":\"command line\"") != std::string::npos);
  CHECK(json.find("{\"message\":\"did you mean `C`\",\"edits\":[]}") != std::string::npos);
}

TEST_CASE("operands by name and by place do not cover each other") {
  const std::string leaves = "w = param f32[4, 8]\nbias = param f32[4]\n";
  CHECK(compiled(kIn + leaves + "out = output(linear(w=w, bias=bias, x))\n").ok);
  const Compilation twice = compiled(kIn + "out = output(silu(x, x=x))\n");
  REQUIRE(twice.diagnostics.list().size() >= 1);
  CHECK(twice.diagnostics.list()[0].code == Code::ArgumentTwice);
}

TEST_CASE("ids follow names, scopes and numbers") {
  const Compilation c = compiled(
      "dim S in 1..8\n"
      "input t: f32[2, S, 16]\n"
      "fn proj(x, p, n, m) { return linear(x, param f32[m, n] from \"{p}.w\") }\n"
      "fn heads(x, p) { return view(proj(x, p, 16, 16), shape=[2, S, 4, 4]) }\n"
      "fn rot(x) { return rope(x, base=10000) }\n"
      "h = silu(t)\n"
      "for i in 2 with h {\n"
      "  q = rot(heads(h, \"l.{i}\"))\n"
      "  h = h + view(q, shape=[2, S, 16])\n"
      "  h = h * h + exp(h)\n"
      "}\n"
      "out = output(tanh(h) + 1)\n");
  INFO(render(c.diagnostics, c.source, false));
  REQUIRE(c.ok);
  const std::vector<std::string> want = {"h",         "i.0/q.1/1", "i.0/q",     "i.0/h", "i.0/h~2.1",
                                         "i.0/h~2.2", "i.0/h~2",   "i.1/q.1/1", "i.1/q", "i.1/h",
                                         "i.1/h~2.1", "i.1/h~2.2", "i.1/h~2",   "out.1", "out"};
  CHECK(op_ids(c) == want);
  const auto has = [&](const char* id) {
    return std::any_of(c.graph->values.begin(), c.graph->values.end(),
                       [&](const Value& v) { return v.id == id; });
  };
  CHECK(has("i.0/q.1"));  // the view in heads
  CHECK(has("i.0/h.1"));  // the unnamed view: windows count
  CHECK(has("l.0.w"));    // params are called by their checkpoint's name
}

TEST_CASE("phases elaborate separately, share leaves, and fix dims") {
  const Compilation c = compiled(
      "dim S in 1..8\ndim P in 0..31\nphase prefill { S in 2..8 }\nphase decode { S = 1 }\n"
      "input x: f32[1, S, 1, 4]\nw = param f32[4]\n"
      "k = append(state f32[1, 32, 1, 4] from \"k\", rmsnorm(x, w, eps=1), at=P)\n"
      "let decoding = phase == \"decode\"\n"
      "y = decoding ? exp(x) : tanh(x)\n"
      "out = output(attention(y, k, k))\n");
  INFO(render(c.diagnostics, c.source, false));
  REQUIRE(c.ok);
  const Graph& g = *c.graph;
  REQUIRE(g.phases.size() == 2);
  CHECK(op_ids(c) == std::vector<std::string>{"prefill/k.1", "prefill/k", "prefill/y", "prefill/out",
                                              "decode/k.1", "decode/k", "decode/y", "decode/out"});
  CHECK(std::count_if(g.values.begin(), g.values.end(),
                      [](const Value& v) { return v.kind == ValueKind::Param; }) == 1);
  const auto value = [&](const char* id) {
    return *std::find_if(g.values.begin(), g.values.end(), [&](const Value& v) { return v.id == id; });
  };
  CHECK(text(value("prefill/k").type) == "f32[1, P + S, 1, 4]");
  CHECK(text(value("decode/k").type) == "f32[1, P + 1, 1, 4]");
  REQUIRE(g.guards.size() == 1);
  CHECK(g.guards[0].constraint.left.text() == "P + S");
  CHECK(g.guards[0].phase == 0);
}

TEST_CASE("a window turns a state into a ring, as long as every reader has one") {
  const std::string head =
      "dim S in 1..16\ndim P in 0..1007\ninput x: f32[1, S, 1, 4]\nk = append(state f32[1, 1024, 1, 4] from "
      "\"k\", x, at=P)\n"
      "a = attention(x, k, k, window=100)\n";
  const Compilation ring = compiled(head + "out = output(a)\n");
  INFO(render(ring.diagnostics, ring.source, false));
  REQUIRE(ring.ok);
  const auto rows = [](const Compilation& c) {
    for (const Value& v : c.graph->values) {
      if (v.kind == ValueKind::State) return v.type.shape[1].constant();
    }
    return int64_t{0};
  };
  CHECK(rows(ring) == 100 - 1 + 16);
  const Compilation mixed = compiled(head + "b = attention(x, k, k)\nout = output(a + b)\n");
  REQUIRE(mixed.ok);
  CHECK(rows(mixed) == 1024);
  const Compilation seen = compiled(head + "all = output(silu(k))\nout = output(a)\n");
  REQUIRE(seen.ok);
  CHECK(rows(seen) == 1024);
}

TEST_CASE("what depends on weights alone folds to load time, once for all phases") {
  const Compilation c = compiled(
      "dim S in 1..8\nphase a { S in 2..8 }\nphase b { S = 1 }\ninput x: f32[S, 4]\n"
      "w = transpose(param f32[4, 6] from \"w\", perm=[1, 0])\ns = exp(param f32[6] from \"scale\")\n"
      "out = output(linear(x, w) * s)\n");
  INFO(render(c.diagnostics, c.source, false));
  REQUIRE(c.ok);
  const Graph& g = *c.graph;
  CHECK(std::count_if(g.ops.begin(), g.ops.end(), [](const Op& op) {
          return op.phase == kLoadPhase && op.row->name == std::string("exp");
        }) == 1);
  CHECK(g.ops[0].phase == kLoadPhase);
  for (const Value& v : g.values) {
    if (v.id == "s") CHECK(v.kind == ValueKind::Folded);
  }
}

TEST_CASE("keys of a config that nothing reads are listed") {
  const Compilation c =
      compiled("let D = config.d ?? 8\nlet E = config.sub.e\ninput x: f32[2, D]\nout = output(silu(x) * E)\n",
               "{\"d\": 16, \"sub\": {\"e\": 2, \"f\": 3}, \"hiden\": 1}");
  REQUIRE(c.ok);
  CHECK(c.unread_config_keys == std::vector<std::string>{"sub.f", "hiden"});
}

TEST_CASE("--let replaces a top-level let, and later lets follow") {
  CompileOptions options;
  options.lets = {{"C", "131_072"}};
  const Compilation c = compile(
      SourceText("t.irplan", "let C = 8\nlet D = C / 2\ninput x: f32[D]\nout = output(silu(x))\n"), options);
  REQUIRE(c.ok);
  CHECK(c.graph->values[0].type.shape[0].is(65536));
}

TEST_CASE("a strength that does not exist is refused by name") {
  CompileOptions options;
  options.strength = "exactly";
  const Compilation done = compile(SourceText("a.irplan", kIn + "out = output(silu(x))\n"), options);
  CHECK_FALSE(done.ok);
  CHECK(render(done.diagnostics, done.source, false).find("error[E0277]: unknown strength `exactly`") !=
        std::string::npos);
}

TEST_CASE("compile-time arithmetic") {
  const auto shape = [](const std::string& e) {
    const Compilation c = compiled("let r = {a: 7, b: none}\nlet l = [5, 6]\nlet n = " + e +
                                   "\ninput x: f32[n]\nout = output(silu(x))\n");
    INFO(e << render(c.diagnostics, c.source, false));
    REQUIRE(c.ok);
    return c.graph->values[0].type.shape[0].constant();
  };
  CHECK(shape("7 // 2") == 3);
  CHECK(shape("0 - -7 // 2 - 1") == 3);
  CHECK(shape("7 % 4") == 3);
  CHECK(shape("ceildiv(7, 2)") == 4);
  CHECK(shape("floor(80 * 0.4)") == 32);
  CHECK(shape("ceil(2.1)") == 3);
  CHECK(shape("floor(sqrt(64))") == 8);
  CHECK(shape("max(3, 9, 4)") == 9);
  CHECK(shape("len(l) + l[1]") == 8);
  CHECK(shape("l[9] ?? r.b ?? r.a") == 7);
  CHECK(shape("r.c.d ?? 4") == 4);
  CHECK(shape("has(l, 5) && !has(l, 9) ? 1 : 2") == 1);
  CHECK(shape("round(55.4256, bf16) == 55.5 ? 1 : 2") == 1);
  CHECK(shape("\"bfloat16\" == bf16 ? 1 : 2") == 1);
  CHECK(shape("floor(log(1000) * 1000)") == 6907);
  CHECK(shape("4KiB") == 4096);
  CHECK(shape("false && nothing == 1 ? 1 : 2") == 2);
}
