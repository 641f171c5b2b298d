// Budgets answered both ways: every largest size, frontier point and change that the compiler names is
// planned, and so is one step more.
#include <algorithm>

#include "catch.h"
#include "memory/check_program.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

// A decoder of two layers with a cache, and phases that share it.
std::string decoder(const std::string& budget) {
  return "let D = 128\n"
         "let K = 32\n"
         "let F = 512\n"
         "let C = 1024\n"
         "let chunk = 512\n"
         "dim B in 1..64\n"
         "dim S in 1..chunk\n"
         "dim P[B] in 0..C - 1\n"
         "phase prefill { S in 1..chunk }\n"
         "phase decode { S = 1 }\n" +
         budget +
         "\n"
         "input tokens: i32[B, S]\n"
         "wte = param bf16[256, D] from \"wte\"\n"
         "fn proj(x, p, n, m) { return linear(x, param bf16[m, n] from \"{p}\") }\n"
         "h = embed(tokens, wte)\n"
         "for i in 2 with h {\n"
         "  x = rmsnorm(h, eps=1e-6)\n"
         "  q = rope(view(proj(x, \"{i}.q\", D, D), shape=[B, S, D / K, K]), base=10000, at=P)\n"
         "  k = append(state bf16[B, C, D / K, K] from \"{i}.k\", view(proj(x, \"{i}.kk\", D, D), "
         "shape=[B, S, D / K, K]), at=P)\n"
         "  v = append(state bf16[B, C, D / K, K] from \"{i}.v\", view(proj(x, \"{i}.vv\", D, D), "
         "shape=[B, S, D / K, K]), at=P)\n"
         "  h = h + proj(view(attention(q, k, v), shape=[B, S, D]), \"{i}.o\", D, D)\n"
         "  y = rmsnorm(h, eps=1e-6)\n"
         "  h = h + proj(silu(proj(y, \"{i}.gate\", D, F)) * proj(y, \"{i}.up\", D, F), \"{i}.down\", F, D)\n"
         "}\n"
         "out = output(linear(rmsnorm(h, eps=1e-6), wte, to=f32))\n";
}

Compilation compiled(const std::string& text, const CompileOptions& options = {}) {
  return compile(SourceText("test.irplan", text), options);
}

Plan plan_of(const Compilation& done) {
  auto plan = read_plan(done.plan_json);
  INFO((done.diagnostics.list().empty() ? plan.message() : done.diagnostics.list()[0].message));
  REQUIRE(plan);
  for (const std::string& finding : validate_plan(*plan)) FAIL_CHECK(finding);
  const auto part = [](const std::string& text, const char* key) {
    const size_t begin = text.find(key);
    const size_t end = std::min(text.find("\n]", begin), text.find("\"diagnostics\"", begin));
    return text.substr(begin, end - begin);
  };
  const std::string again = write_plan(*plan);
  for (const char* key : {"\"phases\"", "\"budget\": ["})
    CHECK(part(again, key) == part(done.plan_json, key));
  return std::move(*plan);
}

bool has(const Compilation& done, Code code) {
  return std::any_of(done.diagnostics.list().begin(), done.diagnostics.list().end(),
                     [&](const Diagnostic& d) { return d.code == code; });
}

const Diagnostic& missed(const Compilation& done) {
  for (const Diagnostic& d : done.diagnostics.list()) {
    if (d.code == Code::BudgetNarrows || d.code == Code::BudgetRefused) return d;
  }
  FAIL("no budget is missed");
  return done.diagnostics.list()[0];
}

// The program with a narrower dim above its budget: "B", or "decode.B".
std::string narrowed(std::string text, const std::string& dim, int64_t most) {
  const size_t budget = text.find("budget ");
  return text.insert(budget, "budget " + dim + " <= " + std::to_string(most) + "\n");
}

// Of "budget decode.B <= 9".
std::string dim_of(const std::string& change) {
  const size_t begin = std::string("budget ").size();
  return change.substr(begin, change.find(" <=") - begin);
}

// The options with "--let C=4096" or "--retype state=f8e4m3"; a let's number raised by `more`.
CompileOptions changed(const std::string& change, int64_t more) {
  CompileOptions options;
  const size_t equals = change.find('=');
  const std::string name = change.substr(change.find(' ') + 1, equals - change.find(' ') - 1);
  const std::string value = change.substr(equals + 1);
  if (change.rfind("--let ", 0) == 0)
    options.lets.emplace_back(name, std::to_string(std::stoll(value) + more));
  else
    options.retypes.emplace_back(name, value);
  return options;
}

bool is_dim(const Plan::Change& change) { return change.change.rfind("budget ", 0) == 0; }

// Every change of the plan's one budget over bytes does what it says, and a step less of it does not.
size_t check_changes(const std::string& text, const Plan& plan) {
  size_t count = 0;
  for (const Plan::Budget& budget : plan.budget) {
    for (const Plan::Change& change : budget.changes) {
      INFO(budget.expr + ": " + change.change);
      ++count;
      if (is_dim(change)) {
        CHECK(change.ok);
        const int64_t most = change.max.at(0).second;
        const std::string dim = dim_of(change.change);
        CHECK_FALSE(has(compiled(narrowed(text, dim, most)), Code::BudgetNarrows));
        CHECK(has(compiled(narrowed(text, dim, most + 1)), Code::BudgetNarrows));
      } else if (change.ok) {
        CHECK_FALSE(has(compiled(text, changed(change.change, 0)), Code::BudgetNarrows));
        if (change.change[2] == 'l')
          CHECK(has(compiled(text, changed(change.change, 1)), Code::BudgetNarrows));
      } else {
        const auto& [dim, most] = change.max.at(0);
        const CompileOptions options = changed(change.change, 0);
        CHECK(has(compiled(text, options), Code::BudgetNarrows));
        CHECK_FALSE(has(compiled(narrowed(text, dim, most), options), Code::BudgetNarrows));
        CHECK(has(compiled(narrowed(text, dim, most + 1), options), Code::BudgetNarrows));
      }
    }
  }
  return count;
}

int64_t bytes_at(const Plan& plan, const std::optional<Expr>& formula, size_t dim, int64_t size) {
  Binding binding;
  for (const Plan::Dim& d : plan.dims) binding.push_back(d.value);
  binding[dim] = size;
  REQUIRE(formula);
  return evaluate(*formula, binding).value_or(-1);
}

// The sizes at which a phase's plain numbers hold.
Binding values_in(const Plan& plan, const Plan::Phase& phase) {
  Binding binding;
  for (const Plan::Dim& d : plan.dims) binding.push_back(d.value);
  for (const Plan::PhaseDim& d : phase.dims) binding[*plan.pool->find(d.name)] = d.value;
  return binding;
}

// Bytes of all segments in a phase.
int64_t bytes_in(const Plan& plan, const Plan::Phase& phase, const Binding& binding) {
  int64_t sum = *evaluate(*phase.peak, binding);
  for (const Plan::Buffer& b : plan.buffers) {
    if (b.segment == Plan::Segment::Arena) continue;
    sum += (*evaluate(b.bytes, binding) + plan.align - 1) / plan.align * plan.align;
  }
  return sum;
}

}  // namespace

TEST_CASE("every change that a budget offers makes it fit, and one step less does not") {
  size_t changes = 0;
  for (const char* limit : {"3MiB", "5MiB", "8MiB", "20MiB", "33MiB", "60MiB", "100MiB"}) {
    for (const char* more : {"", "budget B * S <= 2048\n"}) {
      const std::string text = decoder("budget memory <= " + std::string(limit) + "\n" + more);
      const Compilation done = compiled(text);
      INFO(render(done.diagnostics, done.source, false));
      REQUIRE(done.ok);
      changes += check_changes(text, plan_of(done));
    }
  }
  CHECK(changes > 25);
}

TEST_CASE("a smaller chunk is offered as the `let` that it is") {
  const std::string text = decoder("budget arena <= 20MiB");
  const Plan plan = plan_of(compiled(text));
  const auto is_chunk = [](const Plan::Change& c) { return c.change.rfind("--let chunk=", 0) == 0 && c.ok; };
  const auto& changes = plan.budget[0].changes;
  CHECK(std::count_if(changes.begin(), changes.end(), is_chunk) == 1);
  check_changes(text, plan);
}

TEST_CASE("a budget of one phase is asked at its sizes alone") {
  for (const char* limit : {"decode.memory <= 5MiB", "8MiB >= decode.memory", "decode.arena <= 24KiB",
                            "prefill.memory <= 20MiB", "decode.weights + decode.state < 20MiB"}) {
    const std::string text = decoder("budget " + std::string(limit));
    const Compilation done = compiled(text);
    INFO(limit << "\n" << render(done.diagnostics, done.source, false));
    REQUIRE(done.ok);
    const Plan plan = plan_of(done);
    const Plan::Budget& budget = plan.budget[0];
    CHECK(budget.phase == (budget.expr.find("decode") == std::string::npos ? "prefill" : "decode"));
    CHECK(budget.phases.empty());
    CHECK_FALSE(budget.ok);
    CHECK(check_changes(text, plan) >= 1);
  }
  // The arena of decode is met where that of prefill would not be.
  CHECK(plan_of(compiled(decoder("budget decode.arena <= 5MiB"))).budget[0].ok);
  CHECK_FALSE(plan_of(compiled(decoder("budget arena <= 5MiB"))).budget[0].ok);
}

TEST_CASE("each phase says what it admits by itself") {
  for (const char* limit : {"memory <= 8MiB", "arena <= 40KiB", "arena <= 4MiB"}) {
    const Plan plan = plan_of(compiled(decoder("budget " + std::string(limit))));
    const Plan::Budget& budget = plan.budget[0];
    INFO(limit);
    REQUIRE(budget.phases.size() == 2);
    int tight = 0;
    for (size_t p = 0; p < 2; ++p) {
      const Plan::Answer& answer = budget.phases[p];
      const Plan::Phase& phase = plan.phases[p];
      CHECK(answer.phase == phase.name);
      const auto used = [&](const std::string& dim, int64_t size) {
        Binding binding = values_in(plan, phase);
        binding[*plan.pool->find(dim)] = size;
        return budget.expr[0] == 'm' ? bytes_in(plan, phase, binding) : *evaluate(*phase.peak, binding);
      };
      CHECK(*answer.used_bytes == used("B", values_in(plan, phase)[*plan.pool->find("B")]));
      for (const auto& [dim, most] : answer.max) {
        CHECK(used(dim, most) <= *budget.limit_bytes);
        const int64_t end = dim == "B" ? 64 : 512;
        if (most == end) continue;
        CHECK(used(dim, most + 1) > *budget.limit_bytes);
        ++tight;
      }
      for (const Plan::Frontier& f : answer.frontier) {
        for (const auto& [b, s] : f.points) {
          Binding binding = values_in(plan, phase);
          binding[*plan.pool->find(f.first)] = b, binding[*plan.pool->find(f.second)] = s;
          const int64_t bytes =
              budget.expr[0] == 'm' ? bytes_in(plan, phase, binding) : *evaluate(*phase.peak, binding);
          CHECK(bytes <= *budget.limit_bytes);
        }
      }
      // S is fixed while decoding.
      if (phase.name == "decode") CHECK(answer.max.size() == 1);
    }
    CHECK(tight > 0);
  }
}

TEST_CASE("every change that would lower the memory is planned, and takes what was said") {
  for (const char* budget : {"", "budget memory <= 20MiB"}) {
    const std::string text = decoder(budget);
    const Plan plan = plan_of(compiled(text));
    const auto total = [](const Plan& p) {
      const Plan::Segments& s = p.memory.segments;
      return s.weights + s.state + s.inputs + s.arena;
    };
    CHECK(plan.memory.lighter.size() >= 3);
    int64_t before = 0;
    for (const Plan::Lighter& lighter : plan.memory.lighter) {
      INFO(lighter.change);
      CompileOptions options;
      for (const Plan::Dim& dim : plan.dims) {
        if (dim.per.empty()) options.dims.emplace_back(dim.name, dim.value);
      }
      if (lighter.change.rfind("--dim ", 0) == 0) {
        const size_t equals = lighter.change.find('=');
        for (auto& [name, size] : options.dims) {
          if (name == lighter.change.substr(6, equals - 6))
            size = std::stoll(lighter.change.substr(equals + 1));
        }
      } else {
        options.retypes = changed(lighter.change, 0).retypes;
      }
      CHECK(total(plan_of(compiled(text, options))) == lighter.bytes);
      CHECK(lighter.bytes < total(plan));
      CHECK(lighter.bytes >= before);
      before = lighter.bytes;
    }
  }
}

TEST_CASE("what a token costs is in the plan, and checked") {
  Plan plan = plan_of(compiled(decoder("budget memory <= 20MiB")));
  for (const Plan::Phase& phase : plan.phases) {
    const Binding at = values_in(plan, phase);
    const int64_t step = at[*plan.pool->find("B")] * at[*plan.pool->find("S")];
    CHECK(phase.tokens.a_step == step);
    CHECK(phase.tokens.arena_bytes_each == phase.peak_bytes / step);
    CHECK(phase.tokens.state_bytes_each == 2 * 2 * 128 * 2);  // layers, k and v, D, bf16
  }
  plan.phases[0].tokens.state_bytes_each += 1;
  CHECK_FALSE(validate_plan(plan).empty());
}

TEST_CASE("the change that gives up the least comes first") {
  const Compilation done = compiled(decoder("budget memory <= 60MiB"));
  const Plan plan = plan_of(done);
  REQUIRE(plan.budget.size() == 1);
  const auto& changes = plan.budget[0].changes;
  REQUIRE(changes.size() >= 3);
  bool partial = false;
  for (const Plan::Change& change : changes) {
    CHECK_FALSE((partial && change.ok));
    partial = partial || !change.ok;
  }
  // The same, to read; what can be written into the program can be applied by an editor.
  const Diagnostic& d = missed(done);
  size_t told = 0;
  for (const Fix& fix : d.fixes) {
    for (const Plan::Change& change : changes)
      told += fix.message.find("`" + change.change + "`") != std::string::npos;
    if (fix.edits.empty()) continue;
    std::string text = done.source.text();
    const Edit& edit = fix.edits.at(0);
    text.replace(edit.span.begin, edit.span.end - edit.span.begin, edit.text);
    CHECK_FALSE(has(compiled(text), Code::BudgetNarrows));
  }
  CHECK(told == changes.size());
}

TEST_CASE("a budget that the smallest sizes break says what takes the bytes and what would start") {
  for (const char* limit : {"200KiB", "700KiB", "1MiB"}) {
    const std::string text = decoder("budget memory <= " + std::string(limit));
    const Compilation done = compiled(text);
    REQUIRE_FALSE(done.ok);
    const Diagnostic& d = missed(done);
    INFO(render(done.diagnostics, done.source, false));
    CHECK(d.code == Code::BudgetRefused);
    CHECK_FALSE(d.labels.empty());
    for (const Fix& fix : d.fixes) {
      const size_t at = fix.message.find("`--");
      if (at == std::string::npos) continue;
      const std::string change = fix.message.substr(at + 1, fix.message.rfind('`') - at - 1);
      CHECK(compiled(text, changed(change, 0)).ok);
      if (change[2] == 'l') CHECK_FALSE(compiled(text, changed(change, 1)).ok);
    }
  }
  // Half of a cache is most of these bytes: it is offered.
  const Compilation done = compiled(decoder("budget memory <= 1300KiB"));
  CHECK(render(done.diagnostics, done.source, false).find("--let C=") != std::string::npos);
}

TEST_CASE("points of a frontier are exact") {
  const std::string text = decoder("budget memory <= 20MiB");
  const Plan plan = plan_of(compiled(text));
  REQUIRE(plan.budget[0].frontier.size() == 1);
  const Plan::Frontier& frontier = plan.budget[0].frontier[0];
  CHECK(frontier.first == "B");
  CHECK(frontier.second == "S");
  CHECK(frontier.points.size() >= 3);
  for (const auto& [b, s] : frontier.points) {
    CompileOptions options;
    options.dims = {{"B", b}, {"S", s}};
    INFO("B = " << b << ", S = " << s);
    CHECK(compiled(text, options).ok);
    if (s == 512) continue;
    options.dims[1].second = s + 1;
    CHECK(has(compiled(text, options), Code::SizeRefused));
  }
}

TEST_CASE("over dims alone a budget has a frontier as well") {
  const Plan plan = plan_of(compiled(decoder("budget B * S <= 2048")));
  REQUIRE(plan.budget[0].frontier.size() == 1);
  const auto& points = plan.budget[0].frontier[0].points;
  CHECK(points.front() == std::pair<int64_t, int64_t>(4, 512));
  CHECK(points.back() == std::pair<int64_t, int64_t>(64, 32));
  CHECK(points.size() > 8);  // between the powers of two, whose partners lie a factor 2 apart
  CHECK(points.size() <= 12);
  for (const auto& [b, s] : points) CHECK(s == std::min<int64_t>(512, 2048 / b));
}

// A random program under a budget of so many 32nds of its arena: in how many dims some sizes lie between
// those that fit and those that fit under no placement.
int check_fit(uint64_t seed, int ops, int64_t share) {
  Random random(seed);
  std::string text = random_program(random, ops);
  CompileOptions options;
  options.keep_order = true;  // in other orders next to every arena meets its bound
  const Plan free = plan_of(compiled(text, options));
  if (free.memory.peak_bytes < 2 || !free.memory.peak || !free.memory.lower_bound || free.phases.size() > 1)
    return 0;
  const int64_t limit = free.memory.peak_bytes * share / 32;
  text += "\nbudget arena <= " + std::to_string(limit) + "\n";
  const Compilation done = compiled(text, options);
  if (!done.ok) return 0;  // not even the smallest sizes
  const Plan plan = plan_of(done);
  const Plan::Budget& budget = plan.budget.back();
  INFO("seed " << seed);
  int gaps = 0;
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    for (const auto& [name, most] : budget.max) {
      if (name != plan.dims[i].name || most >= plan.dims[i].max.value_or(most)) continue;
      CHECK(bytes_at(plan, plan.memory.peak, i, most) <= limit);
      CHECK(bytes_at(plan, plan.memory.peak, i, most + 1) > limit);
    }
    for (const auto& [name, least] : budget.beyond) {
      if (name != plan.dims[i].name) continue;
      CHECK(bytes_at(plan, plan.memory.lower_bound, i, least) > limit);
      CHECK(bytes_at(plan, plan.memory.lower_bound, i, least - 1) <= limit);
      for (const auto& [other, most] : budget.max) gaps += other == name && least > most + 1;
    }
  }
  return gaps;
}

TEST_CASE("what fits, and what fits under no placement, by the arena and by its bound") {
  int gaps = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) gaps += check_fit(seed, 80, 16) + check_fit(seed, 48, 29);
  CHECK(gaps > 0);
}

TEST_CASE("without advice nothing is planned twice, and narrower ranges are told all the same") {
  CompileOptions options;
  options.advise = false;
  const Plan plan = plan_of(compiled(decoder("budget memory <= 60MiB"), options));
  CHECK_FALSE(plan.budget[0].changes.empty());
  for (const Plan::Change& change : plan.budget[0].changes) CHECK(is_dim(change));
}

TEST_CASE("the peak is named in the plan, and checked") {
  const Compilation done = compiled(decoder(""));
  Plan plan = plan_of(done);
  for (const Plan::Phase& phase : plan.phases) {
    int64_t sum = 0;
    for (const Plan::AtPeak& entry : phase.at_peak) sum += entry.bytes;
    CHECK(sum <= phase.peak_bytes);
    CHECK(sum > 0);
    CHECK_FALSE(phase.peak_op.empty());
  }
  plan.phases[0].at_peak[0].bytes += 1;
  CHECK_FALSE(validate_plan(plan).empty());
  plan.phases[0].at_peak[0] = {"no such buffer", 1, 1};
  CHECK_FALSE(validate_plan(plan).empty());
}
