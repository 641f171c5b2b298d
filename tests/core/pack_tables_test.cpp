// Tables of buffers as JSON and CSV, from strangers: what is read, what is refused and how it is told, what
// is written.
#include <nlohmann/json.hpp>
#include <string>

#include "catch.h"
#include "irplan/pack.h"

using namespace irplan;
using Json = nlohmann::json;

namespace {

std::string refused_table(const std::string& text) {
  const auto read = read_pack_json(text);
  return read ? "accepted" : read.message();
}

std::string refused_buffer(const std::string& buffer) { return refused_table("[" + buffer + "]"); }

}  // namespace

TEST_CASE("a table as JSON is read under the names that files have for its keys") {
  const auto table = read_pack_json(
      R"({"name": "x", "version": 1, "comment": null, "height": 1, "bound": 2, "verdict": "", "memory": 64, "allocations": [
        {"id": "a", "lower": 0, "upper": 4, "size": 8},
        {"name": "b", "begin": -1, "end": 3, "bytes": 8, "align": 4, "offset": 16},
        {"buffer_id": 7, "lifespan": [0, 4], "size": 16, "gaps": [[1, 2], {"lower": 2, "upper": 3, "window": [0, 8]}]},
        {"lifetime": {"start": 0, "upper": 4}, "size": 0, "alignment": 1, "gaps": null}]})");
  INFO(table.message());
  REQUIRE(table);
  CHECK(table->capacity == 64);
  CHECK(table->ids == std::vector<std::string>{"a", "b", "7", "3"});
  CHECK(table->buffers[1].lower == -1);
  CHECK(table->buffers[1].upper == 4);
  CHECK(table->needs[1].alignment == 4);
  CHECK(table->needs[1].offset == 16);
  REQUIRE(table->needs[2].gaps.size() == 2);
  CHECK(table->needs[2].gaps[1].kept_upper == 8);
  const PackResult result = pack(*table);
  const Json written = Json::parse(write_pack_json(*table, result));
  // In the words in which it was read, with an offset each.
  CHECK(written["memory"] == 64);
  CHECK(written["allocations"].size() == 4);
  CHECK(written["allocations"][1]["align"] == 4);
  CHECK(written["allocations"][1]["offset"] == 16);
  CHECK(written["allocations"][2]["gaps"].size() == 2);
  CHECK(written["allocations"][2]["gaps"][1]["window"] == Json({0, 8}));
  CHECK(written["allocations"][0]["offset"].is_number());
  CHECK(read_pack_json(written.dump()).message() == "");
  // Where nothing asks for more than a place, nothing is said of it.
  const auto plain = read_pack_json(R"([{"lower": 0, "upper": 1, "size": 2}])");
  REQUIRE(plain);
  CHECK(plain->needs.empty());
  CHECK_FALSE(Json::parse(write_pack_json(*plain, pack(*plain))).contains("capacity"));
}

TEST_CASE("what is wrong with a table as JSON is told") {
  CHECK(refused_table("{") == "it is not JSON");
  CHECK(refused_table("3") == "expected {\"buffers\": […]}");
  CHECK(refused_table("{}") == "expected {\"buffers\": […]}");
  CHECK(refused_table(R"({"buffers": {}})") == "expected {\"buffers\": […]}");
  CHECK(refused_table(R"({"buffets": []})") ==
        "the key `buffets` is not known; keys are buffers and capacity");
  for (const char* size : {"-1", "1.5", "\"1\"", "18446744073709551615"})
    CHECK(refused_table(std::string(R"({"buffers": [], "capacity": )") + size + "}") ==
          "`capacity` is not a size");
  CHECK(refused_buffer("3") == "buffer 0: it is not a record");
  CHECK(refused_buffer(R"({"lower": 0, "upper": 1, "size": 1, "weight": 1})")
            .find("the key `weight` is not known") != std::string::npos);
  CHECK(refused_buffer(R"({"upper": 1, "size": 1})") == "buffer 0: it has no `lower`");
  CHECK(refused_buffer(R"({"lower": 0, "size": 1})") == "buffer 0: it has no `upper`");
  CHECK(refused_buffer(R"({"lower": 0, "upper": 1})") == "buffer 0: it has no `size`");
  CHECK(refused_buffer(R"({"lower": 0, "upper": null, "size": 1})") == "buffer 0: it has no `upper`");
  CHECK(refused_buffer(R"({"lower": 2, "upper": 1, "size": 1})") == "buffer 0: alive from 2 to 1");
  CHECK(refused_buffer(R"({"lifespan": [1], "size": 1})") == "buffer 0: a life is [lower, upper]");
  CHECK(refused_buffer(R"({"lifespan": 1, "size": 1})") == "buffer 0: a life is [lower, upper]");
  CHECK(refused_buffer(R"({"lifespan": [0.5, 1], "size": 1})") == "buffer 0: `0.5` is not a valid lower");
  CHECK(refused_buffer(R"({"lifespan": [0, "1"], "size": 1})") == "buffer 0: `\"1\"` is not a valid upper");
  for (const char* size : {"-1", "1e3", "18446744073709551615", "2305843009213693953"})
    CHECK(refused_buffer(std::string(R"({"lower": 0, "upper": 1, "size": )") + size + "}")
              .find("is not a valid size") != std::string::npos);
  const std::string huge = R"({"lower": 0, "upper": 1, "size": 2305843009213693952})";
  CHECK(refused_table("[" + huge + ", " + huge + "]") == "buffer 1: the sizes exceed 2^61 bytes together");
  const auto with = [](const std::string& key) {
    return refused_buffer(R"({"id": "a", "lower": 0, "upper": 4, "size": 8, )" + key + "}");
  };
  CHECK(with(R"("alignment": 0)") == "buffer 0: `0` is not a valid alignment");
  CHECK(with(R"("offset": -1)") == "buffer 0: `-1` is not a valid offset");
  CHECK(with(R"("alignment": 4, "offset": 6)") ==
        "buffer 0: its offset 6 is not a multiple of the alignment 4");
  CHECK(with(R"("gaps": 1)") == "buffer 0: `gaps` is not a list");
  CHECK(with(R"("gaps": [1])") == "buffer 0: a life is [lower, upper]");
  CHECK(with(R"("gaps": [[2, 1]])") == "buffer 0: the gap 2-1 ends before it begins");
  CHECK(with(R"("gaps": [[3, 5]])") == "buffer 0: the gap 3-5 is outside of the buffer's life");
  CHECK(with(R"("gaps": [[-1, 2]])") == "buffer 0: the gap -1-2 is outside of the buffer's life");
  CHECK(with(R"("gaps": [[1, 3], [2, 4]])") == "buffer 0: the gap 2-4 begins before the one before it ends");
  for (const char* window : {"[0, 9]", "[-1, 2]", "[3, 2]"})
    CHECK(with(std::string(R"("gaps": [{"lower": 1, "upper": 2, "window": )") + window + "}]") ==
          "buffer 0: the gap 1-2 keeps bytes outside the buffer");
  CHECK(with(R"("gaps": [{"lifespan": [1, 2], "window": 3}])") == "buffer 0: a life is [lower, upper]");
  const std::string a = R"({"id": "a", "lower": 0, "upper": 1, "size": 1})";
  CHECK(refused_table("[" + a + "," + a + "]") == "two buffers have the id `a`");
}

TEST_CASE("a table as CSV has columns in any order, of alignments and gaps too") {
  const auto table = read_pack_csv(
      "\xEF\xBB\xBFid,begin,end,size,alignment,offset,gaps\na,0,3,8,4,16,\n\nb,-2,3,16,1,, -1-0  1-2@0:8 \n");
  INFO(table.message());
  REQUIRE(table);
  CHECK(table->buffers[0].upper == 4);
  CHECK(table->needs[0].alignment == 4);
  CHECK(table->needs[0].offset == 16);
  REQUIRE(table->needs[1].gaps.size() == 2);
  CHECK(table->needs[1].gaps[0].lower == -1);
  CHECK(table->needs[1].gaps[1].upper == 3);
  CHECK(table->needs[1].gaps[1].kept_upper == 8);
  const std::string written = write_pack_csv(*table, pack(*table));
  CHECK(written.find("id,lower,upper,size,alignment,gaps,offset\n") == 0);
  CHECK(written.find("-1-1 1-3@0:8") != std::string::npos);
  const auto refused_row = [&](const std::string& row) {
    const auto read = read_pack_csv("id,lower,upper,size,alignment,offset,gaps\n" + row + "\n");
    return read ? "accepted" : read.message();
  };
  CHECK(refused_row("a,0,4,8,0,,") == "line 2: `0` is not a valid alignment");
  CHECK(refused_row("a,0,4,8,2305843009213693953,,") == "line 2: an alignment of more than 2^61 bytes");
  CHECK(refused_row("a,0,4,8,1,x,") == "line 2: `x` is not a valid offset");
  CHECK(refused_row("a,0,4,8,1,2305843009213693953,") == "line 2: an offset of more than 2^61 bytes");
  CHECK(refused_row("a,0,4,8,4,6,") == "line 2: the offset 6 is not a multiple of the alignment 4");
  CHECK(refused_row("a,0,4,8,1,,1") ==
        "line 2: the gap `1` is not written as lower-upper or lower-upper@from:to");
  CHECK(refused_row("a,0,4,8,1,,1-x") ==
        "line 2: the gap `1-x` is not written as lower-upper or lower-upper@from:to");
  CHECK(refused_row("a,0,4,8,1,,x-1") ==
        "line 2: the gap `x-1` is not written as lower-upper or lower-upper@from:to");
  CHECK(refused_row("a,0,4,8,1,,\na,0,4,8,1,,") == "two buffers have the id `a`");
  CHECK(refused_row("a,0,-,8,1,,") == "line 2: `-` is not a valid upper");
  CHECK(refused_row("a,0,9223372036854775808,8,1,,") == "line 2: `9223372036854775808` is not a valid upper");
  CHECK(refused_row("a,0,92233720368547758070,8,1,,") ==
        "line 2: `92233720368547758070` is not a valid upper");
  CHECK(refused_row("a,0,4,8,1,,1-2@3") == "line 2: the gap `1-2@3` keeps bytes outside the buffer");
  CHECK(refused_row("a,0,4,8,1,,2-1") == "line 2: the gap `2-1` ends before it begins");
  CHECK(refused_row("a,0,4,8,1,,1-2 1-3") == "line 2: the gap `1-3` begins before the one before it ends");
  CHECK(refused_row("a,0,4,8,1") == "line 2: 5 cells where the first line has 7");
  CHECK(refused_row("a,0,4,8,1,,,") == "line 2: more cells than the 7 of the first line");
  CHECK(refused_row("a,4,0,8,1,,").find("line 2: alive from 4 to 0") == 0);
  CHECK(refused_row("a,0,4,2305843009213693952,1,,\nb,0,1,1,1,,") ==
        "line 3: the sizes exceed 2^61 bytes together");
  CHECK(read_pack_csv("").message() == "line 1: expected id,lower,upper,size");
  CHECK(read_pack_csv("id,lower,upper,size,size\n").message() == "line 1: two columns are called `size`");
  CHECK(read_pack_csv("id,lower,upper\n").message() == "line 1: there is no column `size`");
  CHECK(read_pack_csv("id,lower,upper,weight\n").message().find("line 1: the column `weight` is not known") ==
        0);
}

TEST_CASE("a table as CSV may come from a spreadsheet, and its last steps from anywhere") {
  const auto table = read_pack_csv(
      "\"id\", \"start\", \"end\", \"size\", \"offset\"\r\n\"a\", 0, 9223372036854775807, 8, 16\r\n\r\nb, 1, "
      "2, 8,\r\n");
  INFO(table.message());
  REQUIRE(table);
  CHECK(table->ids == std::vector<std::string>{"a", "b"});
  CHECK(table->buffers[0].upper == INT64_MAX);  // no step comes after it
  CHECK(table->buffers[1].upper == 3);
  REQUIRE(table->needs.size() == 2);
  CHECK(table->needs[0].offset == 16);
  CHECK(write_pack_csv(*table, pack(*table)).find("id,lower,upper,size,offset\na,0,") == 0);
  const auto gap = read_pack_csv("id,begin,end,size,gaps\na,0,9223372036854775807,8,3-9223372036854775807\n");
  REQUIRE(gap);
  CHECK(gap->needs[0].gaps[0].upper == INT64_MAX);
  const auto plain = read_pack_csv("id,lower,upper,size,alignment,gaps\na,0,4,8,1,\n");
  REQUIRE(plain);
  CHECK(plain->needs.empty());
  CHECK(write_pack_csv(*plain, pack(*plain)) == "id,lower,upper,size,offset\na,0,4,8,0\n");
}

TEST_CASE("a table that came as CSV is written as JSON with all that it asks for") {
  const auto table =
      read_pack_csv("id,lower,upper,size,alignment,gaps\na,0,6,16,8,1-2 3-4@0:8\nb,0,6,16,1,\n");
  REQUIRE(table);
  const std::string written = write_pack_json(*table, pack(*table));
  const Json json = Json::parse(written);
  CHECK(json["buffers"][0]["alignment"] == 8);
  CHECK(json["buffers"][0]["gaps"] ==
        Json::parse(
            R"([{"lower": 1, "upper": 2}, {"lower": 3, "upper": 4, "window": {"lower": 0, "upper": 8}}])"));
  CHECK_FALSE(json["buffers"][1].contains("alignment"));
  const auto again = read_pack_json(written);
  INFO(again.message());
  REQUIRE(again);
  CHECK(again->needs[0].gaps[1].kept_upper == 8);
  const auto plain = read_pack_csv("id,lower,upper,size\na,0,6,16\n");
  REQUIRE(plain);
  CHECK(Json::parse(write_pack_json(*plain, pack(*plain)))["buffers"][0].size() == 5);
  // A bound of the table's own stands under the name that it has there.
  const auto bounded =
      read_pack_json(R"({"capacity": 64, "buffers": [{"lower": 0, "upper": 1, "size": 2}]})");
  REQUIRE(bounded);
  CHECK(Json::parse(write_pack_json(*bounded, pack(*bounded)))["capacity"] == 64);
}
