// Requests from a scheduler or a stranger, as files and as lines that come: what is read, and in which words
// the rest is refused.
#include "runtime/requests.h"

#include <string>
#include <vector>

#include "catch.h"

using namespace irplan;

namespace {

const std::string kRest = R"(, "tokens": [1], "arrival_us": 0, "max_new_tokens": 4})";

// Why a file of one line is refused, without its name and line; empty where it is read.
std::string refused_request(const std::string& line) {
  const auto read = read_requests(line, "r.jsonl");
  const std::string message = read ? "" : read.message(), place = "r.jsonl:1: ";
  CHECK((message.empty() || message.substr(0, place.size()) == place));
  return message.empty() ? "" : message.substr(place.size());
}
std::string refused_key(const std::string& entry) {
  return refused_request(R"({"req_id": "a", "tokens": [1], "arrival_us": 0, "max_new_tokens": 4, )" + entry +
                         "}");
}
std::string refused_lines(const std::string& line) {
  RequestLines lines;
  lines.add(line);
  lines.end();
  const auto all = lines.take();
  return all.empty() ? "nothing" : all[0].why;
}

}  // namespace

TEST_CASE("requests are read by arrival, with what ends them and how they are sampled") {
  const auto read = read_requests(
      R"({"req_id": "late", "tokens": [3, 4], "arrival_us": 20, "max_new_tokens": 2, "eos": 2, "stop": [[5, 6], 7]})"
      "\n  \r\n\n"
      R"({"req_id": "soon", "tokens": [], "arrival_us": 10, "max_new_tokens": 9007199254740992, "eos": [2, 9], "stop": 8, "temperature": 0.5, "top_k": null, "user": 1})",
      "r.jsonl");
  INFO(read.message());
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  const Request &soon = (*read)[0], &late = (*read)[1];
  CHECK(soon.id == "soon");
  CHECK(soon.tokens.empty());
  CHECK(soon.max_new_tokens == int64_t{1} << 53);
  CHECK(soon.unread == std::vector<std::string>{"user"});
  CHECK(soon.sampling.any());
  CHECK(soon.stop == std::vector<std::vector<int64_t>>{{8}});
  CHECK(late.tokens == std::vector<int64_t>{3, 4});
  CHECK(late.stop == std::vector<std::vector<int64_t>>{{5, 6}, {7}});
  CHECK_FALSE(late.sampling.any());
  CHECK(late.ends({5, 6}, {}));
  CHECK(late.ends({1, 7}, {}));
  CHECK(late.ends({2}, {}));
  CHECK_FALSE(late.ends({6}, {6}));  // its own ends, and no others
  CHECK_FALSE(late.ends({}, {}));
  CHECK(soon.ends({9}, {}));
  CHECK(Request().ends({4}, {4}));
  CHECK_FALSE(Request().ends({4}, {5}));
}

TEST_CASE("what is wrong with a request is told with its line") {
  CHECK(refused_request("{") == "is not a JSON object");
  CHECK(refused_request("[]") == "is not a JSON object");
  CHECK(refused_request(std::string(100, '[')).find("deep") != std::string::npos);
  CHECK(refused_request(R"({"tokens": [1], "arrival_us": 0, "max_new_tokens": 4})") == "req_id is missing");
  CHECK(refused_request(R"({"req_id": "a", "arrival_us": 0, "max_new_tokens": 4})") == "tokens is missing");
  CHECK(refused_request(R"({"req_id": "a", "tokens": [1], "max_new_tokens": 4})") == "arrival_us is missing");
  CHECK(refused_request(R"({"req_id": "a", "tokens": [1], "arrival_us": 0})") == "max_new_tokens is missing");
  CHECK(refused_request(R"({"req_id": 7)" + kRest) == "req_id is not a string");
  CHECK(refused_request(R"({"req_id": "a", "tokens": 1, "arrival_us": 0, "max_new_tokens": 4})") ==
        "tokens is not a list");
  CHECK(refused_request(R"({"req_id": "a", "tokens": [1.5], "arrival_us": 0, "max_new_tokens": 4})") ==
        "tokens holds something that is not a whole number");
  for (const char* number : {"-1", "1.5", "\"1\"", "9007199254740993", "null"}) {
    const std::string n(number);
    CHECK(refused_request(R"({"req_id": "a", "tokens": [1], "arrival_us": )" + n +
                          R"(, "max_new_tokens": 4})") == "arrival_us is not a whole number from 0 to 2^53");
    CHECK(refused_request(R"({"req_id": "a", "tokens": [1], "arrival_us": 0, "max_new_tokens": )" + n +
                          "}") == "max_new_tokens is not a whole number from 0 to 2^53");
  }
  CHECK(refused_key(R"("temperature": -1)").find("temperature takes ") == 0);
  CHECK(refused_key(R"("top_p": "much")").find("top_p takes ") == 0);
  CHECK(refused_key(R"("eos": "x")") == "eos takes a token id or a list of them, not \"x\"");
  CHECK(refused_key(R"("eos": [1, "x"])").find("eos takes ") == 0);
  CHECK(refused_key(R"("stop": [[]])").find("stop takes token ids") == 0);
  CHECK(refused_key(R"("stop": [1, "x"])").find("stop takes token ids") == 0);
  CHECK(refused_key(R"("eos": null, "stop": null, "seed": null)").empty());
  const std::string twice = R"({"req_id": "a")" + kRest;
  CHECK(read_requests(twice + "\n" + twice, "r.jsonl").message() == "r.jsonl:2: req_id \"a\" is there twice");
  CHECK(refused_request(std::string((size_t{16} << 20) + 1, 'x')) == "longer than the 16 MiB of a request");
}

TEST_CASE("requests come in pieces of any size") {
  const std::string text = R"({"req_id": "a", "tokens": [1], "max_new_tokens": 4})"
                           "\n\n"
                           R"({"req_id": "b", "tokens": 1, "max_new_tokens": 4})"
                           "\nnonsense\n"
                           R"({"req_id": "c", "tokens": [1], "arrival_us": 7, "max_new_tokens": 4})";
  for (const size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    RequestLines lines;
    CHECK_FALSE(lines.any());
    for (size_t at = 0; at < text.size(); at += piece) lines.add(std::string_view(text).substr(at, piece));
    CHECK(lines.any());
    CHECK_FALSE(lines.ended());
    lines.end();
    lines.end();
    lines.add("{}\n");  // nothing is read after the end
    CHECK(lines.ended());
    const auto all = lines.take();
    REQUIRE(all.size() == 4);
    CHECK(all[0].request->id == "a");
    CHECK(all[0].why.empty());
    CHECK(all[1].number == 3);
    CHECK(all[1].request->id == "b");  // who is answered
    CHECK(all[1].why == "tokens is not a list");
    CHECK_FALSE(all[2].request);
    CHECK(all[2].why == "is not a JSON object");
    CHECK(all[3].number == 5);
    CHECK(all[3].request->id == "c");
    CHECK_FALSE(lines.any());
  }
  CHECK(refused_lines("") == "nothing");
  RequestLines endless;
  endless.add(std::string((size_t{16} << 20) + 1, 'x'));
  CHECK(endless.ended());
  REQUIRE(endless.any());
  CHECK(endless.take()[0].why == "longer than the 16 MiB of a request");
}
