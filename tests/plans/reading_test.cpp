// What is read of a plan, leaf by leaf; the texts of budgets; and what an engine is told of a plan that
// holds.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "irplan/plan_file.h"
#include "memory/planned.h"
#include "plan/bounds.h"
#include "plan/layer_class.h"
#include "plan/proof/budget_text.h"
#include "plans/corpus.h"
#include "plans/mutations.h"

using namespace irplan;
using namespace irplan::plans_test;
using memory_test::planned;
using Json = nlohmann::ordered_json;

namespace {

// Values at edges of all kinds, and those that stand under keys of the same name.
const std::vector<Json>& edges() {
  static const std::vector<Json> kEdges = {nullptr,
                                           true,
                                           false,
                                           0,
                                           1,
                                           -1,
                                           7,
                                           int64_t{1} << 40,
                                           kMaxJsonInt,
                                           0.5,
                                           1e300,
                                           "",
                                           "x",
                                           "S",
                                           "B*S",
                                           "2*S + 1",
                                           "-1*S",
                                           "min(S, 8)",
                                           "S + S",
                                           "9223372036854775807*S",
                                           "f32",
                                           "q8_0",
                                           "i32",
                                           "load",
                                           "temp",
                                           "param",
                                           "state",
                                           "ring",
                                           "panels16",
                                           "arena",
                                           "weights",
                                           "relu",
                                           "cpu_linear_v1",
                                           "\x1b[2J",
                                           Json::array(),
                                           Json::array({0}),
                                           Json::array({0, 1}),
                                           Json::array({1, 0}),
                                           Json::array({"S", "S"}),
                                           Json::object(),
                                           Json::object({{"S", 1}})};
  return kEdges;
}

using Place = std::vector<std::pair<std::string, size_t>>;  // keys, or indices under ""

// By the keys on the way, with the op's name where attributes hang on it: the first place that has them, and
// all values.
struct Leaf {
  Place place;
  std::vector<Json> others;
};
void collect(const Json& node, const std::string& keys, Place& place, std::map<std::string, Leaf>& out) {
  Leaf& leaf = out[keys];
  if (leaf.place.empty()) leaf.place = place;
  if (leaf.others.size() < 3) leaf.others.push_back(node);
  const std::string op = node.is_object() && node.contains("attrs") ? node["op"].dump() : "";
  for (auto item = node.begin(); node.is_object() && item != node.end(); ++item) {
    place.emplace_back(item.key(), 0);
    collect(item.value(), keys + "." + item.key() + (item.key() == "attrs" ? op : ""), place, out);
    place.pop_back();
  }
  for (size_t i = 0; node.is_array() && i < node.size(); ++i) {
    place.emplace_back("", i);
    collect(node[i], keys + "[]", place, out);
    place.pop_back();
  }
}

Json& at(Json& root, const Place& place, size_t up = 0) {
  Json* node = &root;
  for (size_t i = 0; i + up < place.size(); ++i)
    node = place[i].first.empty() ? &(*node)[place[i].second] : &(*node)[place[i].first];
  return *node;
}

// Refused with words, or a plan that is the same when it is written and read, be it true or not, and whose
// steps have numbers if it is true.
bool answered(const std::string& text) {
  const auto plan = read_plan(text);
  if (!plan) return !plan.message().empty();
  const std::string written = write_plan(*plan);
  const auto again = read_plan(written);
  if (!again || write_plan(*again) != written) return false;
  if (!validate_plan(*plan).empty()) return true;
  Binding sizes;
  for (const Plan::Dim& dim : plan->dims) sizes.push_back(dim.value);
  for (const Plan::Phase& phase : plan->phases) {
    Binding own = sizes;
    for (const Plan::PhaseDim& dim : phase.dims) own[*plan->pool->find(dim.name)] = dim.value;
    if (PlanBounds(*plan).check(phase.name, own)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("each key of a plan, with other values, is refused or means what it says") {
  int64_t tried = 0;
  const auto look = [&](const Json& plan, const std::string& what) {
    ++tried;
    const std::string text = plan.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!answered(text)) FAIL(what + "\n" + text);
  };
  for (const char* program : {kEverything, kRare, kQuantised, kJoined}) {
    const std::string text = compiled("leaves", program, {});
    REQUIRE(!text.empty());
    Json root = Json::parse(text);
    std::map<std::string, Leaf> leaves;
    Place way;
    collect(root, "", way, leaves);
    for (const auto& [keys, leaf] : leaves) {
      if (leaf.place.empty()) continue;
      Json& here = at(root, leaf.place);
      const Json before = here;
      for (const Json& value : leaf.others) here = value, look(root, keys + " of another");
      for (size_t i = 0; i < edges().size() && program == kRare; ++i)
        here = edges()[i], look(root, keys + ", edge " + std::to_string(i));
      here = before;
      Json& holder = at(root, leaf.place, 1);
      const Json all = holder;
      if (holder.is_array()) {
        holder.push_back(before), look(root, keys + " once more"), holder = all;
        holder.erase(leaf.place.back().second);
      } else {
        holder.erase(leaf.place.back().first);
      }
      look(root, keys + " is gone");
      holder = all;
    }
  }
  CHECK(tried > 5000);
}

TEST_CASE("a plan that is broken everywhere is told of in forty findings at most, whatever is broken") {
  const std::vector<True> all = corpus(0);
  for (const char* name : {"gpt_oss", "everything", "rare", "gap"}) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const True& t) { return t.name == name; });
    REQUIRE(found != all.end());
    const Plan plan = read(*found);
    for (const Mutation& m : mutations()) {
      Plan broken = plan;
      for (uint64_t seed = 1; seed <= (m.last ? 1 : 90); ++seed) {
        Random random(seed);
        Victim victim(broken, random);
        m.apply(victim);
      }
      const auto findings = validate_plan(broken);
      INFO(m.name);
      CHECK(findings.size() <= proof::kMaxFindings);
    }
  }
}

TEST_CASE("parts of one axis that are no neighbours are told apart by what ranges say") {
  const char* const program =
      "dim S in 1..8\ndim T in 1..8\ninput x: f32[S, 64]\nw = param f32[96, 64]\na = linear(x, w)\n"
      "l, m, r = split(a, axis=-1, sizes=[32, 32, 32])\n"
      "lr = relu(l)\nrr = gelu(r)\nmr = exp(m)\n"
      "n = slice(a, axis=-1, start=16, len=32)\n"
      "o = output(lr + rr)\np = output(mr)\nq = output(sum(n, axis=1))\n";
  const Plan plan = planned(program);
  CHECK(listed(validate_plan(plan)) == "");
  // Every window once as a part of every other place on its axis.
  for (size_t v = 0; v < plan.values.size(); ++v) {
    if (plan.values[v].of.size() != 1) continue;
    for (int64_t start = 0; start <= 64; start += 8) {
      Plan other = plan;
      other.values[v].offset = other.pool->constant(4 * start);
      const auto findings = validate_plan(other);
      CHECK(findings.size() <= proof::kMaxFindings);
    }
  }
}

TEST_CASE("the text of a budget is read again: what it counts, and its limit") {
  const Plan plan = planned(
      "dim S in 1..64\ndim T in 1..8\nphase a { T = 1 }\nphase b { T in 1..8 }\ninput x: f32[S, T]\ny = "
      "output(relu(x))\n");
  const auto told = [&](const char* text) -> std::string {
    const auto budget = proof::read_budget(text, plan);
    if (!budget) return "none";
    const auto side = [](const std::optional<proof::BudgetSide>& s) -> std::string {
      if (!s) return "?";
      const Plan::Segments& n = s->counts;
      return std::to_string(n.weights) + std::to_string(n.state) + std::to_string(n.inputs) +
             std::to_string(n.arena) + " " + s->rest.text();
    };
    return (budget->phase.empty() ? "" : budget->phase + ": ") + side(budget->left) + " " +
           symbol(budget->relation) + " " + side(budget->right) + (budget->bytes ? " bytes" : "");
  };
  const std::pair<const char*, const char*> cases[] = {
      {"memory <= 1KiB", "1111 0 <= 0000 1024 bytes"},
      {"memory<=1.5MiB", "1111 0 <= 0000 1572864 bytes"},
      {"arena + 2 * weights <= 3 GB", "2001 0 <= ? bytes"},
      {"arena + 2*weights <= 3GB", "2001 0 <= 0000 3000000000 bytes"},
      {"weights * 2 - state >= 1_000", "2-100 0 >= 0000 1000 bytes"},
      {"a.arena <= 2kB", "a: 0001 0 <= 0000 2000 bytes"},
      {"b.memory == 1TiB", "b: 1111 0 == 0000 1099511627776 bytes"},
      {"c.memory <= 1TiB", "? <= 0000 1099511627776"},
      {"a. <= 1", "a: ? <= 0000 1"},
      {"S * T <= 8", "0000 S*T <= 0000 8"},
      {"S < 8", "0000 S <= 0000 7"},
      {"S > 8", "0000 S >= 0000 9"},
      {"S % 8 == 0", "0000 mod(S, 8) == 0000 0"},
      {"memory % 8 == 0", "? == 0000 0 bytes"},
      {"8 % memory == 0", "? == 0000 0 bytes"},
      {"-(S - 2*T) <= (3)", "0000 -S + 2*T <= 0000 3"},
      {"(S <= 3", "? <= 0000 3"},
      {"S) <= 3", "? <= 0000 3"},
      {"S / 2 <= 3", "? <= 0000 3"},
      {"memory * S <= 3", "? <= 0000 3 bytes"},
      {"memory * memory <= 3", "? <= 0000 3 bytes"},
      {"2 * memory <= 3B", "2222 0 <= 0000 3 bytes"},
      {"memory * 9223372036854775807 * 3 <= 1", "? <= 0000 1 bytes"},
      {"9223372036854775807*arena + arena <= 1", "? <= 0000 1 bytes"},
      {"memory <= 99999999999999999999", "1111 0 <= ? bytes"},
      {"memory <= 9999999999TB", "1111 0 <= ? bytes"},
      {"memory <= 1.0000000000000000000001KiB", "1111 0 <= ? bytes"},
      {"memory <= 0.3B", "1111 0 <= ? bytes"},
      {"memory <= 3.", "1111 0 <= ? bytes"},
      {"memory <= 1.2.3KiB", "1111 0 <= ? bytes"},
      {"memory <= 3parsecs", "1111 0 <= ? bytes"},
      {"memory <= 3 x", "1111 0 <= ? bytes"},
      {"nobody <= 3", "? <= 0000 3"},
      {"<= 3", "? <= 0000 3"},
      {"S <= ", "0000 S <= ?"},
      {"S <= \"3\"", "0000 S <= ?"},
      {"S\t<=\r\n3 ", "0000 S <= 0000 3"},
      {"S", "none"},
      {"", "none"},
      {"inputs - inputs <= 1", "0000 0 <= 0000 1 bytes"},
      {"1 - memory <= 2", "-1-1-1-1 1 <= 0000 2 bytes"},
      {"(2 + 1) * arena <= 2", "0003 0 <= 0000 2 bytes"},
      {"arena * (2 + 1) <= 2", "0003 0 <= 0000 2 bytes"},
      {"S*arena <= 2", "? <= 0000 2 bytes"},
  };
  for (const auto& [text, wanted] : cases) {
    INFO(text);
    CHECK(told(text) == wanted);
  }
  const std::string deep = std::string(80, '(') + "S" + std::string(80, ')') + " <= 1";
  CHECK(told(deep.c_str()) == "? <= 0000 1");
  CHECK(told((std::string(80, '-') + "S <= 1").c_str()) == "? <= 0000 1");
}

TEST_CASE("an engine reads a plan, and binds it to the sizes of a step") {
  CHECK(!PlanFile::read("{}").message().empty());
  const std::string text = compiled("engine", kEverything, {});
  const auto file = PlanFile::read(text);
  REQUIRE(file);
  CHECK(file->target() == "cuda");
  CHECK(file->align() == 256);
  CHECK(file->phases() == std::vector<std::string>{"prefill", "decode"});
  REQUIRE(file->dims().size() == 4);
  CHECK(file->dims()[2].per == "B");
  CHECK(file->outputs().size() > 2);
  const auto refused = [&](const char* phase, const PlanFile::Sizes& sizes, const char* words) {
    CHECK(file->bind(phase, sizes).message().find(words) != std::string::npos);
  };
  refused("nowhere", {}, "the plan has no phase nowhere");
  refused("decode", {{"B", 2}}, "no size is given for P");
  refused("decode", {{"Q", 2}}, "the plan has no dim Q");
  refused("decode", {{"B", 99}, {"P", 1}, {"T", 2}}, "B = 99 is outside of its range 1..8");
  refused("decode", {{"B", 2}, {"P", 1}, {"T", 2}, {"S", 4}},
          "S = 4 is outside of its range 1..1 in phase decode");
  refused("prefill", {{"B", 8}, {"P", 0}, {"T", 2}, {"S", 16}}, "does not hold");
  const auto step = file->bind("decode", {{"B", 2}, {"P", 3}, {"T", 5}});
  INFO(step.message());
  REQUIRE(step);
  CHECK(step->phase == "decode");
  CHECK(step->bytes.arena > 0);
  CHECK(step->bytes.weights > 0);
  CHECK(step->bytes.state > 0);
  CHECK(step->bytes.inputs > 0);
  int64_t ops = 0;
  for (const auto& op : step->ops) {
    ops += !op.kernel.empty() && !op.out.empty();
    for (const uint32_t v : op.out) CHECK(step->buffers[step->values[v].buffer].here);
    for (const auto& [name, json] : op.attributes) CHECK(!Json::parse(json, nullptr, false).is_discarded());
  }
  CHECK(ops == static_cast<int64_t>(step->ops.size()));
  const auto load = file->bind("load", {});
  REQUIRE(load);
  CHECK(load->ops.size() == 1);
  const auto rope = PlanFile::read(compiled("rare", kRare, {}));
  REQUIRE(rope);
  CHECK(rope->bind("main", {{"S", 2}, {"N", 1}}));
  CHECK_FALSE(rope->bind("main", {{"S", 2}, {"N", int64_t{1} << 58}}));
  const auto large = PlanFile::read(compiled("large", "input x: f32[S, T]\ny = output(relu(x))\n", {}));
  REQUIRE(large);
  CHECK(large->bind("main", {{"S", int64_t{1} << 40}, {"T", int64_t{1} << 40}}).message().find("64 bits") !=
        std::string::npos);
}

TEST_CASE("the numbers of a step are held against their buffers, whatever is wrong with them") {
  const auto wrong = [](const std::function<void(Plan&, Plan::Value&)>& damage, int64_t s) {
    Plan plan =
        planned("dim S in 0..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\ny = output(linear(x, w))\n");
    for (Plan::Value& v : plan.values) {
      if (v.id == "y") damage(plan, v);
    }
    return PlanBounds(plan).check("main", {s}).value_or("");
  };
  const auto text = [](Plan& plan, const char* e) {
    const auto out = plan.pool->parse(e);
    REQUIRE(out);
    return *out;
  };
  const auto none = [](Plan&, Plan::Value&) {};
  CHECK(wrong(none, 64).empty());
  CHECK(wrong(none, 0).empty());
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.offset = text(p, "S - 9"); }, 2) ==
        "values y: its offset or its buffer has no size");
  CHECK(wrong([&](Plan& p, Plan::Value& v) { p.buffers[v.buffer].bytes = text(p, "S - 9"); }, 2) ==
        "values y: its offset or its buffer has no size");
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.shape[0] = text(p, "S - 9"); }, 2) ==
        "values y: the extent S - 9 has no size");
  CHECK(wrong(
            [&](Plan& p, Plan::Value& v) {
              v.strides = Shape{text(p, "S - 9"), text(p, "1")};
            },
            2) == "values y: its bytes exceed 64 bits");
  CHECK(wrong(
            [&](Plan& p, Plan::Value& v) {
              v.strides = Shape{text(p, "9223372036854775807"), text(p, "1")};
            },
            3) == "values y: its bytes exceed 64 bits");
  CHECK(wrong(
            [&](Plan& p, Plan::Value& v) {
              v.strides = Shape{text(p, "4611686018427387904"), text(p, "1")};
            },
            2) == "values y: its bytes exceed 64 bits");
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.offset = text(p, "9223372036854775807"); }, 2) ==
        "values y: its bytes exceed 64 bits");
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.offset = text(p, "4"); }, 2) ==
        "values y: ends at byte 68 of a buffer of 64");
  CHECK(wrong(
            [&](Plan& p, Plan::Value& v) {
              v.shape = Shape{text(p, "4294967296"), text(p, "4294967296")};
            },
            2) == "values y: its bytes exceed 64 bits");
  Plan ragged = planned(
      "dim B in 1..4\ndim P[B] in 0..40\ninput x: f32[B, 1, 2, 8]\n"
      "y = output(rope(x, base=10000, at=P))\n");
  CHECK_FALSE(PlanBounds(ragged).check("main", {2, 5}, {{}, {3, 5}}));
  for (Plan::Op& op : ragged.ops) op.attrs.set("at", Attr(text(ragged, "4611686018427387904*P")));
  CHECK(PlanBounds(ragged).check("main", {2, 1}, {{}, {1, 5}}).value_or("").find("has no size in row 1") !=
        std::string::npos);
}

TEST_CASE("layers that differ in their number alone are one class") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"x", "x"},
                                                       {"layers.0.w", "layers.*.w"},
                                                       {"layers.12", "layers.*"},
                                                       {"a/3/b", "a/*/b"},
                                                       {"a/3b.4", "a/3b.*"},
                                                       {"0.a", "0.a"},
                                                       {"h2.1x", "h2.1x"},
                                                       {"a.1.2.3", "a.*.*.*"}};
  for (const auto& [id, wanted] : cases) CHECK(layer_class(id) == wanted);
}
