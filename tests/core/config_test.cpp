// A stranger's config.json: what is read, what is refused and where, and which keys nobody reads.
#include "ir/config.h"

#include <cmath>
#include <string>
#include <vector>

#include "catch.h"

using namespace irplan;

namespace {

std::string refused(const std::string& text) {
  const auto config = Config::read(text);
  return config ? "accepted" : config.message();
}

std::string list_of(size_t values) {
  std::string out = R"({"a": [0)";
  for (size_t i = 1; i < values; ++i) out += ",0";
  return out + "]}";
}

}  // namespace

TEST_CASE("a config's values are read as they stand, Python's numbers too") {
  const auto config = Config::parse(
      R"({"bool": true, "int": -7, "float": 1e-5, "large": 18446744073709551615, "text": "a\"Nb", "none": null,
          "nan": NaN, "low": -Infinity, "list": [Infinity, {"deep": 1}], "name": "Infinity", "NaNs": "-"})");
  INFO(config.message());
  REQUIRE(config);
  const ConfigNode& root = *config->root();
  using Kind = ConfigNode::Kind;
  CHECK(root.find("bool")->boolean);
  CHECK(root.find("int")->integer == -7);
  CHECK(root.find("float")->string == "1e-5");
  CHECK(root.find("large")->kind == Kind::Float);
  CHECK(root.find("text")->string == "a\"Nb");
  CHECK(root.find("none")->kind == Kind::Null);
  CHECK(std::isnan(root.find("nan")->number));
  CHECK(root.find("low")->number == -HUGE_VAL);
  CHECK(root.find("list")->items[0]->number == HUGE_VAL);
  CHECK(root.find("list")->items[1]->find("deep")->path() == "config.list[1].deep");
  CHECK(root.find("name")->string == "Infinity");
  CHECK(root.find("absent") == nullptr);
}

TEST_CASE("the last of two equal keys counts, in records of any size") {
  std::string many = R"({"twice": 1)";
  for (int i = 0; i < 100; ++i) many += ", \"k" + std::to_string(i) + "\": " + std::to_string(i);
  const auto config = Config::parse(many + R"(, "twice": 2, "twice": 3})");
  REQUIRE(config);
  const ConfigNode& root = *config->root();
  CHECK(root.entries.size() == 101);
  CHECK(root.find("twice")->integer == 3);
  CHECK(root.find("k99")->integer == 99);
  CHECK(root.find("k") == nullptr);
  CHECK(root.find("zzz") == nullptr);
}

TEST_CASE("what is wrong with a config is told with its place") {
  CHECK(refused("") == "it is not JSON, at line 1, column 1");
  CHECK(refused("{\"a\": 1,\n\"b\": ]}") == "it is not JSON, at line 2, column 6");
  CHECK(refused("{} x") == "it is not JSON, at line 1, column 4");
  CHECK(refused(R"({"a": NaNs})").find("it is not JSON, at line 1") == 0);
  CHECK(refused(R"({"a": 1e999})").find("it is not JSON") == 0);
  CHECK(refused("[1]") == "it is not a JSON object");
  CHECK(refused("NaN") == "it is not a JSON object");
  CHECK(refused("{\"\x7f\": 1}") == "it is not JSON");
  CHECK(refused(R"({"a": )" + std::string(64, '[') + std::string(64, ']') + "}") ==
        "it is nested deeper than 64");
  CHECK(refused(std::string(Config::kMaxBytes + 1, ' ')) == "it is larger than 16 MiB");
  const std::string full = "it holds more than " + std::to_string(Config::kMaxValues) + " values";
  const size_t room = Config::kMaxValues - 2;  // beside the record and the list
  CHECK(refused(list_of(room)) == "accepted");
  CHECK(refused(list_of(room + 1)) == full);
  // The value that is one too many may be of any kind.
  for (const std::string one : {"null", "true", "1.5", "\"x\"", "NaN", "[]", "{}"})
    CHECK(refused(list_of(room).insert(7, one + ",")) == full);
}

TEST_CASE("a text that looks like what stands for a number in the parser stays a text") {
  const auto config = Config::parse("{\"a\": \"\x7fmore\", \"b\": \"\"}");
  REQUIRE(config);
  CHECK(config->root()->find("a")->string == "\x7fmore");
  CHECK(config->root()->find("b")->string.empty());
}

TEST_CASE("keys that nobody reads are listed, and what is read is not") {
  const auto config = Config::parse(
      R"({"a": 1, "b": {"c": 1, "d": {"e": 2}}, "list": [1, 2], "part": [{"x": 1}, 3], "empty": {}})");
  REQUIRE(config);
  const ConfigNode& root = *config->root();
  CHECK(unread(*root.find("b")));
  CHECK(unread(*root.find("part")));
  CHECK(config->unread() == std::vector<std::string>{"a", "b.c", "b.d.e", "list", "part"});
  root.find("a")->read = true;
  root.find("b")->find("c")->read = true;
  root.find("part")->items[1]->read = true;
  CHECK_FALSE(unread(*root.find("a")));
  CHECK_FALSE(unread(*root.find("b")));
  CHECK_FALSE(unread(*root.find("part")));
  CHECK(config->unread() == std::vector<std::string>{"b.d.e", "list"});
  mark_read(root);
  CHECK(config->unread().empty());
}
