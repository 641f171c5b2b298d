// Readers of other people's files at sizes that real ones have, and above.
#include <cstring>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "runtime/checkpoint.h"

namespace irplan::bench {
namespace {

constexpr size_t kTensors = 50'000;

std::string name_of(size_t i) {
  return "model.layers." + std::to_string(i / 400) + ".mlp.experts." + std::to_string(i % 400) + ".weight";
}

// A file of one-byte tensors.
std::string file_of(size_t tensors) {
  std::string header = "{";
  for (size_t i = 0; i < tensors; ++i) {
    header += std::string(i ? "," : "") + "\"" + name_of(i) +
              "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[" + std::to_string(i) + "," +
              std::to_string(i + 1) + "]}";
  }
  header += "}";
  std::string out(8, '\0');
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + std::string(tensors, '\1');
}

std::string index_of(size_t tensors) {
  std::string out = "{\"weight_map\":{";
  for (size_t i = 0; i < tensors; ++i)
    out += std::string(i ? "," : "") + "\"" + name_of(i) + "\":\"model-" + std::to_string(i % 16) +
           ".safetensors\"";
  return out + "}}";
}

}  // namespace

int readers_bench() {
  const std::string file = file_of(kTensors), index = index_of(kTensors);
  const std::string count = std::to_string(kTensors) + " tensors";
  bool good = true;
  row("safetensors header, " + count, measure([&] {
        const auto read = Safetensors::read(std::as_bytes(std::span(file)));
        good = good && read && read->tensors().size() == kTensors;
      }),
      1.0);
  row("checkpoint index, " + count,
      measure([&] { good = good && static_cast<bool>(CheckpointIndex::read(index)); }), 1.0);
  const auto tensors = Safetensors::read(std::as_bytes(std::span(file)));
  row("names by their ends, " + count, measure([&] {
        const Checkpoint checkpoint("f", tensors->tensors());
        for (size_t i = 0; i < kTensors; ++i) {
          const auto found = checkpoint.find(name_of(i).substr(6));
          good = good && found && *found;
        }
      }),
      1.0);
  figure("peak memory", peak_mebibytes(), "MiB", 256);
  return good ? 0 : 1;
}

}  // namespace irplan::bench
