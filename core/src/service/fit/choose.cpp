#include "service/fit/choose.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/config_keys.h"
#include "ir/quantisation.h"
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

// The config without what says how a quantiser stored the weights.
std::string without_quantisation(const std::string& text, const ConfigNode& root) {
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object()) return text;
  const ConfigNode& part = text_part(root);
  for (const auto& [key, node] : root.entries) {
    if (is_quantisation(*node)) config.erase(key);
  }
  if (&part == &root) return config.dump();
  for (const auto& [key, node] : part.entries) {
    if (is_quantisation(*node)) config[part.key].erase(key);
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
    for (const std::string& note : d.notes) out += "\n    " + note;
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

// A checkpoint that no example loads, counted by its bits. The dtypes that take as many are tried in turn,
// since rows may be no multiple of a block.
template <class Serve>
bool serve_quantised(const FitOptions& options, const ConfigNode& root, const Serve& serve, Chosen& out) {
  const auto stored = find_quantisation(root);
  if (!stored) return false;
  const std::string plain = without_quantisation(options.config, root);
  std::vector<std::string> dtypes;
  for (const auto& [part, given] : options.retypes) {
    if (part == "weights") dtypes = {given};
  }
  const bool asked = !dtypes.empty();
  if (!asked) {
    for (const DType dtype : stored->counted_as()) dtypes.emplace_back(name(dtype));
  }
  for (const std::string& dtype : dtypes) {
    FitOptions how = options;
    if (!asked) how.retypes.emplace_back("weights", dtype);
    out.example.clear();
    if (!serve(how, plain)) continue;
    out.assumptions.push_back("the checkpoint is quantised (" + stored->named_with_bits() +
                              "), and no example loads it: its weights are counted as " + dtype);
    return true;
  }
  return false;
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
      Compilation made = compiled(program->text, example->name, how, text);
      const bool good = planned(made);
      if (!good && !out.example.empty()) continue;
      out.example = example->name;
      out.most_sequences = program->most_sequences;
      out.compiled = std::move(made);
      if (good) return true;
    }
    return false;
  };
  if (serve(options, options.config)) return out;
  const std::string refused = told(out.compiled);
  const std::string nearest = out.example;
  if (serve_quantised(options, root, serve, out)) return out;
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
