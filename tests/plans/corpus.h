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
    "dim S in 1..64\ndim M in 1..64\n"
    "input x: f16[1, S, 32]\ninput z: f16[1, M, 32]\n"
    "w = param f16[32, 32]\n"
    "j = concat(relu(linear(x, w)), gelu(linear(z, w)), exp(linear(x, w)), axis=1)\n"
    "p = slice(j, axis=1, start=S, len=M)\n"
    "g = output(relu(p))\n"
    "t = linear(j, w)\n"
    "d = t + linear(t, w)\n"
    "out = output(softmax(d))\n";

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
  add("split", file_text("tests/golden/split-kv.irplan"), {});
  for (int64_t seed = 1; seed <= random; ++seed) {
    memory_test::Random numbers(static_cast<uint64_t>(seed));
    const auto features = memory_test::features_of(static_cast<uint64_t>(seed));
    add("random " + std::to_string(seed), memory_test::random_program(numbers, 14, features), {});
  }
  return out;
}

inline Plan read(const True& plan) {
  std::string why;
  auto out = read_plan(plan.text, &why);
  return out ? std::move(*out) : Plan();
}

}  // namespace irplan::plans_test
