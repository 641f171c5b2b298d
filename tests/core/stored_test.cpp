// Numbers as files store them, configs, and lines of requests, read from bytes of strangers.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "catch.h"
#include "ir/config.h"
#include "ops/op.h"
#include "runtime/npy.h"
#include "runtime/requests.h"

using namespace irplan;

namespace {

template <class T>
StoredTensor stored(Stored type, const std::vector<T>& numbers) {
  static std::vector<std::byte> held;  // of the last tensor
  held.resize(numbers.size() * sizeof(T));
  std::memcpy(held.data(), numbers.data(), held.size());
  return {type, {static_cast<int64_t>(numbers.size())}, held.data(), held.size()};
}

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string out = "\x93NUMPY";
  out += {version, '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) out += std::string(2, '\0');
  return out + header + data;
}

std::string refused_file(const std::string& file) {
  const auto read = read_npy(std::as_bytes(std::span(file)));
  return read ? "accepted" : read.message();
}

std::string config_refusal(const std::string& text) {
  const auto read = Config::parse(text);
  return read ? "accepted" : read.message();
}

}  // namespace

TEST_CASE("Whole numbers of every stored type are read, as they are and as floats") {
  const auto check = [](const StoredTensor& tensor, const std::vector<int64_t>& wanted) {
    INFO(info(tensor.type).name);
    const HostArray array = to_array(tensor);
    CHECK_FALSE(array.floats);
    CHECK(array.i == wanted);
    std::vector<float> floats(wanted.size());
    read_floats(tensor, 0, static_cast<int64_t>(wanted.size()), floats.data());
    for (size_t i = 0; i < wanted.size(); ++i) {
      CHECK(floats[i] == static_cast<float>(wanted[i]));
      CHECK(number_text(tensor, static_cast<int64_t>(i)) == std::to_string(wanted[i]));
    }
  };
  check(stored<int64_t>(Stored::I64, {INT64_MIN, -1, INT64_MAX}), {INT64_MIN, -1, INT64_MAX});
  check(stored<int32_t>(Stored::I32, {INT32_MIN, 7}), {INT32_MIN, 7});
  check(stored<int16_t>(Stored::I16, {INT16_MIN, 7}), {INT16_MIN, 7});
  check(stored<int8_t>(Stored::I8, {-128, 7}), {-128, 7});
  check(stored<uint64_t>(Stored::U64, {0, 7}), {0, 7});
  check(stored<uint32_t>(Stored::U32, {UINT32_MAX, 7}), {UINT32_MAX, 7});
  check(stored<uint16_t>(Stored::U16, {UINT16_MAX, 7}), {UINT16_MAX, 7});
  check(stored<uint8_t>(Stored::U8, {255, 7}), {255, 7});
  check(stored<uint8_t>(Stored::Bool, {0, 1, 255}), {0, 1, 1});
  CHECK(number_text(stored<uint64_t>(Stored::U64, {UINT64_MAX}), 0) == "18446744073709551615");
}

TEST_CASE("Floats of every stored type are read, and as whole numbers where they fit") {
  const auto floats = [](const StoredTensor& tensor) { return to_array(tensor).f; };
  CHECK(floats(stored<double>(Stored::F64, {0.5, -3})) == std::vector<float>{0.5f, -3});
  CHECK(floats(stored<float>(Stored::F32, {0.5f, -3})) == std::vector<float>{0.5f, -3});
  CHECK(floats(stored<uint16_t>(Stored::F16, {0x3800, 0xC200})) == std::vector<float>{0.5f, -3});
  CHECK(floats(stored<uint16_t>(Stored::BF16, {0x3F00, 0xC040})) == std::vector<float>{0.5f, -3});
  CHECK(floats(stored<uint8_t>(Stored::F8E4M3, {0x30, 0xC4})) == std::vector<float>{0.5f, -3});
  CHECK(floats(stored<uint8_t>(Stored::F8E5M2, {0x38, 0xC2})) == std::vector<float>{0.5f, -3});
  const std::vector<float> powers = floats(stored<uint8_t>(Stored::F8E8M0, {0, 1, 127, 254, 255}));
  CHECK(powers[0] == std::ldexp(1.0f, -127));
  CHECK(powers[1] == std::ldexp(1.0f, -126));
  CHECK(powers[2] == 1);
  CHECK(powers[3] == std::ldexp(1.0f, 127));
  CHECK(std::isnan(powers[4]));
  CHECK(number_text(stored<double>(Stored::F64, {0.1}), 0) == "0.1");
  CHECK(number_text(stored<uint16_t>(Stored::F16, {0xC200}), 0) == "-3");
  const float beyond = 1e30f, none = std::numeric_limits<float>::quiet_NaN();
  CHECK(read_int(stored<float>(Stored::F32, {-7.5f, beyond, -beyond, none}), 0) == -7);
  for (int64_t i = 1; i < 4; ++i)
    CHECK(read_int(stored<float>(Stored::F32, {-7.5f, beyond, -beyond, none}), i) == 0);
}

TEST_CASE("A stored type has a name in each format that has it") {
  for (int i = 0; i <= static_cast<int>(Stored::Bool); ++i) {
    const auto type = static_cast<Stored>(i);
    CHECK(find_stored(info(type).name) == type);
    if (info(type).npy) CHECK(find_npy(info(type).npy) == type);
  }
  CHECK_FALSE(find_stored("F12"));
  // The order of single bytes means nothing.
  for (const char* order : {"|", "<", ">", "="}) CHECK(find_npy(std::string(order) + "u1") == Stored::U8);
  for (const char* other : {"u1", "<u16", ">f4", "|O", ""}) CHECK_FALSE(find_npy(other));
  CHECK(stored_as(DType::F16) == Stored::F16);
  CHECK(stored_as(DType::BF16) == Stored::BF16);
  CHECK(stored_as(DType::F8E4M3) == Stored::F8E4M3);
  CHECK(stored_as(DType::F8E5M2) == Stored::F8E5M2);
  CHECK(stored_as(DType::I32) == Stored::I32);
  CHECK(stored_as(DType::I64) == Stored::I64);
  CHECK(stored_as(DType::I8) == Stored::I8);
  CHECK(stored_as(DType::Bool) == Stored::Bool);
  CHECK_FALSE(stored_as(DType::Q8_0));
  CHECK(text(std::vector<int64_t>{}) == "[]");
  CHECK(text(std::vector<int64_t>{2, 3}) == "[2, 3]");
  CHECK(checked_count({int64_t{1} << 32, int64_t{1} << 31}) == std::nullopt);
  CHECK(checked_count({-1}) == std::nullopt);
  CHECK(checked_count({}) == 1);
}

TEST_CASE("Arrays are written as npy in each type, and read back") {
  for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
    HostArray array;
    array.shape = {3};
    array.f = {1, -2, 0.5f};
    const std::string file = npy_bytes(array, dtype);
    const auto read = read_npy(std::as_bytes(std::span(file)));
    REQUIRE(read);
    CHECK(to_array(*read).f == array.f);
    CHECK((file.size() - 3 * static_cast<size_t>(info(read->type).bytes)) % 64 == 0);
  }
  for (const DType dtype : {DType::I32, DType::I64, DType::I8, DType::Bool}) {
    HostArray array;
    array.floats = false;
    array.i = {1};
    const std::string file = npy_bytes(array, dtype);
    const auto read = read_npy(std::as_bytes(std::span(file)));
    REQUIRE(read);
    CHECK(read->shape.empty());
    CHECK(to_array(*read).i == array.i);
  }
}

TEST_CASE("A header of npy is what numpy writes, in any order and with any blanks") {
  const std::string data(4, '\0');
  CHECK(refused_file(npy("{\"shape\":(1,),'fortran_order':True,\n 'descr':'<f4'}", data)) == "accepted");
  CHECK(refused_file(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", data, 2)) == "accepted");
  CHECK(refused_file(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", data, 3)) == "accepted");
  const char* const kOdd[] = {
      "",
      "{",
      "{}",
      "[]",
      "{'descr'",
      "{'descr' '<f4'}",
      "{'descr: '<f4'}",
      "{descr: '<f4'}",
      "{'descr': <f4}",
      "{'descr': '<f4}",
      "{'descr': '<f4' 'shape': ()}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
      "{'fortran_order': False, 'fortran_order': False, 'descr': '<f4', 'shape': ()}",
      "{'shape': (), 'shape': (), 'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'shape': ()}",
      "{'fortran_order': False, 'shape': ()}",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}",
  };
  for (const char* header : kOdd) {
    INFO(header);
    CHECK(refused_file(npy(header, data)) == "a header that is not numpy's");
  }
  std::string deep = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < 33; ++i) deep += "1,";
  CHECK(refused_file(npy(deep + ")}", data)) == "a header that is not numpy's");
  const auto shaped = [&](const char* shape) {
    return refused_file(
        npy(std::string("{'descr': '<f8', 'fortran_order': False, 'shape': (") + shape + ",)}", data));
  };
  CHECK(shaped("4294967296, 4294967296") ==
        "holds 4 bytes of data, but its shape [4294967296, 4294967296] needs another number of them");
  CHECK(shaped("4611686018427387904").find("needs ") != std::string::npos);
  CHECK(shaped("0") == "holds 4 bytes of data, but its shape [0] needs another number of them");
  CHECK(refused_file(std::string("\x93NUMPY\x02\x00\x00\x00", 10)) == "cut in its header");
  CHECK(refused_file(std::string("\x93NUMPY\x00\x00\x00\x00", 10)) == "npy version 0; 1 to 3 are read");
}

TEST_CASE("A config is JSON as Python writes it, with limits") {
  const auto config = Config::parse(
      R"({"a": NaN, "b": [Infinity, -Infinity, -1, 18446744073709551615], "c": "\"NaN, \\", "d": -2.5})");
  INFO(config.message());
  REQUIRE(config);
  const ConfigNode& root = *config->root();
  CHECK(std::isnan(root.find("a")->number));
  CHECK(root.find("a")->string == "NaN");
  const ConfigNode& list = *root.find("b");
  CHECK(list.items[0]->number == HUGE_VAL);
  CHECK(list.items[1]->number == -HUGE_VAL);
  CHECK(list.items[2]->integer == -1);
  CHECK(list.items[3]->kind == ConfigNode::Kind::Float);
  CHECK(list.items[3]->path() == "config.b[3]");
  CHECK(root.find("c")->string == "\"NaN, \\");
  CHECK_FALSE(root.find("e"));
  mark_read(list);
  CHECK_FALSE(unread(list));
  CHECK(config->unread() == std::vector<std::string>{"a", "c", "d"});
  for (const char* odd : {"", "nan", "NaNs", "{\"a\": NaN1}", "{NaN: 1}", "{Infinity: 1}",
                          "{\"a\": -Infinit}", "{\"a\": 1e999}"}) {
    INFO(odd);
    CHECK(config_refusal(odd) == "it is not JSON");
  }
  for (const char* other : {"[1]", "NaN", "-Infinity", "\"x\"", "null"}) {
    INFO(other);
    CHECK(config_refusal(other) == "it is not a JSON object");
  }
  const std::string deep(70, '[');
  CHECK(config_refusal("{\"a\": " + deep + std::string(70, ']') + "}") == "it is nested deeper than 64");
  for (const std::string value : {"0", "null", "true", "\"x\"", "[]", "1.5"}) {
    std::string many = "{\"a\": [0";
    for (size_t i = 0; i < Config::kMaxValues; ++i) many += "," + value;
    CHECK(config_refusal(many + "]}") == "it holds more than 262144 values");
  }
  CHECK(config_refusal(std::string(Config::kMaxBytes + 1, ' ')) == "it is larger than 16 MiB");
}

TEST_CASE("Of equal keys of a config the last counts, of many keys each is found") {
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\": " + std::to_string(i) + ", ";
  const auto config = Config::parse(many + "\"k7\": 70, \"k7\": 71, \"z\": 0}");
  REQUIRE(config);
  const ConfigNode& root = *config->root();
  CHECK(root.entries.size() == 41);
  CHECK(root.find("k7")->integer == 71);
  CHECK(root.find("k39")->integer == 39);
  CHECK_FALSE(root.find("k40"));
  CHECK_FALSE(root.find("zz"));
}

TEST_CASE("Requests are whole lines with whole numbers") {
  const auto told = [](const std::string& line) {
    const auto read = read_requests(line, "r");
    return read ? "accepted" : read.message();
  };
  const std::string good = R"({"req_id": "a", "tokens": [1], "arrival_us": 0, "max_new_tokens": 1})";
  CHECK(told(good + "\n\n \t\r\n") == "accepted");
  CHECK(told(good + "\n" + good) == "r:2: req_id \"a\" is there twice");
  CHECK(told("[]") == "r:1: is not a JSON object");
  CHECK(told("{") == "r:1: is not a JSON object");
  CHECK(told(R"({"req_id": 1, "tokens": [1], "arrival_us": 0, "max_new_tokens": 1})") ==
        "r:1: req_id is not a string");
  CHECK(told(R"({"req_id": "a", "tokens": 1, "arrival_us": 0, "max_new_tokens": 1})") ==
        "r:1: tokens is not a list");
  CHECK(told(R"({"req_id": "a", "tokens": [1.5], "arrival_us": 0, "max_new_tokens": 1})") ==
        "r:1: tokens holds something that is not a whole number");
  for (const char* odd : {"-1", "1.5", "\"1\"", "18446744073709551615", "9007199254740993"})
    CHECK(told(std::string(R"({"req_id": "a", "tokens": [1], "max_new_tokens": 1, "arrival_us": )") + odd +
               "}") == "r:1: arrival_us is not a whole number from 0 to 2^53");
  CHECK(told(R"({"req_id": "a", "tokens": [1], "arrival_us": 0})") == "r:1: max_new_tokens is missing");
  CHECK(told(std::string((size_t{16} << 20) + 1, 'x')) == "r:1: longer than the 16 MiB of a request");
}

TEST_CASE("Requests come piece by piece, and each line is answered") {
  RequestLines lines;
  lines.add(R"({"req_id": "a", "tokens": [1], )");
  CHECK_FALSE(lines.any());
  lines.add("\"max_new_tokens\": 1}\n\n{\"req_id\": \"b\"}\nnothing\n");
  REQUIRE(lines.any());
  const auto first = lines.take();
  REQUIRE(first.size() == 3);
  CHECK(first[0].why.empty());
  CHECK(first[0].request->id == "a");
  CHECK(first[1].number == 3);
  CHECK(first[1].request->id == "b");
  CHECK(first[1].why == "tokens is missing");
  CHECK_FALSE(first[2].request);
  lines.add("last");
  lines.end();
  lines.end();
  CHECK(lines.take().size() == 1);
  CHECK(lines.ended());
  lines.add("more\n");
  CHECK_FALSE(lines.any());
  RequestLines endless;
  endless.add(std::string((size_t{16} << 20) + 1, 'x'));
  CHECK(endless.ended());
  CHECK(endless.take()[0].why == "longer than the 16 MiB of a request");
}
