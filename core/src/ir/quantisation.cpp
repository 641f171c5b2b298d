#include "ir/quantisation.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "ir/config_keys.h"
#include "ir/datum.h"

namespace irplan {
namespace {

using Kind = ConfigNode::Kind;

constexpr int kMostDepth = 8;  // of records in records

bool one_of(std::string_view key, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// What a record says of caches, activations and single modules is not how its weights are stored.
bool is_of_weights(const std::string& key) {
  for (const std::string_view other :
       {"activation", "input", "output", "kv_cache", "bias", "modules", "ignore", "sparsity", "layer_quant",
        "algo_config", "producer", "compute"}) {
    if (key.find(other) != std::string::npos) return false;
  }
  return true;
}

// The first value of a kind under one of the keys, wherever it stands.
const ConfigNode* find_deep(const ConfigNode& node, std::initializer_list<std::string_view> keys,
                            std::initializer_list<Kind> kinds, int depth = 0) {
  if (depth > kMostDepth) return nullptr;
  for (const auto& [key, entry] : node.entries) {
    if (one_of(key, keys) && std::find(kinds.begin(), kinds.end(), entry->kind) != kinds.end()) return entry;
  }
  for (const auto& [key, entry] : node.entries) {
    if (!is_of_weights(key)) continue;
    if (const ConfigNode* found = find_deep(*entry, keys, kinds, depth + 1)) return found;
  }
  return nullptr;
}

const ConfigNode* method_of(const ConfigNode& record) {
  for (const char* key : {"quant_method", "quant_algo", "quant_type", "format"}) {
    const ConfigNode* found = record.find(key);
    if (found && found->kind == Kind::String) return found;
  }
  for (const char* key : {"quantization", "quant_type", "weights"}) {  // one level further down
    const ConfigNode* inner = record.find(key);
    if (!inner || inner->kind != Kind::Record) continue;
    if (const ConfigNode* found = method_of(*inner)) return found;
  }
  return nullptr;
}

// The key of bitsandbytes that says so where no `quant_method` does.
const ConfigNode* loads_in(const ConfigNode& record) {
  for (const char* key : {"load_in_4bit", "load_in_8bit", "_load_in_4bit", "_load_in_8bit"}) {
    const ConfigNode* found = record.find(key);
    if (found && found->kind == Kind::Bool && found->boolean) return found;
  }
  return nullptr;
}

// Words that name a format: "int4_weight_only", "uint4", "NVFP4", "W4A16_AWQ", "fp8_e4m3",
// "Float8WeightOnlyConfig".
struct Format {
  double bits = 0;
  bool floats = false;
};
std::optional<Format> format_in(const std::string& words) {
  const std::string text = lower(words);
  struct Word {
    const char* word;
    Format format;
  };
  static constexpr Word kWords[] = {{"fp8", {8, true}},   {"float8", {8, true}},  {"e4m3", {8, true}},
                                    {"fp4", {4, false}},  {"nf4", {4, false}},    {"int4", {4, false}},
                                    {"w4a", {4, false}},  {"4bit", {4, false}},   {"int8", {8, false}},
                                    {"w8a", {8, false}},  {"8bit", {8, false}},   {"eetq", {8, false}},
                                    {"int2", {2, false}}, {"bitnet", {2, false}}, {"int3", {3, false}}};
  for (const Word& word : kWords) {
    if (text.find(word.word) != std::string::npos) return word.format;
  }
  return std::nullopt;
}

void read_bits(const ConfigNode& record, Quantisation& out) {
  const ConfigNode* bits = find_deep(record, {"bits", "w_bit", "nbits", "num_bits", "wbits", "weight_bits"},
                                     {Kind::Int, Kind::Float});
  const ConfigNode* loads = loads_in(record);
  const ConfigNode* type = find_deep(record, {"type"}, {Kind::String});
  const double n = !bits ? 0 : bits->kind == Kind::Int ? static_cast<double>(bits->integer) : bits->number;
  if (n > 0) {
    out.bits = n;
    out.floats = n == 8 && type && type->string == "float";
  } else if (loads) {
    out.bits = loads->key.find('8') != std::string::npos ? 8 : 4;
  }
  if (out.bits > 0) return;
  for (const char* key :
       {"quant_algo", "quant_type", "weights", "_type", "dtype", "format", "quant_method"}) {
    const ConfigNode* found = find_deep(record, {key}, {Kind::String});
    const auto format = found ? format_in(found->string) : std::nullopt;
    if (!format) continue;
    out.bits = format->bits, out.floats = format->floats;
    return;
  }
}

std::string shown(const ConfigNode& node) {
  if (node.kind != Kind::List || node.items.size() > 4) return show(node);
  std::string out;
  for (const ConfigNode* item : node.items) out += (out.empty() ? "[" : ", ") + show(*item);
  return out + (out.empty() ? "[]" : "]");
}

std::string number_text(double n) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", n);
  return text;
}

}  // namespace

bool is_quantisation(const ConfigNode& node) {
  return node.kind == Kind::Record && (node.key.starts_with("quantiz") || node.key.starts_with("quantis") ||
                                       node.key == "compression_config");
}

Quantisation read_quantisation(const ConfigNode& record) {
  Quantisation out;
  out.record = &record;
  read_bits(record, out);
  if (const ConfigNode* group = find_deep(record, {"group_size", "q_group_size"}, {Kind::Int}))
    out.group = group->integer;
  const ConfigNode* blocks = record.find("weight_block_size");
  out.in_blocks = blocks && blocks->kind == Kind::List;
  out.named = method_of(record);
  if (out.named)
    out.method = out.named->string;
  else if (loads_in(record))
    out.named = loads_in(record), out.method = "bitsandbytes";
  else if (record.find("group_size") && record.find("bits"))
    out.method = "MLX";
  return out;
}

std::optional<Quantisation> find_quantisation(const ConfigNode& config) {
  for (const ConfigNode* part : {&config, &text_part(config)}) {
    for (const auto& [key, node] : part->entries) {
      if (is_quantisation(*node)) return read_quantisation(*node);
    }
  }
  return std::nullopt;
}

std::string Quantisation::text() const {
  std::string out = "the weights are stored ";
  if (named && named->kind == Kind::String)
    out += "as " + show(*named) + " does (`" + named->path() + "`)";
  else if (!method.empty())
    out += "as " + method + " does (`" + (named ? named : record)->path() + "`)";
  else
    out += "by a quantiser that is not named (`" + record->path() + "`)";
  std::string details;
  const auto add = [&](const std::string& text) { details += (details.empty() ? ": " : ", ") + text; };
  if (bits > 0) add(number_text(bits) + " bits" + (floats ? " of a float" : ""));
  if (group != 0) add("group_size " + std::to_string(group));
  for (const char* key : {"format", "weight_block_size", "activation_scheme", "fmt"}) {
    const ConfigNode* found = record->find(key);
    if (found && found != named && found->kind != Kind::Record) add(std::string(key) + " " + shown(*found));
  }
  return out + details;
}

std::string Quantisation::help() const {
  std::string keys;
  for (const auto& [key, node] : record->parent ? record->parent->entries : record->entries) {
    if (is_quantisation(*node)) keys += (keys.empty() ? "`" : " and `") + key + "`";
  }
  return "to plan only the cache and the activations, leave " + keys +
         " out of a copy of the config; `--retype weights=" + name(counted_as().front()) +
         "` then counts such weights";
}

std::vector<DType> Quantisation::counted_as() const {
  if (bits > 4 && floats) return {DType::F8E4M3};
  if (bits > 4) return {DType::Q8_0};
  // 4.125 bits with a scale for 128 numbers, 4.5 with one for 32.
  if (group >= 128 || group < 0) return {DType::I4G128, DType::Q4_0, DType::Q8_0};
  return {DType::Q4_0, DType::Q8_0};
}

std::string Quantisation::named_with_bits() const {
  const std::string who = method.empty() ? "a quantiser that is not named" : method;
  if (bits <= 0) return who + ", which does not say its bits";
  return who + ", " + number_text(bits) + " bits a number" +
         (floats ? in_blocks ? " with a scale for each block" : " with a scale for each tensor or row" : "");
}

}  // namespace irplan
