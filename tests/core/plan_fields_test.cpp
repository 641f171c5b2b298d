// What is made from the table of the plan's fields: the schema and the types in the tree are what it gives.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "catch.h"
#include "plan/describe.h"
#include "plan/plan.h"

using namespace irplan;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The file as it is made; `./dev golden --update` writes it anew.
void check_made(const std::string& name, const std::string& made) {
  const std::string path = std::string(IRPLAN_SOURCE_DIR) + "/" + name;
  if (std::getenv("IRPLAN_UPDATE")) std::ofstream(path, std::ios::binary) << made;
  INFO(name << " is not what core/src/plan/fields.h gives: run ./dev golden --update");
  CHECK(text_of(path) == made);
}

std::string refusal(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  const auto read = read_plan(text.replace(at, from.size(), to));
  CHECK_FALSE(read);
  return read.message();
}

}  // namespace

TEST_CASE("the schema and the types are made from the table of fields", "[made]") {
  check_made("core/src/plan/plan.schema.json", plan_schema());
  check_made("wasm/plan.d.ts", plan_types());
}

TEST_CASE("a plan that is no plan is refused with the place") {
  const std::string plan = text_of(IRPLAN_SOURCE_DIR "/tests/data/plans/example.json");
  CHECK(refusal(plan, "\"version\": \"0.1.0\"", "\"version\": \"0.2.0\"") ==
        "plan: the version \"0.2.0\" is not 0.1.0");
  CHECK(refusal(plan, "\"producer\"", "\"produced\"") == "plan: lacks \"producer\"");
  CHECK(refusal(plan, "\"align\": 256", "\"align\": 3") ==
        "target: the align 3 is not a power of two up to 1 MiB");
  CHECK(refusal(plan, "\"kind\": \"temp\"", "\"kind\": \"tmp\"") ==
        "values n.kind: \"tmp\" is none of input, param, state, folded, temp");
  CHECK(refusal(plan, "\"source\": \"w\"", "\"sauce\": \"w\"") == "values w: lacks \"source\"");
  CHECK(refusal(plan, "\"shape\": [\"1\"", "\"shape\": [1") == "values x.shape: is no expression");
  CHECK(refusal(plan, "\"buffer\": \"x\"", "\"buffer\": \"z\"") == "values x.buffer: no buffer \"z\"");
  CHECK(refusal(plan, "\"live\": [0, 3]", "\"live\": [3, 0]") == "buffers n.live: [3, 0] runs backwards");
  CHECK(refusal(plan, "\"above\": []", "\"over\": []") == "buffers n: lacks \"above\"");
  CHECK(refusal(plan, "\"op\": \"silu\"", "\"op\": \"silo\"") == "ops s.op: no operator \"silo\"");
  CHECK(refusal(plan, "\"eps\": 1e-05", "\"eps\": \"1\"") == "ops n.attrs.eps: is of another type");
  CHECK(refusal(plan, "\"eps\": 1e-05", "\"epsilon\": 1e-05") == "ops n.attrs: lacks the attribute \"eps\"");
  CHECK(refusal(plan, "cuda_rmsnorm_v1", "cpu_rmsnorm_v1") ==
        "ops n: the kernel \"cpu_rmsnorm_v1\" is not of the form cuda_rmsnorm_v<N>");
  CHECK(refusal(plan, "\"worst_ratio\": 1.0", "\"worst_ratio\": 0.5") ==
        "memory_plan.range: worst_ratio is less than 1");
  CHECK(refusal(plan, "\"live\": [0, 3]", "\"live\": [0, \"3\"]") ==
        "buffers n.live: is not a pair of indices");
  CHECK(refusal(plan, "\"live\": [0, 3]", "\"live\": [0, 9007199254740991]") ==
        "buffers n.live: is not a pair of indices");
  CHECK(refusal(plan, "\"min\": 64", "\"min\": 5000").find("value 4096 outside of 5000..") !=
        std::string::npos);
  CHECK(refusal(plan, "\"max\": null", "\"max\": 0").find("value 4096 outside of 1..0") != std::string::npos);
  CHECK(refusal(plan, "\"name\": \"S\"", "\"name\": \"{\"").find("is not a name") != std::string::npos);
  CHECK(refusal(plan, "\"producer\": \"", "\"producer\": \"\\u007f").find("producer: ") == 0);
  std::string axes = "\"shape\": [";
  for (int i = 0; i < 100; ++i) axes += "\"1\", ";
  CHECK(refusal(plan, "\"shape\": [", axes).find("values x.shape: more than ") == 0);
  CHECK(refusal(plan, "\"dims\": {}", "\"dims\": {\"Q\": {\"min\": 1, \"max\": 1, \"value\": 1}}")
            .find("no dim of the plan") != std::string::npos);
  const char* const wide = "\"dims\": {\"D\": {\"min\": 1, \"max\": null, \"value\": 64}}";
  CHECK(refusal(plan, "\"dims\": {}", wide).find("outside of the dim's range") != std::string::npos);
  CHECK(refusal(plan, "\"guards\": [", "\"guards\": [{\"expr\": 3, \"line\": 1}").find("guards[0]") == 0);
  CHECK(refusal(plan, "\"guards\": [", "\"guards\": [{\"expr\": \"S\", \"line\": 1}")
            .find("is not a comparison with <=, >= or ==") != std::string::npos);
}

TEST_CASE(
    "a text that would be written as no key is none, and a plan that is read is one when it is written") {
  const std::string plan = text_of(IRPLAN_SOURCE_DIR "/tests/data/plans/example.json");
  CHECK(refusal(plan, "\"source\": \"w\"", "\"source\": \"\"") == "values w.source: is empty");
  CHECK(refusal(plan, "\"peak_op\": \"n\"", "\"peak_op\": \"\"") == "memory_plan.peak_op: is empty");
  CHECK(refusal(plan, "\"name\": \"main\"", "\"name\": \"\"") == "phases[0].name: is empty");
  CHECK(refusal(plan, "\"name\": \"cuda\"", "\"name\": \"\"") == "target.name: is empty");
  CHECK(refusal(plan, "\"file\": \"", "\"file\": \"../").find("source.file: \"../") == 0);
  CHECK(refusal(plan, "\"sha256\": \"", "\"sha256\": \"G").find("is no hash") != std::string::npos);
  CHECK(refusal(plan, "\"line\": ", "\"line\": 4294967296").find("is too large") != std::string::npos);
}

TEST_CASE("a record that is broken is named, not those that point at it") {
  const std::string plan = text_of(IRPLAN_SOURCE_DIR "/tests/data/plans/example.json");
  CHECK(refusal(plan, "\"buffers\": [", "\"buffets\": [") == "plan: lacks \"buffers\"");
  CHECK(refusal(plan, "\"buffers\": [", "\"buffers\": 1, \"buffets\": [") == "buffers: is no list");
  CHECK(refusal(plan, "\"buffers\": [", "\"buffers\": [3, ") == "buffers[0]: is no object");
  CHECK(refusal(plan, "{\"id\": \"x\", \"segment\"", "{\"id\": 3, \"segment\"").find("the id is no string") !=
        std::string::npos);
  CHECK(refusal(plan, "{\"id\": \"x\", \"segment\"", "{\"segment\"").find("lacks \"id\"") !=
        std::string::npos);
}

TEST_CASE("keys of a plan may stand in any order") {
  const std::string plan = text_of(IRPLAN_SOURCE_DIR "/tests/data/plans/example.json");
  std::string turned = plan;
  const std::string from = "\"version\": \"0.1.0\"";
  turned.erase(turned.find(from), from.size() + 2);
  turned.insert(turned.rfind('}'), ", " + from);
  const auto a = read_plan(plan), b = read_plan(turned);
  INFO(a.message());
  REQUIRE(a);
  REQUIRE(b);
  CHECK(write_plan(*a) == write_plan(*b));
}
