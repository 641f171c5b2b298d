// True plans to be broken: of the examples, of programs that use every form of window, and of random
// programs.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "memory/check_program.h"
#include "plan/plan.h"

namespace irplan::plans_test {

struct True {
  std::string name;
  std::string text;  // plan.json
};

inline std::string file_text(const std::string& path) {
  std::ifstream in(std::string(IRPLAN_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Windows of every form: split, slice, transpose, view, a concat in place, updates in place; two phases;
// ragged positions; a ring, a cache, quantised states; folded weights; routed experts; budgets of bytes and
// of dims that are not met.
inline const char* const kEverything =
    "let C = 64\n"
    "dim B in 1..8\ndim S in 1..16\ndim P[B] in 0..C - 1\ndim T in 2..40\n"
    "phase prefill { S in 1..16 }\nphase decode { S = 1 }\n"
    "budget memory <= 90KiB\nbudget decode.arena <= 64KiB\nbudget B * S <= 100\n"
    "input x: f32[B, S, 32]\ninput z: f32[T, 32]\n"
    "w = param f32[64, 32] from \"w\"\n"
    "u, v = split(w, axis=0, sizes=[32, 32])\n"
    "f = u + v\n"
    "a = linear(x, w)\n"
    "l, r = split(a, axis=-1, sizes=[32, 32])\n"
    "lr = relu(l)\nrr = gelu(r)\n"
    "q = rope(view(lr, shape=[B, S, 2, 16]), base=10000, at=P)\n"
    "kv = rope(view(rr, shape=[B, S, 2, 16]), base=10000, at=P)\n"
    "k = append(state f32[B, C, 2, 16] from \"k\", q, at=P)\n"
    "y = attention(q, k, k)\n"
    "n = append(state f32[B, C, 2, 16] from \"near\", kv, at=P)\n"
    "t = attention(q, n, n, window=8)\n"
    "h = state f16[B, C, 32] from \"h\"\n"
    "held = output(sum(relu(slice(h, axis=1, start=0, len=8)), axis=1))\n"
    "hk = append(h, x, at=P)\n"
    "hm = output(sum(hk, axis=1))\n"
    "both = concat(relu(view(y, shape=[B, S, 32])), exp(view(t, shape=[B, S, 32])), axis=-1)\n"
    "m = linear(both, param f32[32, 64] from \"m\")\n"
    "c, e = route(linear(m, param f32[4, 32] from \"g\"), k=2)\n"
    "o = sum(expert(m, param f32[4, 32, 32] from \"x\", e) * view(c, shape=[B, S, 2, 1]), axis=2)\n"
    "s = relu(transpose(o, perm=[0, 2, 1]))\n"
    "out = output(linear(transpose(s, perm=[0, 2, 1]), f))\n"
    "zz = output(relu(slice(z, axis=0, start=1, len=T - 1)))\n";

inline const char* const kQuantised =
    "dim S in 1..8\ndim P in 0..55\n"
    "input x: f32[1, S, 2, 32]\n"
    "k = append(state q8_0[1, 64, 2, 32] from \"k\", x, at=P)\n"
    "v = append(state q4_0[1, 64, 2, 32] from \"v\", x, at=P)\n"
    "y = attention(x, k, v)\n"
    "out = output(linear(view(y, shape=[1, S, 64]), param q8_0[32, 64] from \"w\"))\n";

inline const char* const kJoined =
    "dim S in 1..64\ndim M in 1..64\nbudget memory <= 64MiB\n"
    "input x: f16[1, S, 32]\ninput z: f16[1, M, 32]\n"
    "w = param f16[32, 32]\n"
    "j = concat(relu(linear(x, w)), gelu(linear(z, w)), exp(linear(x, w)), axis=1)\n"
    "p = slice(j, axis=1, start=S, len=M)\n"
    "g = output(relu(p))\n"
    "t = linear(j, w)\n"
    "d = t + linear(t, w)\n"
    "out = output(softmax(d))\n";

// A table that is turned at load time, a part of blocks, a concat whose first operand is read before the last
// is there, a dim without a bound under a budget, and a limit that follows sizes.
inline const char* const kRare =
    "dim S in 1..64\n"
    "budget memory <= 64MiB\nbudget arena <= 16 * S * 256 + 900000\n"
    "input x: f32[1, S, 32]\ninput u: f32[N, 32]\n"
    "t = rope(param f32[1, 8, 2, 16] from \"t\", base=10000, at=3)\n"
    "w = param f32[32, 32]\n"
    "q = linear(x, slice(param q8_0[32, 96] from \"q\", axis=-1, start=32, len=32))\n"
    "a = relu(q)\n"
    "r = exp(a)\n"
    "b = gelu(linear(x, w) * sum(r, axis=1, keep=true))\n"
    "j = concat(a, b, axis=1)\n"
    "out = output(linear(j, w))\n"
    "also = output(relu(u) * sum(view(t, shape=[8, 32]), axis=0, keep=true))\n";

// In the order that it is written in, its placement leaves a gap at the plan's own sizes.
inline const char* const kGap =
    "dim A in 1..64\n"
    "dim B in 1..64\n"
    "input xA: f32[A, 64]\n"
    "input xB: f32[B, 64]\n"
    "v0 = softmax(linear(xA, param f32[64, 64] from \"p1\"))\n"
    "v1 = softmax(linear(xB, param f32[48, 64] from \"p2\"))\n"
    "v2 = softmax(linear(xA, param f32[16, 64] from \"p3\"))\n"
    "v3 = softmax(linear(xA, param f32[160, 64] from \"p4\"))\n"
    "v4 = softmax(linear(v1, param f32[96, 48] from \"p5\"))\n"
    "v5 = softmax(linear(xB, param f32[16, 64] from \"p6\"))\n"
    "v6 = softmax(linear(xB, param f32[96, 64] from \"p7\"))\n"
    "v7 = softmax(linear(v3, param f32[96, 160] from \"p8\"))\n"
    "v8 = softmax(linear(xA, param f32[96, 64] from \"p9\"))\n"
    "v9 = softmax(linear(v5, param f32[96, 16] from \"p10\"))\n"
    "v10 = softmax(linear(xB, param f32[64, 64] from \"p11\"))\n"
    "v11 = softmax(linear(xB, param f32[64, 64] from \"p12\"))\n"
    "v12 = softmax(linear(xA, param f32[96, 64] from \"p13\"))\n"
    "v13 = softmax(linear(v2, param f32[48, 16] from \"p14\"))\n"
    "v14 = softmax(linear(v7, param f32[64, 96] from \"p15\"))\n"
    "v15 = softmax(linear(v13, param f32[64, 48] from \"p16\"))\n"
    "o0 = output(sum(v10, axis=1))\n"
    "o1 = output(sum(v11, axis=1))\n"
    "o2 = output(sum(v12, axis=1))\n"
    "o3 = output(sum(v13, axis=1))\n"
    "o4 = output(sum(v14, axis=1))\n"
    "o5 = output(sum(v15, axis=1))\n";

struct Given {
  const char* name;
  const char* program;
  const char* config;  // null: none
  std::vector<std::pair<std::string, std::string>> retypes;
  std::vector<std::pair<std::string, int64_t>> dims;
};

inline std::string compiled(const std::string& name, const std::string& text, const CompileOptions& options) {
  const Compilation done = compile(SourceText(name + ".irplan", text), options);
  return done.ok ? done.plan_json : "";
}

// `random` programs besides.
inline std::vector<True> corpus(int64_t random) {
  std::vector<True> out;
  const std::string models = "examples/models/", goldens = "tests/data/goldens/";
  const std::vector<Given> given = {
      {"hotpath", "examples/hotpath.irplan", nullptr, {}, {}},
      {"llama", "examples/models/llama.irplan", "tests/data/goldens/llama/config.json", {}, {}},
      {"llama with states of 8 bits",
       "examples/models/llama.irplan",
       "tests/data/goldens/llama/config.json",
       {{"state", "f8e4m3"}},
       {}},
      {"qwen3", "examples/models/llama.irplan", "tests/data/goldens/qwen3/config.json", {}, {}},
      {"gemma2", "examples/models/gemma.irplan", "tests/data/goldens/gemma2/config.json", {}, {}},
      {"gpt2", "examples/models/gpt2.irplan", "tests/data/goldens/gpt2/config.json", {}, {}},
      {"gpt_oss", "examples/models/moe.irplan", "tests/data/goldens/gpt_oss_mxfp4/config.json", {}, {}},
      {"deepseek_v3",
       "examples/models/deepseek_v3.irplan",
       "tests/data/goldens/deepseek_v3_fp8/config.json",
       {},
       {}},
      {"phi3", "examples/models/phi3.irplan", "tests/data/goldens/phi3_longrope/config.json", {}, {}},
      {"cohere2", "examples/models/cohere.irplan", "tests/data/goldens/cohere2/config.json", {}, {}},
  };
  const auto add = [&](const std::string& name, const std::string& text, const CompileOptions& options) {
    std::string plan = compiled(name, text, options);
    if (!plan.empty()) out.push_back({name, std::move(plan)});
  };
  for (const Given& g : given) {
    CompileOptions options;
    options.target = "cpu";
    if (g.config) options.config = file_text(g.config);
    options.retypes = g.retypes;
    options.dims = g.dims;
    add(g.name, file_text(g.program), options);
  }
  add("everything", kEverything, {});
  add("quantised", kQuantised, {});
  add("joined", kJoined, {});
  add("rare", kRare, {});
  CompileOptions on_cpu;
  on_cpu.target = "cpu";
  add("blocks", "input x: f32[2, 64]\nw = param q8_0[16, 64] from \"w\"\nout = output(linear(x, w))\n",
      on_cpu);
  CompileOptions as_written;
  as_written.keep_order = true;
  add("gap", kGap, as_written);
  add("split", file_text("tests/golden/split-kv.irplan"), {});
  for (int64_t seed = 1; seed <= random; ++seed) {
    memory_test::Random numbers(static_cast<uint64_t>(seed));
    const auto features = memory_test::features_of(static_cast<uint64_t>(seed));
    add("random " + std::to_string(seed), memory_test::random_program(numbers, 14, features), {});
  }
  return out;
}

inline Plan read(const True& plan) {
  auto out = read_plan(plan.text);
  return out ? std::move(*out) : Plan();
}

}  // namespace irplan::plans_test
