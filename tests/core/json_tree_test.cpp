// JSON from strangers: what is refused, where it is told to be, and what is kept. That it agrees with
// nlohmann/json on everything else is the fuzzer's question (tests/fuzz/json_twice.h).
#include "plan/json_tree.h"

#include <locale>

#include "catch.h"

using namespace irplan;

namespace {

std::string refusal(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  CHECK_FALSE(tree);
  return tree.message();
}

std::string again(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  INFO(tree.message());
  REQUIRE(tree);
  return compact(tree->root());
}

}  // namespace

TEST_CASE("a refusal says what is wrong, in which record, and where in the text") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected a value (line 1, column 1)"},
      {" \n ", "expected a value (line 2, column 2)"},
      {"{\"a\": 1", "a: expected `,` or `}` (line 1, column 8)"},
      {"{\"a\" 1}", "a: expected `:` after the key (line 1, column 6)"},
      {"{\"a\": 1,}", "a: expected a key in quotes (line 1, column 9)"},
      {"{a: 1}", "expected a key in quotes (line 1, column 2)"},
      {"[1 2]", "[1]: expected `,` or `]` (line 1, column 4)"},
      {"[1,]", "[1]: expected a value (line 1, column 4)"},
      {"[tru]", "[0]: expected a value (line 1, column 2)"},
      {"[nul", "[0]: expected a value (line 1, column 2)"},
      {"[1] x", "expected nothing after the value (line 1, column 5)"},
      {"'a'", "expected a value (line 1, column 1)"},
      {"[-]", "[0]: expected a value (line 1, column 2)"},
      {"[+1]", "[0]: expected a value (line 1, column 2)"},
      {"[01]", "[0]: no number: a digit is missing, or a zero leads it (line 1, column 3)"},
      {"[1.]", "[0]: no number: a digit is missing, or a zero leads it (line 1, column 4)"},
      {"[1e+]", "[0]: no number: a digit is missing, or a zero leads it (line 1, column 5)"},
      {"[NaN]", "[0]: expected a value (line 1, column 2)"},
      {"\"a", "a string without an end (line 1, column 1)"},
      {"\"a\nb\"", "a control character in a string; as \\u it may be there (line 1, column 3)"},
      {"\"\\x\"", "no escape of JSON (line 1, column 2)"},
      {"\"\\u12g4\"", "no escape of JSON (line 1, column 2)"},
      {"\"\\ud800\"", "half of a surrogate pair (line 1, column 2)"},
      {"\"\\ud800\\ue000\"", "half of a surrogate pair (line 1, column 2)"},
      {"{\"id\": 3, \"x\": [}", "x[0]: expected a value (line 1, column 17)"},
      {"{\"id\": \"h\", \"x\": ]", "h.x: expected a value (line 1, column 18)"},
      {"\"\\udc00\"", "half of a surrogate pair (line 1, column 2)"},
      {"\"\\ud800\\u0041\"", "half of a surrogate pair (line 1, column 2)"},
      {"[9007199254740992]", "[0]: the integer 9007199254740992 is beyond 2^53 - 1 (line 1, column 2)"},
      {"[-99999999999999999999999999]",
       "[0]: the integer -99999999999999999999999999 is beyond 2^53 - 1 (line 1, column 2)"},
      {"[1e999]", "[0]: the number 1e999 is beyond a double (line 1, column 2)"},
      {"{\"a\": 1, \"\\u0061\": 2}", "a: the key \"a\" stands twice in one object (line 1, column 18)"},
      {"{\"values\": [{\"id\": \"h\", \"shape\": [1, x]}]}",
       "values h.shape[1]: expected a value (line 1, column 38)"},
      {"{\"guards\": [{}, {\"expr\": .}]}", "guards[1].expr: expected a value (line 1, column 26)"},
      {"{\n  \"\xc3\xa9\": ?", "\xc3\xa9: expected a value (line 2, column 8)"},
  };
  for (const auto& [text, why] : cases) {
    INFO(text);
    CHECK(refusal(text) == why);
  }
}

TEST_CASE("bytes that are no UTF-8 are refused") {
  for (const char* bytes :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9d\x84", "\xff"}) {
    CHECK(refusal("\"" + std::string(bytes) + "\"") == "bytes that are no UTF-8 (line 1, column 2)");
    refusal("\"" + std::string(bytes));  // and at the text's end
  }
  CHECK(again("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")
            .size() == 23);
}

TEST_CASE("limits of what a stranger's JSON may hold") {
  const auto deep = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(again(deep(JsonTree::kMaxDepth)).size() > JsonTree::kMaxDepth);
  CHECK(refusal(deep(JsonTree::kMaxDepth + 1)).find("nested deeper than 64 (") != std::string::npos);
  std::string list = "[1", record = "{\"k\":1";
  for (size_t i = 0; i < JsonTree::kMaxItems; ++i) {
    list += ",        1";
    record += ",\"" + std::to_string(i) + "\":1";
  }
  CHECK(refusal(list + "]").find("a list of more than 1000000 items") != std::string::npos);
  CHECK(refusal(record + "}").find("a record of more than 1000000 keys") != std::string::npos);
  CHECK(refusal("[" + std::string(40000, '[')).find("nested deeper") != std::string::npos);
  std::string zeros = "[0";
  for (int i = 0; i < 20000; ++i) zeros += ",0";
  CHECK(refusal(zeros + "]").find("more than 14096 values") != std::string::npos);
  std::string keys = "{";
  for (int i = 0; i < 40; ++i) keys += "\"key" + std::to_string(i) + "\":1,";
  CHECK(refusal("{\"dims\": [{\"name\": \"B\", \"of\": " + keys + "\"key3\":2}")
            .find("dims B.of: the key \"key3\" stands twice") == 0);
  CHECK(refusal(std::string(JsonTree::kMaxBytes + 1, ' ')) == "larger than 256 MiB");
}

TEST_CASE("what is kept is what stands there") {
  CHECK(again("{ \"a\" : [ 1 , 2.5 , -0 , \"\\u00e9\\ud834\\udd1e\\n\" ] , \"b\" : { } , \"c\" : [ ] , \"d\" "
              ": null }") ==
        "{\"a\":[1,2.5,0,\"\xc3\xa9\xf0\x9d\x84\x9e\\n\"],\"b\":{},\"c\":[],\"d\":null}");
  CHECK(again("[]") == "[]");
  CHECK(again("[1,[2]]") == "[\n1,\n[2]\n]");
  const auto tree = JsonTree::parse("{\"n\": 7, \"x\": 0.5, \"s\": \"t\", \"b\": true, \"l\": [1, 2]}");
  REQUIRE(tree);
  const JsonNode& root = tree->root();
  CHECK(root.find("n")->integer() == 7);
  CHECK(root.find("n")->number() == 7.0);
  CHECK(root.find("x")->number() == 0.5);
  CHECK(root.find("b")->boolean());
  CHECK(root.find("l")->items().size() == 2);
  // What it is not is empty.
  CHECK(root.find("s")->items().empty());
  CHECK(root.find("l")->string().empty());
  CHECK(root.find("x")->integer() == 0);
  CHECK(root.items().empty());
  CHECK(root.find("n")->entries().empty());
  CHECK(root.find("none") == nullptr);
  CHECK(sizeof(JsonNode) == 16);
}

TEST_CASE("lists and strings of all sizes stay where they are") {
  std::string text = "[";
  for (size_t i = 0; i < 60; ++i) {
    text += std::string(i ? "," : "") + "[\"\\u0041" + std::string(i * 400, 'x') + "\"";
    for (size_t k = 0; k < i * 40; ++k) text += "," + std::to_string(k * 1000000);
    text += "]";
  }
  text += "]";
  const auto tree = JsonTree::parse(text);
  REQUIRE(tree);
  const auto lists = tree->root().items();
  REQUIRE(lists.size() == 60);
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto items = lists[i].items();
    REQUIRE(items.size() == i * 40 + 1);
    CHECK(items[0].string() == "A" + std::string(i * 400, 'x'));
    for (size_t k = 1; k < items.size(); ++k)
      REQUIRE(items[k].integer() == static_cast<int64_t>((k - 1) * 1000000));
  }
}
