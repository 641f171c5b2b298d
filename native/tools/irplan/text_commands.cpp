// irplan fmt, irplan new, irplan ops, irplan passes, irplan completion, irplan man.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "command_line/files.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "files/write.h"
#include "irplan/compile.h"
#include "irplan/format.h"
#include "irplan/new_program.h"
#include "ops/alias.h"
#include "ops/op.h"
#include "tools/irplan/commands.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

// ---- fmt

enum class Formatted { Same, Changed, Failed };

Formatted format_one(const std::string& path, const Arguments& arguments, std::string& list) {
  auto text = read_file(path, kMaxProgramFile);
  if (!text) return Formatted::Failed;
  const SourceText source(program_name(path), std::move(*text));
  Diagnostics diagnostics;
  const auto laid_out = format(source, diagnostics);
  if (!laid_out) {
    diagnostics.sort();
    const bool color = use_color(arguments.value("--color", "auto"), STDERR_FILENO);
    const std::string shown =
        arguments.json() ? to_json(diagnostics.list(), source) + "\n" : render(diagnostics, source, color);
    std::fputs(shown.c_str(), stderr);
    return Formatted::Failed;
  }
  const bool same = *laid_out == source.text();
  if (!same) list += path + "\n";
  if (arguments.has("--check")) return same ? Formatted::Same : Formatted::Changed;
  const std::string target = arguments.value("--output", path);
  if (same && target == path && path != "-") return Formatted::Same;
  return write_file(target, *laid_out) ? Formatted::Changed : Formatted::Failed;
}

// ---- new

std::string remarks(const NewProgram& made, const std::string& config) {
  std::string out;
  if (!made.fits) {
    out += "warning: no example serves " + config + "; the nearest is " + made.example + ", which reads " +
           std::to_string(made.keys - made.unread_keys.size()) + " of its " + std::to_string(made.keys) +
           (made.keys == 1 ? " key:\n" : " keys:\n");
  }
  for (const std::string& e : made.errors) out += "  " + e + "\n";
  if (!made.unread_keys.empty()) out += "keys of " + config + " that the program does not read:\n";
  for (const std::string& key : made.unread_keys) out += "  " + key + "\n";
  return out;
}

// The example that serves a config.json.
int new_for_config(const std::string& path, const std::string& config, bool json) {
  const auto text = read_file(config, kMaxConfigFile);
  if (!text) return kFailed;
  const auto made = new_program(*text);
  if (!made) return fail(kFailed, config + ": " + made.message());
  if (const auto failure = create_file(path, made->text)) return fail(kFailed, *failure);
  if (json && path != "-") {
    const Json out = {{"written", path},
                      {"example", made->example},
                      {"fits", made->fits},
                      {"unread_config_keys", made->unread_keys},
                      {"errors", made->errors}};
    return print(dump(out)) ? kDone : kFailed;
  }
  if (const std::string remark = remarks(*made, config); !remark.empty())
    say(remark.substr(0, remark.size() - 1));
  if (path == "-") return kDone;
  const std::string next = "irplan plan " + path + " --config " + config + " -o plan.json";
  return print("wrote " + path + ", after the example " + made->example + "; next: " + next + "\n") ? kDone
                                                                                                    : kFailed;
}

// ---- ops

std::string attribute_text(const AttrSpec& a) {
  std::string out = a.name;
  if (a.fallback) out += std::string("=") + a.fallback;
  if (a.choices) out += std::string(" (") + a.choices + ")";
  return out;
}

Json op_json(const OpRow& row) {
  Json operands = Json::array(), attributes = Json::array();
  for (const OperandSpec& o : row.operands) operands.push_back({{"name", o.name}, {"optional", o.optional}});
  for (const AttrSpec& a : row.attributes) {
    attributes.push_back({{"name", a.name},
                          {"default", a.fallback ? Json(a.fallback) : Json()},
                          {"choices", a.choices ? Json(a.choices) : Json()}});
  }
  return {{"name", row.name},         {"signature", row.operand_text},
          {"shape", row.shape_text},  {"doc", row.doc},
          {"operands", operands},     {"attributes", attributes},
          {"in_place", row.in_place}, {"window", row.window},
          {"fused", row.fused},       {"family", name(row.family)}};
}

std::string op_text(const OpRow& row) {
  std::string out = std::string(row.name) + "\n  " + row.doc + "\n  operands    " + row.operand_text +
                    "\n  shape       " + row.shape_text + "\n";
  for (size_t i = 0; i < row.attributes.size(); ++i) {
    out += (i ? "              " : "  attributes  ") + attribute_text(row.attributes[i]) + "\n";
  }
  if (row.in_place) out += "  may write over an operand that dies there\n";
  if (row.window) out += "  costs nothing: its results are windows on its operands\n";
  if (row.fused)
    out += row.first ? std::string("  made by the fuse pass of ") + row.first + " and " + row.second +
                           "; no program calls it\n"
                     : "  made by the compiler; no program calls it\n";
  return out;
}

// "; did you mean `rope`?", or what another system's name is here.
std::string meant(const std::string& name) {
  if (const auto alias = find_alias(name)) return "\n" + alias_help(name, *alias);
  const std::string near = nearest(name, op_names());
  return near.empty() ? "; `irplan ops` lists them" : "; did you mean `" + near + "`?";
}

std::string op_line(const OpRow& row) {
  std::string name = row.name;
  name.resize(std::max<size_t>(name.size() + 1, 16), ' ');
  return name + row.operand_text + "\n";
}

// The phases of the programs and plans among some words, whatever else they are.
std::vector<std::string> phase_names(const std::vector<std::string>& words) {
  constexpr size_t kMost = size_t{16} << 20;  // bytes; a completion answers at once
  std::vector<std::string> names;
  for (const std::string& word : words) {
    if (word.empty() || word[0] == '-' || word.find('.') == std::string::npos || !exists(word)) continue;
    const auto text = read_file(word, kMost);
    if (!text || text->size() > kMost) continue;
    if (word.size() > 5 && word.compare(word.size() - 5, 5, ".json") == 0) {
      const auto plan = parse_json(*text);
      if (!plan.is_object() || !plan.contains("phases") || !plan["phases"].is_array()) continue;
      for (const auto& phase : plan["phases"]) {
        if (phase.is_object() && phase.contains("name") && phase["name"].is_string())
          names.push_back(phase["name"].get<std::string>());
      }
      continue;
    }
    Diagnostics ignored;
    const syntax::Tree tree = syntax::parse(SourceText(word, *text), ignored);
    for (const syntax::Item* item : tree.items) {
      if (item->kind == syntax::ItemKind::Phase) names.push_back(tree.text(item->name.symbol));
    }
  }
  return names;
}

}  // namespace

int run_fmt(const Arguments& arguments) {
  if (arguments.has("--output") && arguments.positional().size() > 1) {
    return fail(kUsage, "--output takes one file's layout; several files are rewritten in place");
  }
  bool failed = false, changed = false;
  std::string list;
  for (const std::string& path : arguments.positional()) {
    const Formatted f = format_one(path, arguments, list);
    failed |= f == Formatted::Failed;
    changed |= f == Formatted::Changed;
  }
  if (failed) return kFailed;
  if (!arguments.has("--check")) return kDone;
  if (!print(list)) return kFailed;
  return changed ? kDiffers : kDone;
}

int run_new(const Arguments& arguments) {
  if (arguments.has("--config") && arguments.has("--template"))
    return fail(kUsage, "--template and --config both choose the program; give one of them");
  const std::string& path = arguments.positional()[0];
  if (path != "-" && exists(path)) return fail(kFailed, path + " already exists and was not overwritten");
  if (arguments.has("--config"))
    return new_for_config(path, config_file(arguments.value("--config")), arguments.json());
  const std::string kind = arguments.value("--template", "smallest");
  const auto chosen =
      std::find_if(templates().begin(), templates().end(), [&](const auto& one) { return one.name == kind; });
  if (chosen == templates().end()) return fail(kFailed, "there is no template `" + kind + "`");
  if (const auto failure = create_file(path, chosen->text)) return fail(kFailed, *failure);
  if (path == "-") return kDone;
  if (arguments.json()) return print(dump(Json{{"written", path}})) ? kDone : kFailed;
  return print("wrote " + path + "; next: irplan explain " + path + "\n") ? kDone : kFailed;
}

int run_ops(const Arguments& arguments) {
  std::vector<const OpRow*> rows;
  for (const std::string& name : arguments.positional()) {
    const OpRow* row = find_op(name);
    if (!row) return fail(kFailed, "there is no operator `" + name + "`" + meant(name));
    rows.push_back(row);
  }
  const bool whole = !rows.empty();
  if (!whole) {
    for (const OpRow& row : op_table()) rows.push_back(&row);
  }
  Json list = Json::array();
  std::string out;
  for (const OpRow* row : rows) {
    if (arguments.json())
      list.push_back(op_json(*row));
    else if (whole)
      out += (out.empty() ? "" : "\n") + op_text(*row);
    else if (!row->fused)
      out += op_line(*row);
  }
  return print(arguments.json() ? dump(list) : out) ? kDone : kFailed;
}

int run_passes(const Arguments& arguments) {
  Json list = Json::array();
  std::string out;
  for (const PassInfo& p : passes()) {
    list.push_back({{"name", p.name}, {"contract", p.contract}});
    std::string name = p.name;
    name.resize(std::max<size_t>(name.size() + 1, 16), ' ');
    out += name + p.contract + "\n";
  }
  return print(arguments.json() ? dump(list) : out) ? kDone : kFailed;
}

int run_completion(const Arguments& arguments) {
  const std::string& shell = arguments.positional()[0];
  if (shell == "phases") {
    std::string out;
    for (const std::string& name :
         phase_names({arguments.positional().begin() + 1, arguments.positional().end()}))
      out += name + "\n";
    return print(out) ? kDone : kFailed;
  }
  if (arguments.positional().size() > 1)
    return fail(kUsage, "irplan completion takes one shell, not `" + arguments.positional()[1] + "` as well");
  const std::string text = completion(program(), shell);
  if (text.empty())
    return fail(kUsage, "there is completion for bash, zsh and fish, not for `" + shell + "`" +
                            did_you_mean(shell, {"bash", "zsh", "fish"}));
  return print(text) ? kDone : kFailed;
}

int run_man(const Arguments&) { return print(manual(program())) ? kDone : kFailed; }

}  // namespace irplan::cli
