// The order of ops: by hand where the answer is known, against every order of small programs, and against the
// order that larger ones are written in.
#include <algorithm>
#include <functional>

#include "catch.h"
#include "memory/measured.h"
#include "memory/planned.h"
#include "memory/random_program.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

Plan in_program_order(const std::string& text) {
  CompileOptions options;
  options.keep_order = true;
  return planned(text, options);
}

// Both wide values first, as one would write it; one branch after the other needs half.
const char* const kBranches =
    "dim S in 1..4096\n"
    "input x: f16[S, 64]\n"
    "w1 = param f16[1024, 64]\n"
    "w2 = param f16[64, 1024]\n"
    "a = linear(x, w1)\n"
    "b = linear(x, w1)\n"
    "c = linear(a, w2)\n"
    "d = linear(b, w2)\n"
    "y = output(add(c, d))\n";

Measured planned_in(const std::string& text, bool keep_order) {
  CompileOptions options;
  options.keep_order = keep_order;
  const Compilation done = compile(SourceText("test.irplan", text), options);
  INFO(text);
  REQUIRE(done.ok);
  return measured(*done.graph);
}

// The names that a statement binds, or reads.
std::vector<std::string> names_in(const std::string& part) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : part + " ") {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      name += c;
    } else {
      if (!name.empty()) names.push_back(name);
      name.clear();
    }
  }
  return names;
}

// The program with its statements in every order in which names are bound before they are read.
std::vector<std::string> all_orders(const std::string& text, size_t most) {
  std::string head;
  std::vector<std::string> body;
  for (const std::string& line : lines_of(text)) {
    const bool first = line.rfind("dim ", 0) == 0 || line.rfind("input ", 0) == 0 ||
                       line.find("= param ") != std::string::npos;
    if (first)
      head += line + "\n";
    else
      body.push_back(line);
  }
  const size_t count = body.size();
  std::vector<std::vector<uint8_t>> needs(count, std::vector<uint8_t>(count, 0));
  for (size_t i = 0; i < count; ++i) {
    const std::vector<std::string> read = names_in(body[i].substr(body[i].find('=')));
    for (size_t j = 0; j < count; ++j) {
      for (const std::string& bound : names_in(body[j].substr(0, body[j].find('='))))
        needs[i][j] |= i != j && std::find(read.begin(), read.end(), bound) != read.end();
    }
  }
  std::vector<std::string> out;
  std::vector<uint8_t> done(count, 0);
  const std::function<void(std::string, size_t)> go = [&](const std::string& so_far, size_t placed) {
    if (placed == count) out.push_back(so_far);
    for (size_t i = 0; i < count && out.size() <= most; ++i) {
      bool ready = !done[i];
      for (size_t j = 0; j < count; ++j) ready = ready && (!needs[i][j] || done[j]);
      if (!ready) continue;
      done[i] = 1;
      go(so_far + body[i] + "\n", placed + 1);
      done[i] = 0;
    }
  };
  go(head, 0);
  return out;
}

}  // namespace

TEST_CASE("branches run one after the other where that takes less") {
  const Plan plan = planned(kBranches);
  CHECK(plan.memory.peak_bytes == 4096 * (2 * 1024 + 2 * 64 + 2 * 64));  // one wide value, c, and d
  CHECK(plan.ops[1].id == "c");
  const Plan kept = in_program_order(kBranches);
  CHECK(kept.memory.peak_bytes == 4096 * (2 * 1024 + 2 * 1024 + 2 * 64));
  CHECK(kept.ops[1].id == "b");
}

TEST_CASE("the dump of the schedule sets the order beside program order, depth first and list order") {
  CompileOptions options;
  options.dump_after = {"schedule"};
  const Compilation done = compile(SourceText("test.irplan", kBranches), options);
  REQUIRE(done.dumps.size() == 1);
  const int64_t wide = 4096 * 2 * 1024, narrow = 4096 * 2 * 64;
  CHECK(done.dumps[0].second.ends_with(
      "# bytes alive at once in main: program order " + std::to_string(2 * wide + narrow) + ", depth first " +
      std::to_string(wide + 2 * narrow) + ", list order " + std::to_string(wide + 2 * narrow) +
      ", this order " + std::to_string(wide + 2 * narrow) + "\n"));
}

TEST_CASE("a part of a concat that is made early holds the bytes of all, so it is made late") {
  const std::string head =
      "dim S in 1..128\ninput x: f16[S, 64]\nw = param f16[512, 64]\nwk = param f16[64, 64]\n"
      "wb = param f16[64, 512]\nwy = param f16[64, 576]\n";
  const std::string part = "k = linear(x, wk)\n", rest = "b = linear(a, wb)\nc = linear(b, w)\n";
  const std::string end = "y = output(linear(concat(k, c, axis=-1), wy))\n";
  const int64_t late = 128 * 2 * (64 + 576);  // b, and the concat's result
  for (const std::string& body : {"a = linear(x, w)\n" + part + rest, part + "a = linear(x, w)\n" + rest,
                                  "a = linear(x, w)\n" + rest + part})
    CHECK(planned(head + body + end).memory.peak_bytes == late);
  CHECK(in_program_order(head + "a = linear(x, w)\n" + part + rest + end).memory.peak_bytes ==
        128 * 2 * (576 + 512 + 64));
}

TEST_CASE("an order that is better at a small size alone is found") {
  // At the largest S the wide tail decides, whatever the order above it; at S = 1 the branches do, whose
  // width does not grow.
  const std::string text =
      "dim S in 1..4096\ninput x: f16[S, 64]\ninput z: f16[64, 64]\nw1 = param f16[1024, 64]\n"
      "w2 = param f16[64, 1024]\nwide = param f16[4096, 64]\nback = param f16[64, 4096]\n"
      "a = linear(z, w1)\nb = linear(z, w1)\nc = linear(a, w2)\nd = linear(b, w2)\n"
      "y = output(add(c, d))\n"
      "t = linear(x, wide)\nu = output(linear(t, back))\n";
  const Plan better = planned(text), kept = in_program_order(text);
  CHECK(bind_arena(better, "main", {1})->bytes < bind_arena(kept, "main", {1})->bytes);
  CHECK(bind_arena(better, "main", {4096})->bytes <= bind_arena(kept, "main", {4096})->bytes);
}

TEST_CASE("programs stay as they were written where no order is better") {
  const Plan plan = planned(
      "dim S in 1..4096\ninput x: f16[S, 64]\nw = param f16[64, 64]\n"
      "a = silu(x)\nb = relu(x)\nc = linear(a, w)\nd = linear(b, w)\ny = output(add(c, d))\n");
  REQUIRE(plan.ops.size() == 5);
  CHECK(plan.ops[0].id == "a");
  CHECK(plan.ops[1].id == "b");
}

TEST_CASE("the orders of a small program of many branches are searched within a part of the work") {
  std::string text = "dim S in 1..4096\ndim T in 1..100000\n";
  for (const char* input : {"x: f32[S, 64]", "y: f32[T, 100]", "z: f32[S, 100]"})
    text += std::string("input ") + input + "\n";
  const char* const kOps[] = {"relu(x)", "silu(y)", "softmax(z)", "x * 2.0", "sum(y, axis=1, keep=true)"};
  for (int i = 0; i < 18; ++i) text += "v" + std::to_string(i) + " = " + kOps[i % 5] + "\n";
  for (int i = 0; i < 18; ++i)
    text += "o" + std::to_string(i) + " = output(" +
            (i % 3 ? "v" + std::to_string(i) : "exp(v" + std::to_string(i) + ")") + ")\n";
  const Compilation made = compile(SourceText("test.irplan", text), {});
  REQUIRE(made.ok);
  for (const Diagnostic& d : made.diagnostics.list()) CHECK(d.code != Code::WorkLimit);
}

TEST_CASE("no order of the statements of a small program is better than the one that is chosen") {
  constexpr size_t kMost = 120;
  int programs = 0, orders = 0, lower = 0;
  for (uint64_t seed = 1; programs < 60; ++seed) {
    Random random(seed);
    const std::string text = random_program(random, 9);
    const std::vector<std::string> texts = all_orders(text, kMost);
    if (texts.size() < 2 || texts.size() > kMost) continue;
    ++programs;
    std::vector<Measured> all{planned_in(text, false)};
    for (const std::string& other : texts) all.push_back(planned_in(other, true));
    const std::vector<int64_t> least = least_of(all);
    const double chosen = worst_ratio(all[0], least);
    INFO("seed " << seed << "\n" << text);
    for (size_t i = 1; i < all.size(); ++i) {
      INFO(texts[i - 1]);
      CHECK(chosen <= worst_ratio(all[i], least) + 1e-9);
      ++orders;
    }
    lower += chosen < worst_ratio(planned_in(text, true), least);
  }
  CHECK(orders > 1000);
  CHECK(lower > 10);
}

TEST_CASE("no random program is further from the least than in program order, at the worst size") {
  int lower = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const std::string text = random_program(random, seed % 10 == 0 ? 40 : 14);
    const Measured better = planned_in(text, false), kept = planned_in(text, true);
    const std::vector<int64_t> least = least_of({better, kept});
    INFO("seed " << seed);
    CHECK(worst_ratio(better, least) <= worst_ratio(kept, least));
    lower += worst_ratio(better, least) < worst_ratio(kept, least);
  }
  CHECK(lower > 100);
}

TEST_CASE("what a state held is read before its update, through a window too") {
  // An update before the product would let t go before the widest value is there.
  for (const char* read : {"linear(view(s, shape=[B, 512, 4, 32]), wide)",
                           "linear(slice(s, axis=1, start=0, len=256), wide)", "linear(s, wide)"}) {
    const bool flat = std::string(read).find("view") == std::string::npos;
    const Plan plan = planned(
        "dim B in 1..4\ndim P in 0..256\ninput x: f16[B, 256, 128]\n"
        "s = state f16[B, 512, 128] from \"s\"\nwx = param f16[128, 128]\n"
        "wide = param f16[1024, " +
        std::string(flat ? "128" : "32") +
        "]\n"
        "t = linear(x, wx)\nold = " +
        read +
        "\nk = append(s, t, at=P)\nm = sum(k, axis=1)\n"
        "y = output(old)\nz = output(m)\n");
    const auto at = [&](const std::string& id) {
      const auto op =
          std::find_if(plan.ops.begin(), plan.ops.end(), [&](const Plan::Op& o) { return o.id == id; });
      REQUIRE(op != plan.ops.end());
      return op - plan.ops.begin();
    };
    INFO(read);
    CHECK(at("old") < at("k"));
  }
}
