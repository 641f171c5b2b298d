#include "service/fit/choose.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/config.h"
#include "irplan/new_program.h"
#include "service/fit/model.h"

namespace irplan::fitting {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLongest = int64_t{1} << 24;      // tokens of a sequence that are asked about
constexpr int64_t kUnpublished = int64_t{1} << 17;  // context where the config names none
constexpr size_t kMostTold = 3;                     // errors of the nearest example

using Kind = ConfigNode::Kind;

const ConfigNode* find(const ConfigNode& record, const char* key, Kind kind) {
  const ConfigNode* found = record.kind == Kind::Record ? record.find(key) : nullptr;
  return found && found->kind == kind ? found : nullptr;
}

// The language model's part of a config.
const ConfigNode& text_part(const ConfigNode& config) {
  const ConfigNode* text = find(config, "text_config", Kind::Record);
  return text ? *text : config;
}

// 131072, or 131072.0 as some tools write it.
std::optional<int64_t> whole(const ConfigNode& record, const char* key) {
  if (const ConfigNode* n = find(record, key, Kind::Int))
    return n->integer >= 1 && n->integer <= kLongest ? std::optional(n->integer) : std::nullopt;
  const ConfigNode* n = find(record, key, Kind::Float);
  if (!n || !(n->number >= 1 && n->number <= static_cast<double>(kLongest))) return std::nullopt;
  return static_cast<int64_t>(n->number);
}

std::optional<int64_t> published_context(const ConfigNode& config) {
  for (const ConfigNode* part : {&text_part(config), &config}) {
    for (const char* key : {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"}) {
      if (const auto n = whole(*part, key)) return n;
    }
  }
  return std::nullopt;
}

// How the weights of a quantised checkpoint are counted where no example loads them.
struct Quantised {
  std::string what;   // "gptq, 4 bits a number"
  std::string dtype;  // that has as many bits, scales included
};

std::optional<Quantised> quantised(const ConfigNode& config) {
  const ConfigNode* found = nullptr;
  for (const ConfigNode* part : {&config, &text_part(config)}) {
    for (const char* key : {"quantization_config", "quantization", "compression_config"}) {
      if (!found) found = find(*part, key, Kind::Record);
    }
  }
  if (!found) return std::nullopt;
  const ConfigNode* method = find(*found, "quant_method", Kind::String);
  const std::string name = method ? method->string : "mlx";
  if (name == "fp8" || name == "fbgemm_fp8")
    return Quantised{name + " with a scale a tensor or row", "f8e4m3"};
  const ConfigNode* eight = find(*found, "load_in_8bit", Kind::Bool);
  const int64_t usual = eight && eight->boolean ? 8 : 4;
  const int64_t bits = whole(*found, "bits").value_or(whole(*found, "w_bit").value_or(usual));
  if (bits > 8) return std::nullopt;
  const int64_t group = whole(*found, "group_size").value_or(name == "mlx" ? 64 : 128);
  const bool blocks = name == "mlx" || name == "bitsandbytes" || group < 128;
  const char* dtype = bits > 4 ? "q8_0" : blocks ? "q4_0" : "i4g128";
  return Quantised{name + ", " + std::to_string(bits) + " bits a number", dtype};
}

std::string without_quantisation(const std::string& text) {
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object()) return text;
  for (const char* key : {"quantization_config", "quantization", "compression_config"}) {
    config.erase(key);
    if (config.contains("text_config") && config["text_config"].is_object()) config["text_config"].erase(key);
  }
  return config.dump();
}

// Whether memory was planned: budgets that nothing meets are answered here.
bool planned(const Compilation& compiled) {
  const auto& list = compiled.diagnostics.list();
  const auto bad = [](const Diagnostic& d) {
    return d.severity == Severity::Error && d.code != Code::BudgetRefused;
  };
  return compiled.graph && !compiled.graph->buffers.empty() && std::none_of(list.begin(), list.end(), bad);
}

Compilation compiled(const std::string& program, const std::string& name, const FitOptions& options,
                     const std::string& config) {
  CompileOptions how;
  how.config_name = options.config_name;
  how.config = config;
  how.lets = options.lets;
  how.retypes = options.retypes;
  how.budgets = options.budgets;
  how.target = options.target;
  how.advise = how.emit = how.write = false;
  return compile(SourceText(name + ".irplan", program), how);
}

// Errors of a compilation in a line each.
std::string told(const Compilation& compiled) {
  std::string out;
  size_t count = 0;
  for (const Diagnostic& d : compiled.diagnostics.list()) {
    if (d.severity != Severity::Error || ++count > kMostTold) continue;
    out += (out.empty() ? "" : "\n  ") + d.message;
    if (!d.label.empty()) out += ": " + d.label;
    if (d.elsewhere && d.elsewhere->name() == kCommandLine) out += " (" + d.elsewhere->text() + ")";
    for (const Fix& fix : d.fixes) out += "\n    help: " + fix.message;
  }
  return out;
}

// Examples whose text has the model type between quotes come first: one of them serves it, if any does.
std::vector<const Example*> in_order(const ConfigNode& config) {
  std::vector<const Example*> out;
  for (const Example& example : examples()) out.push_back(&example);
  const auto names = [&](const Example* example) {
    for (const ConfigNode* part : {&config, &text_part(config)}) {
      const ConfigNode* type = find(*part, "model_type", Kind::String);
      if (type && std::string_view(example->text).find('"' + type->string + '"') != std::string_view::npos)
        return true;
    }
    return false;
  };
  std::stable_partition(out.begin(), out.end(), names);
  return out;
}

}  // namespace

std::optional<Chosen> choose(const FitOptions& options, std::string* why, std::optional<int64_t> most) {
  Span place;
  const auto config = Config::parse(options.config, why, &place);
  if (!config) {
    const LineColumn at = SourceText("", options.config).locate(place.begin);
    if (place.end > 0)
      *why += ", at line " + std::to_string(at.line) + ", column " + std::to_string(at.column);
    return std::nullopt;
  }
  const ConfigNode& root = *config->root();
  Chosen out;
  out.published = published_context(root);
  const int64_t longest =
      most.value_or(std::max(options.context.value_or(1), out.published.value_or(kUnpublished)));
  if (longest > kLongest)
    return *why = "a context of more than " + std::to_string(kLongest) + " tokens", std::nullopt;
  const auto serve = [&](const FitOptions& how, const std::string& text) {
    for (const Example* example : in_order(root)) {
      const auto program = opened(example->text, longest, most.has_value());
      if (!program) continue;
      Compilation made = compiled(*program, example->name, how, text);
      const bool good = planned(made);
      if (!good && !out.example.empty()) continue;
      out.example = example->name;
      out.compiled = std::move(made);
      if (good) return true;
    }
    return false;
  };
  if (serve(options, options.config)) return out;
  const std::string refused = told(out.compiled);
  const std::string nearest = out.example;
  if (const auto stored = quantised(root)) {
    FitOptions how = options;
    std::string dtype = stored->dtype;
    for (const auto& [part, given] : options.retypes) dtype = part == "weights" ? given : dtype;
    if (dtype == stored->dtype) how.retypes.emplace_back("weights", dtype);
    out.example.clear();
    if (serve(how, without_quantisation(options.config))) {
      out.assumptions.push_back("the checkpoint is " + stored->what + ": counted as " + dtype +
                                " weights, which no example loads from it");
      return out;
    }
  }
  FitOptions plain = options;
  plain.lets.clear(), plain.retypes.clear(), plain.budgets.clear();
  plain.target = FitOptions().target;
  out.example.clear();
  if (serve(plain, options.config))
    return *why = "the options do not suit the program, " + nearest + ":\n  " + refused, std::nullopt;
  *why = "no example serves this config; the nearest, " + nearest + ", says:\n  " + refused;
  return std::nullopt;
}

}  // namespace irplan::fitting
