#include "irplan/new_program.h"

#include <algorithm>

#include "base/printable.h"
#include "ir/config_keys.h"
#include "irplan/compile.h"

namespace irplan {
namespace {

// The program without the requirements that name the model types it serves, to see what else it lacks.
std::string for_any_model(const std::string& text) {
  std::string out;
  bool skipping = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    const bool begins = line.rfind("require ", 0) == 0 && line.find("model_type") != std::string::npos;
    skipping = begins || (skipping && line[0] == ' ');  // a statement goes on in indented lines
    if (!skipping) out += line;
    at = end;
  }
  return out;
}

struct Trial {
  NewProgram program;
  size_t errors = 0;
  bool named = false;  // the example names the config's model type
};

// "`model_type` is "frob", which no example names"
std::string unnamed(const Config& config) {
  const ConfigNode* type = text_part(*config.root()).find("model_type");
  if (!type || type->kind != ConfigNode::Kind::String) return "it has no `model_type`";
  return "`model_type` is \"" + type->string.substr(0, 60) + "\", which no example names";
}

// Whether an error is about the model type.
bool blames_type(const Diagnostic& d) {
  const auto has = [](const std::string& text) { return text.find("model_type") != std::string::npos; };
  return d.severity == Severity::Error &&
         (has(d.message) || std::any_of(d.notes.begin(), d.notes.end(), has));
}

std::vector<std::string> without_bookkeeping(std::vector<std::string> keys) {
  std::erase_if(keys, is_bookkeeping);
  return keys;
}

// The keys that the errors speak of: "model_type, hidden_size"
std::string lacking_keys(const std::vector<std::string>& errors) {
  constexpr std::string_view kLacks = "there is no `config.";
  std::string out;
  for (const std::string& error : errors) {
    if (error.rfind(kLacks, 0) != 0) continue;
    out += (out.empty() ? "" : ", ") + error.substr(kLacks.size(), error.size() - kLacks.size() - 1);
  }
  return out;
}

Trial attempt(const Example& example, const std::string& text, const std::string& config) {
  CompileOptions options;
  options.config = config;
  const Compilation c = compile(SourceText(std::string(example.name) + ".irplan", text), options);
  Trial trial;
  trial.program.example = example.name;
  trial.program.text = text;
  trial.errors = c.diagnostics.errors();
  trial.named = std::none_of(c.diagnostics.list().begin(), c.diagnostics.list().end(), blames_type);
  trial.program.unread_keys = without_bookkeeping(c.unread_config_keys);
  for (const Diagnostic& d : c.diagnostics.list()) {
    if (d.severity == Severity::Error) trial.program.errors.push_back(d.message);
  }
  return trial;
}

bool nearer(const Trial& a, const Trial& b) {
  if (a.named != b.named) return a.named;
  if (a.errors != b.errors) return a.errors < b.errors;
  return a.program.unread_keys.size() < b.program.unread_keys.size();
}

}  // namespace

Result<NewProgram> new_program(const std::string& config_text) {
  const auto config = Config::read(config_text);
  if (!config) return config.error();
  const size_t keys = without_bookkeeping(config->unread()).size();  // nothing is read yet
  std::optional<Trial> best;
  std::vector<bool> named;  // by example, as it stands
  for (const Example& example : examples()) {
    Trial trial = attempt(example, example.text, config_text);
    trial.program.fits = trial.errors == 0;
    named.push_back(trial.named);
    if (trial.program.fits && (!best || nearer(trial, *best))) best = std::move(trial);
  }
  if (best) {
    best->program.keys = keys;
    return best->program;
  }
  for (size_t i = 0; i < examples().size(); ++i) {
    const Example& example = examples()[i];
    Trial trial = attempt(example, for_any_model(example.text), config_text);
    trial.named = named[i];
    trial.program.text = example.text;  // with the requirement that this config does not meet
    if (!best || nearer(trial, *best)) best = std::move(trial);
  }
  if (!best) {
    return Error{"this build carries no examples"};
  }
  best->program.keys = keys;
  if (best->program.unread_keys.size() == keys) {
    return Error{"no example reads any key of it; " + unnamed(*config) + ", and the nearest, " +
                 best->program.example + ", looks for " + lacking_keys(best->program.errors)};
  }
  if (!best->named) best->program.errors.insert(best->program.errors.begin(), unnamed(*config));
  std::string note = "# The nearest of the examples, " + best->program.example + ": " +
                     (best->named ? "it serves other configs of this architecture.\n"
                                  : "no example names this architecture, and its `require` says so.\n");
  if (!best->program.unread_keys.empty()) {
    note += "# Keys of the config that it does not read:";
    for (const std::string& key : best->program.unread_keys) note += " " + printable(key);
    note += "\n";
  }
  const std::string& text = best->program.text;
  const size_t first = text.rfind("irplan 1\n", 0) == 0 ? 9 : 0;  // the version line stays the first
  best->program.text = text.substr(0, first) + note + text.substr(first);
  return best->program;
}

}  // namespace irplan
