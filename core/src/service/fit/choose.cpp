#include "service/fit/choose.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/config_keys.h"
#include "ir/quantisation.h"
#include "irplan/dtype.h"
#include "irplan/new_program.h"
#include "service/fit/model.h"

namespace irplan::fitting {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kLongest = int64_t{1} << 24;      // tokens of a sequence that are asked about
constexpr int64_t kUnpublished = int64_t{1} << 17;  // context where the config names none
constexpr size_t kMostTold = 3;                     // errors of the nearest example

using Kind = ConfigNode::Kind;

const ConfigNode* find(const ConfigNode& record, const char* key, Kind kind) {
  const ConfigNode* found = record.kind == Kind::Record ? record.find(key) : nullptr;
  return found && found->kind == kind ? found : nullptr;
}

std::optional<int64_t> published_tokens(const ConfigNode& config) {
  const auto found = published_context(config);
  return found ? std::optional(found->tokens) : std::nullopt;
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A config's text again, Infinity and NaN as they were, without what says how a quantiser stored the weights.
std::string unquantised(const ConfigNode& node, const std::string& more = "") {
  switch (node.kind) {
    case Kind::Null: return "null";
    case Kind::Bool: return node.boolean ? "true" : "false";
    case Kind::Int: return std::to_string(node.integer);
    case Kind::Float: return node.string;
    case Kind::String: return quoted(node.string);
    case Kind::List: {
      std::string out;
      for (const ConfigNode* item : node.items) out += (out.empty() ? "" : ", ") + unquantised(*item);
      return "[" + out + "]";
    }
    case Kind::Record: break;
  }
  std::string out = more;
  for (const auto& [key, entry] : node.entries) {
    if (!is_quantisation(*entry)) out += (out.empty() ? "" : ", ") + quoted(key) + ": " + unquantised(*entry);
  }
  return "{" + out + "}";
}

std::string in_mxfp4(const ConfigNode& root) {
  return unquantised(root, R"("quantization_config": {"quant_method": "mxfp4"})");
}

const Example* find_example(const std::string& name) {
  for (const Example& example : examples()) {
    if (name == example.name) return &example;
  }
  return nullptr;
}

// Whether an example has a form for experts in mxfp4.
bool reads_mxfp4(const Example& example) {
  return std::string_view(example.text).find("\"mxfp4\"") != std::string_view::npos;
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

// The search for the example that serves a config.
class Choosing {
 public:
  Choosing(const FitOptions& options, const ConfigNode& root, int64_t longest, bool fixed)
      : options_(options), root_(root), longest_(longest), fixed_(fixed) {}

  // The program of an example, compiled for a config; none where its caches have no length to choose.
  std::optional<Chosen> attempt(const Example& example, const FitOptions& how,
                                const std::string& config) const {
    const auto program = opened(example.text, longest_, fixed_);
    if (!program) return std::nullopt;
    Chosen out;
    out.example = example.name;
    out.most_sequences = program->most_sequences;
    out.published = published_tokens(root_);
    out.compiled = compiled(program->text, example.name, how, config);
    return out;
  }

  std::optional<Chosen> serve(const FitOptions& how, const std::string& config) const {
    for (const Example* example : in_order(root_)) {
      auto made = attempt(*example, how, config);
      if (made && planned(made->compiled)) return made;
    }
    return std::nullopt;
  }

  // A checkpoint that no example loads, counted by its bits. The dtypes that take as many are tried in turn,
  // since rows may be no multiple of a block. Matrices that the example turns are stored wide in its plan,
  // and counted like the others.
  std::optional<Chosen> serve_quantised() const {
    const auto stored = find_quantisation(root_);
    if (!stored) return std::nullopt;
    std::vector<std::string> dtypes;
    for (const auto& [part, given] : options_.retypes) {
      if (part == "weights") dtypes = {given};
    }
    const bool asked = !dtypes.empty();
    if (!asked) {
      for (const DType dtype : stored->counted_as()) dtypes.emplace_back(name(dtype));
    }
    for (const std::string& dtype : dtypes) {
      FitOptions how = options_;
      if (!asked) how.retypes.emplace_back("weights", dtype);
      auto made = serve(how, unquantised(root_));
      if (!made) continue;
      made->counted = find_dtype(dtype);
      made->assumptions.push_back("the checkpoint is quantised (" + stored->named_with_bits() +
                                  "), and no example loads it: its weights are counted as " + dtype);
      return made;
    }
    return std::nullopt;
  }

  std::optional<Chosen> serve_mxfp4(const FitOptions& how, const std::string& name) const {
    const Example* example = find_example(name);
    if (!example || !reads_mxfp4(*example)) return std::nullopt;
    auto made = attempt(*example, how, in_mxfp4(root_));
    if (!made || !planned(made->compiled)) return std::nullopt;
    return made;
  }

 private:
  const FitOptions& options_;
  const ConfigNode& root_;
  const int64_t longest_;
  const bool fixed_;
};

int64_t longest_cache(const FitOptions& options, const ConfigNode& root) {
  return std::max(options.context.value_or(1), published_tokens(root).value_or(kUnpublished));
}

}  // namespace

Result<Chosen> choose(const FitOptions& options, std::optional<int64_t> most) {
  const auto config = Config::read(options.config);
  if (!config) return config.error();
  const int64_t longest = most.value_or(longest_cache(options, *config->root()));
  if (longest > kLongest) return Error{"a context of more than " + std::to_string(kLongest) + " tokens"};
  const Choosing choosing(options, *config->root(), longest, most.has_value());
  if (auto found = choosing.serve(options, options.config)) return *std::move(found);
  if (auto found = choosing.serve_quantised()) return *std::move(found);
  const auto errors_of = [&](const std::string& name) {
    const Example* example = find_example(name);
    const auto made = example ? choosing.attempt(*example, options, options.config) : std::nullopt;
    return made ? name + ":\n  " + told(made->compiled) : name;
  };
  FitOptions plain = options;
  plain.lets.clear(), plain.retypes.clear(), plain.budgets.clear();
  plain.target = FitOptions().target;
  if (const auto served = choosing.serve(plain, options.config))
    return Error{"the options do not suit the program, " + errors_of(served->example)};
  const auto nearest = new_program(options.config);
  if (!nearest) return nearest.error();
  return Error{"no example serves this config; the nearest is " + errors_of(nearest->example)};
}

std::optional<Chosen> choose_mxfp4(const FitOptions& options, const Chosen& chosen) {
  const auto config = Config::parse(options.config);
  if (!config || find_quantisation(*config->root())) return std::nullopt;
  const int64_t longest = longest_cache(options, *config->root());
  return Choosing(options, *config->root(), longest, false).serve_mxfp4(options, chosen.example);
}

}  // namespace irplan::fitting
