// The table printed: completion for three shells.
#include <set>

#include "command_line/arguments.h"

namespace irplan::command {
namespace {

std::string words(const char* choices) {
  std::string out = choices;
  for (char& c : out) {
    if (c == '|') c = ' ';
  }
  return out;
}

// "state=f16 state=bf16 weights=f16 …"
std::string pairs(const Option& option) {
  const auto each = [](const char* choices, const auto& use) {
    std::string word;
    for (const char* c = choices;; ++c) {
      if (*c && *c != '|') {
        word += *c;
        continue;
      }
      use(word);
      word.clear();
      if (!*c) return;
    }
  };
  std::string out;
  each(option.names, [&](const std::string& name) {
    each(option.values,
         [&](const std::string& value) { out += (out.empty() ? "" : " ") + name + "=" + value; });
  });
  return out;
}

std::string command_names(const Program& program) {
  std::string out;
  for (const Command& c : program.commands) out += (out.empty() ? "" : " ") + std::string(c.name);
  return out;
}

std::string option_names(const Command& command) {
  std::string out;
  for (const Option* o : command.options) out += (out.empty() ? "" : " ") + std::string(o->name);
  return out;
}

// A name that a shell takes for a function: irplan-run is _irplan_run.
std::string function_name(const Program& program) {
  std::string out = std::string("_") + program.name;
  for (char& c : out) {
    if (c == '-') c = '_';
  }
  return out;
}

// ---- bash

std::string bash_choices(const Program& program) {
  std::string out;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name, const char* choices) {
    if (!choices || !seen.insert(name).second) return;
    out += "    " + name + ") mapfile -t COMPREPLY < <(compgen -W '" + words(choices) +
           "' -- \"$word\"); return ;;\n";
  };
  const auto ask = [&](const Option& o) {
    if (!o.asks || !seen.insert(o.name).second) return;
    out += std::string("    ") + o.name + ") mapfile -t COMPREPLY < <(compgen -W \"$(" + program.name +
           " completion " + o.asks + " \"${COMP_WORDS[@]/#-*/}\" 2>/dev/null)\" -- \"$word\"); return ;;\n";
  };
  for (const Command& c : program.commands) {
    for (const Option* o : c.options) {
      add(o->name, o->choices ? o->choices : o->names);
      ask(*o);
      // NAME=VALUE is three words to bash: the name is the one before the value.
      if (o->names) add(o->names, o->values);
    }
    // A command that takes one of several words: `completion bash`.
    if (std::string_view(c.positional) == kShells) add(c.name, c.positional);
  }
  return out;
}

std::string bash_options(const Program& program) {
  if (program.single()) return "  options='" + option_names(program.commands[0]) + "'\n";
  std::string out = "  case \"$command\" in\n";
  for (const Command& c : program.commands)
    out += std::string("    ") + c.name + ") options='" + option_names(c) + "' ;;\n";
  return out + "  esac\n";
}

// Words that a command takes besides files.
std::string bash_words(const Program& program) {
  std::string out;
  for (const Command& c : program.commands) {
    if (!c.words) continue;
    out += std::string("\n       [ \"$command\" = ") + c.name +
           " ] && mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W '" + words(c.words) +
           "' -- \"$word\")";
  }
  return out;
}

std::string bash(const Program& program) {
  const std::string name = program.name, function = function_name(program);
  const std::string first = program.single() ? "" : program.commands[0].name;
  std::string out = "# bash completion of " + name + "\n" + function +
                    "() {\n"
                    "  local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" "
                    "command=" +
                    first +
                    " options=\n"
                    "  COMPREPLY=()\n";
  if (!program.single()) out += "  [ \"$COMP_CWORD\" -gt 1 ] && command=\"${COMP_WORDS[1]}\"\n";
  out +=
      "  [ \"$previous\" = = ] && previous=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
      "  [ \"$word\" = = ] && { previous=\"${COMP_WORDS[COMP_CWORD-1]}\"; word=; }\n"
      "  case \"$previous\" in\n" +
      bash_choices(program) + "  esac\n" + bash_options(program) +
      "  case \"$word\" in\n"
      "    -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;\n"
      "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  if (!program.single()) {
    out +=
        "\n       [ \"$COMP_CWORD\" -eq 1 ] && mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W "
        "'" +
        command_names(program) + "' -- \"$word\")";
  }
  out += bash_words(program);
  return out + " ;;\n  esac\n}\ncomplete -o filenames -F " + function + " " + name + "\n";
}

// ---- zsh

std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh_arguments(const Command& command) {
  std::string out = "_arguments";
  for (const Option* o : command.options) {
    out += std::string(" \\\n      '") + (o->repeats ? "*" : "") + o->name + (o->value ? "=" : "") + "[" +
           zsh_text(o->doc) + "]";
    if (o->choices)
      out += std::string(":") + zsh_text(o->value) + ":(" + zsh_text(words(o->choices)) + ")";
    else if (o->names)
      out += std::string(":") + zsh_text(o->value) + ":(" + zsh_text(pairs(*o)) + ")";
    else if (o->asks)
      out += std::string(":") + zsh_text(o->value) + ":($(irplan completion " + o->asks +
             " ${words:#-*} 2>/dev/null))";
    else if (o->value)
      out += std::string(":") + zsh_text(o->value) + ":_files";
    out += "'";
  }
  if (std::string_view(command.positional) == kShells)
    return out + " \\\n      '*:shell:(" + words(command.positional) + ")'";
  if (command.words)
    return out + " \\\n      '*:word:_alternative \"words:word:(" + words(command.words) +
           ")\" files:file:_files'";
  return out + " \\\n      '*:file:_files'";
}

std::string zsh(const Program& program) {
  const std::string function = function_name(program);
  std::string out = std::string("#compdef ") + program.name + "\n" + function + "() {\n";
  if (program.single()) {
    out += "  " + zsh_arguments(program.commands[0]) + "\n";
  } else {
    out += "  local -a commands=(\n";
    for (const Command& c : program.commands)
      out += std::string("    '") + c.name + ":" + zsh_text(c.summary) + "'\n";
    out +=
        "  )\n"
        "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
        "    _describe command commands\n    _files\n    return\n  fi\n"
        "  case $words[2] in\n";
    for (const Command& c : program.commands)
      out += std::string("    ") + c.name + ") " + zsh_arguments(c) + " ;;\n";
    out += "  esac\n";
  }
  // Loaded by itself it is called at once; sourced it registers.
  return out + "}\nif [[ $funcstack[1] = " + function + " ]]; then " + function + " \"$@\"; else compdef " +
         function + " " + program.name + "; fi\n";
}

// ---- fish

std::string fish_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return out;
}

std::string fish(const Program& program) {
  const std::string complete = std::string("complete -c ") + program.name;
  std::string out = std::string("# fish completion of ") + program.name + "\n";
  for (const Command& c : program.commands) {
    std::string condition;
    if (!program.single()) {
      condition = std::string(" -n '__fish_seen_subcommand_from ") + c.name + "'";
      out += complete + " -n __fish_use_subcommand -a " + c.name + " -d '" + fish_text(c.summary) + "'\n";
      if (std::string_view(c.positional) == kShells)
        out += complete + condition + " -f -a '" + words(c.positional) + "'\n";
      if (c.words) out += complete + condition + " -a '" + words(c.words) + "'\n";
    }
    for (const Option* o : c.options) {
      out += complete + condition + " -l " + (o->name + 2);
      if (o->letter) out += std::string(" -s ") + o->letter;
      if (o->value) out += " -r";
      if (o->choices) out += " -x -a '" + words(o->choices) + "'";
      if (o->names) out += " -x -a '" + pairs(*o) + "'";
      if (o->asks)
        out += std::string(" -x -a '(") + program.name + " completion " + o->asks +
               " (commandline -opc | string match -v -- -\\*) 2>/dev/null)'";
      out += " -d '" + fish_text(o->doc) + "'\n";
    }
  }
  return out;
}

}  // namespace

std::string completion(const Program& program, std::string_view shell) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  return {};
}

}  // namespace irplan::command
