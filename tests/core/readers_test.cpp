// Readers of other people's files, on bytes: what is refused and how it is told, and that size costs no more
// than it must.
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "catch.h"
#include "irplan/pack.h"
#include "ops/semantics.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "runtime/requests.h"
#include "service/serve.h"

using namespace irplan;

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string file(const std::string& header, size_t data) {
  std::string out(8, '\0');
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + std::string(data, '\0');
}

std::string entry(const std::string& name, size_t begin, size_t end) {
  return "\"" + name + "\":{\"dtype\":\"U8\",\"shape\":[" + std::to_string(end - begin) +
         "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string refused_header(const std::string& header, size_t data) {
  const std::string text = file(header, data);
  const auto read = Safetensors::read(bytes(text));
  return read ? "accepted" : read.message();
}

double seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("A safetensors header is read whole, whatever stands beside its entries") {
  const std::string text = file(R"( {"__metadata__": {"format": "pt", "odd": [1, {"a": null}]},
    "b": {"shape": [2, 1], "extra": {"x": [[1], 2]}, "dtype": "F16", "data_offsets": [1, 5], "more": "text"},
    "a": {"dtype": "U8", "shape": [], "data_offsets": [0, 1]}, "__metadata__x": {"dtype": "I8", "shape": [0, 7], "data_offsets": [5, 5]} } )",
                                5);
  const auto read = Safetensors::read(bytes(text));
  INFO(read.message());
  REQUIRE(read);
  REQUIRE(read->tensors().size() == 3);
  CHECK(read->tensors()[1].name == "a");
  const StoredTensor* b = read->find("b");
  REQUIRE(b);
  CHECK(b->type == Stored::F16);
  CHECK(b->shape == std::vector<int64_t>{2, 1});
  CHECK(b->bytes == 4);
  CHECK(b->data == bytes(text).data() + text.size() - 4);
  CHECK(!read->find("c"));
  CHECK(!read->find("__metadata__"));
}

TEST_CASE("What is wrong with a safetensors file is told") {
  const auto [header, data, what] = GENERATE(table<std::string, size_t, std::string>({
      {"{}", 1, "1 bytes at its end belong to no tensor"},
      {"[]", 0, "its header is not a JSON object"},
      {"3", 0, "its header is not a JSON object"},
      {"{", 0, "its header is not JSON; is it a safetensors file?"},
      {"{\"a\": \xff}", 0, "its header is not JSON; is it a safetensors file?"},
      {"{\"a\": 1}", 0, "tensor a: its entry is not an object"},
      {"{\"a\": []}", 0, "tensor a: its entry is not an object"},
      {"{\"a\": {}}", 0, "tensor a: has no dtype"},
      {R"({"a": {"dtype": 1}})", 0, "tensor a: has no dtype"},
      {R"({"a": {"dtype": ["U8"]}})", 0, "tensor a: has no dtype"},
      {R"({"a": {"dtype": "U9"}})", 0, "tensor a: its dtype `U9` is not known"},
      {R"({"a": {"dtype": "U8"}})", 0, "tensor a: has no shape"},
      {R"({"a": {"dtype": "U8", "dtype": "U8"}})", 0, "tensor a: has two of `dtype`"},
      {R"({"a": {"dtype": "U8", "shape": {}}})", 0, "tensor a: has no shape"},
      {R"({"a": {"dtype": "U8", "shape": [-1]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {R"({"a": {"dtype": "U8", "shape": [1.0]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {R"({"a": {"dtype": "U8", "shape": [[1]]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {R"({"a": {"dtype": "U8", "shape": [9223372036854775808]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {R"({"a": {"dtype": "U8", "shape": [1]}})", 1, "tensor a: has no data_offsets"},
      {R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0]}})", 1, "tensor a: has no data_offsets"},
      {R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1, 2]}})", 1,
       "tensor a: has no data_offsets"},
      {R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 0]}})", 1,
       "tensor a: its data_offsets are not a range"},
      {R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, "1"]}})", 1,
       "tensor a: its data_offsets are not a range"},
      {R"({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 1]}})", 1,
       "tensor a: U8[2] takes 2 bytes, but data_offsets give it 1"},
      {R"({"a": {"dtype": "F64", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}})", 0,
       "tensor a: its shape [4611686018427387904, 4] exceeds 64 bits"},
      {"{" + entry("a", 0, 2) + "}", 1,
       "tensor a: its data_offsets end at byte 2 of 1; the file is cut, or its header wrong"},
      {R"({"a": {"dtype": "F64", "shape": [4611686018427387904], "data_offsets": [0, 0]}})", 0,
       "tensor a: its shape [4611686018427387904] exceeds 64 bits"},
      {R"({"a": {"dtype": "U8", "shape": [{}]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {"{" + entry("b", 0, 2) + "," + entry("a", 0, 1) + "}", 2, "tensor b: overlaps the one before it"},
      {"{" + entry("a", 0, 2) + "," + entry("b", 1, 3) + "}", 3, "tensor b: overlaps the one before it"},
      {"{" + entry("a", 0, 1) + "," + entry("b", 2, 3) + "}", 3,
       "tensor b: bytes before it belong to no tensor"},
      {"{" + entry("a", 0, 1) + "," + entry("b", 2, 3) + "," + entry("a", 1, 2) + "}", 3,
       "its header names the tensor a twice"},
      {R"({"a": {"dtype": "U8", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}})", 0,
       "tensor a: its shape [4611686018427387904, 4] exceeds 64 bits"},
      {R"({"a": {"dtype": "U8", "shape": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}})",
       0, "tensor a: has more than 32 axes"},
      {R"({"a": {"dtype": "U8", "shape": [true]}})", 0,
       "tensor a: its shape holds something that is not a size"},
      {R"({"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, -1]}})", 0,
       "tensor a: its data_offsets are not a range"},
      {R"({"a": true})", 0, "tensor a: its entry is not an object"},
      {R"({"__metadata__": {"x": true}, "a": {"dtype": true}})", 0, "tensor a: has no dtype"},
      {R"({"__metadata__": null, "a": {"dtype": {}}})", 0, "tensor a: has no dtype"},
      {R"({"__metadata__": [1, 2], "a": {"shape": 7}})", 0, "tensor a: has no shape"},
      {R"({"a": {"x": [[[[[[[[[1]]]]]]]]]}})", 0, "its header is nested too deep"},
      {R"({"__metadata__": {"x": [[[[[[[[1]]]]]]]]}})", 0, "its header is nested too deep"},
      {"{" + entry(std::string(4097, 'n'), 0, 1) + "}", 1,
       "tensor " + std::string(200, 'n') + ": its name has 4097 bytes, more than 4096"},
  }));
  CHECK(refused_header(header, data) == what);
}

TEST_CASE("A header that is longer than its file, or than any, is refused before it is read") {
  CHECK(Safetensors::read(bytes(std::string())).message() == "is empty, not a safetensors file");
  CHECK(Safetensors::read(bytes(std::string("\1\0\0", 3))).message() ==
        "is cut: a safetensors file begins with 8 bytes of header length");
  CHECK(Safetensors::read(bytes(std::string("\3\0\0\0\0\0\0\0{}", 10))).message() ==
        "is cut: its header has 3 bytes, the file 10");
  CHECK(Safetensors::read(bytes(std::string("\0\0\0\0\0\0\0\x80{}", 10)))
            .message()
            .find("a header of 9223372036854775808 bytes, above") != std::string::npos);
}

TEST_CASE("Tensors of a file may be many: time and memory grow with the header alone") {
  std::string header = "{";
  constexpr size_t kMany = 50'000;
  for (size_t i = 0; i < kMany; ++i)
    header += (i ? "," : "") + entry("layers." + std::to_string(i) + ".w", i, i + 1);
  const std::string text = file(header + "}", kMany);
  std::string stored;
  size_t found = 0;
  // A twentieth of a second where nothing else runs; the quadratic reader took a minute.
  CHECK(seconds([&] {
          const auto read = Safetensors::read(bytes(text));
          REQUIRE(read);
          const Checkpoint checkpoint("f", read->tensors());
          for (size_t i = 0; i < kMany; ++i) {
            const auto tensor = checkpoint.find(std::to_string(i) + ".w");
            if (!tensor || !*tensor) continue;
            ++found;
            stored = (*tensor)->name;
          }
        }) < 10);
  CHECK(found == kMany);
  CHECK(stored == "layers.49999.w");
}

TEST_CASE("Names of nothing but dots cost what other names cost") {
  std::string header = "{", ambiguous;
  constexpr size_t kMany = 2000;
  for (size_t i = 0; i < kMany; ++i) {
    std::string name = std::to_string(i);
    while (name.size() + 2 <= Safetensors::kMaxName) name += ".a";
    header += (i ? "," : "") + entry(name, i, i + 1);
  }
  const std::string text = file(header + "}", kMany);
  CHECK(seconds([&] {
          const auto read = Safetensors::read(bytes(text));
          REQUIRE(read);
          const Checkpoint checkpoint("f", read->tensors());
          ambiguous = checkpoint.find("a").message();
        }) < 10);
  CHECK(ambiguous.rfind("a could be ", 0) == 0);
}

TEST_CASE("A tensor is found by its name, or by an end that is one tensor's alone") {
  const StoredTensor t;
  const Checkpoint c("f", {{"x.wte.weight", t},
                           {"a.wte.weight", t},
                           {"x.wpe.weight", t},
                           {"wpe.weightier", t},
                           {"bias", t},
                           {"x.bias", t}});
  const auto stored = [&](const char* name) {
    const auto found = c.find(name);
    REQUIRE(found);
    return *found ? (*found)->name : "none";
  };
  CHECK(stored("wpe.weight") == "x.wpe.weight");
  CHECK(stored("bias") == "bias");
  CHECK(stored("te.weight") == "none");
  CHECK(stored("") == "none");
  CHECK(stored("z") == "none");  // every name ends before it
  CHECK(c.find("wte.weight").message() == "wte.weight could be a.wte.weight or x.wte.weight");
  CHECK(c.names() == std::vector<std::string>{"a.wte.weight", "bias", "wpe.weightier", "x.bias",
                                              "x.wpe.weight", "x.wte.weight"});
}

TEST_CASE("An index names files of its own folder") {
  const auto index = CheckpointIndex::read(
      R"({"metadata": {"weight_map": {"z": 1}, "total_size": 1e3}, "list": [{"weight_map": 1}],
    "weight_map": {"b": "2.safetensors", "a": "1.safetensors", "c": "2.safetensors"}, "x": null})");
  INFO(index.message());
  REQUIRE(index);
  CHECK(index->shards == std::vector<std::string>{"2.safetensors", "1.safetensors"});
  CHECK(index->tensors == std::vector<std::pair<std::string, uint32_t>>{{"a", 1}, {"b", 0}, {"c", 0}});
  const auto [json, what] = GENERATE(table<std::string, std::string>({
      {"", "is not a JSON object"},
      {"7", "is not a JSON object"},
      {"[]", "is not a JSON object"},
      {"{", "is not a JSON object"},
      {"{}", "has no weight_map"},
      {R"({"weight_map": "x"})", "has no weight_map"},
      {R"({"weight_map": ["x"]})", "has no weight_map"},
      {R"({"weight_map": {"a": 1}})", "weight_map gives no file for a"},
      {R"({"weight_map": {"a": {"b": "c"}}})", "weight_map gives no file for a"},
      {R"({"weight_map": {"a": ["c"]}})", "weight_map gives no file for a"},
      {R"({"weight_map": {"a": "../c"}})", "weight_map names `../c`, which is not in that folder"},
      {R"({"weight_map": {"a": "/c"}})", "weight_map names `/c`, which is not in that folder"},
      {R"({"weight_map": {"a": ""}})", "weight_map names ``, which is not in that folder"},
      {R"({"weight_map": {"a": "c\u0000d"}})",
       "weight_map names `" + std::string("c\0d", 3) + "`, which is not in that folder"},
      {R"({"weight_map": {"a": "c", "b": "c", "a": "c"}})", "weight_map names the tensor a twice"},
      {R"({"weight_map": {"a": "c"}, "weight_map": {"b": "c"}})", "has two of `weight_map`"},
      {R"({"x": [[[[[[[[1]]]]]]]]})", "is nested too deep"},
  }));
  CHECK(CheckpointIndex::read(json).message() == what);
  const auto refused = [](const std::string& map) {
    return CheckpointIndex::read("{\"weight_map\": {" + map + "}}").message();
  };
  CHECK(refused("\"" + std::string(Safetensors::kMaxName + 1, 'n') + "\": \"c\"") ==
        "weight_map has a name of 4097 bytes, more than 4096");
  std::string map;
  for (size_t i = 0; i <= CheckpointIndex::kMaxShards; ++i) {
    const std::string n = std::to_string(i);
    map.append(i ? "," : "").append("\"").append(n).append("\": \"").append(n).append("\"");
  }
  CHECK(refused(map) == "weight_map names more than 10000 files");
}

TEST_CASE("Brackets in brackets are refused before anything goes down into them") {
  constexpr size_t kDeep = 1'000'000;
  const std::string deep = std::string(kDeep, '[') + std::string(kDeep, ']');
  const std::string request = R"({"req_id": "a", "tokens": [1], "arrival_us": 0, "max_new_tokens": 1, )";
  const std::string buffer = R"({"id": "a", "lower": 0, "upper": 1, "size": 1})";
  for (const char* key : {"stop", "eos", "temperature", "x"})
    CHECK(read_requests(request + '"' + key + "\": " + deep + "}", "q.jsonl").message() ==
          "q.jsonl:1: is nested deeper than 64");
  const std::string half = deep.substr(0, kDeep);
  for (const std::string& table :
       {R"({"buffers": [{"id": )" + deep + "}]}", R"({"buffers": [{"lower": )" + deep + "}]}",
        R"({"name": )" + deep + ", \"buffers\": [" + buffer + "]}", deep, half})
    CHECK(read_pack_json(table).message() == "it is nested deeper than 64");
  CHECK(serve(R"({"method": "compile", "text": )" + deep + "}").find("nested deeper than 64") !=
        std::string::npos);
  // Brackets in a string nest nothing, nor do many one after another.
  CHECK(read_pack_json(R"({"name": "\\\"[)" + half + R"(", "buffers": [)" + buffer + "]}"));
  std::string wide = R"({"comment": [)";
  for (int i = 0; i < 100; ++i) wide += "[{}],";
  CHECK(read_pack_json(wide + "0], \"buffers\": [" + buffer + "]}"));
}

TEST_CASE("An npy file is read back, and a damaged one is told") {
  HostArray array;
  array.floats = true;
  array.shape = {2, 3};
  array.f = {1, 2, 3, 4, 5, 6};
  const std::string good = npy_bytes(array, DType::F32);
  const auto read = read_npy(bytes(good));
  REQUIRE(read);
  CHECK(read->shape == array.shape);
  CHECK(to_array(*read).f == array.f);
  for (size_t n = 0; n < good.size(); ++n) CHECK(!read_npy(bytes(good.substr(0, n))));
  CHECK(read_npy(bytes(good + "x")).message() == "holds 25 bytes of data, but its shape [2, 3] needs 24");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto again = read_npy(bytes(text));
    return again ? "accepted" : again.message();
  };
  CHECK(changed("<f4", ">f4").rfind("elements of type `>f4`", 0) == 0);
  CHECK(changed("<f4", "|O ").rfind("elements of type `|O `", 0) == 0);
  CHECK(changed("False", " True") == "columns first; save numpy.ascontiguousarray of it");
  CHECK(changed("(2, 3)", "(2, -)") == "a header that is not numpy's");
  CHECK(changed("'shape'", "'shapf'") == "a header that is not numpy's");
  std::string text = good;
  text[6] = 4;
  CHECK(read_npy(bytes(text)).message() == "npy version 4; 1 to 3 are read");
  text = std::string("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12);
  CHECK(read_npy(bytes(text)).message() == "a header of 2147483647 bytes, more than 1048576");
}
